// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading and writing npy files. Arrays are read into memory of their own, in C order and in the file's element type.
#ifndef NACRE_SRC_NPY_H
#define NACRE_SRC_NPY_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Reads a file into `tensor`; the caller gives the data back with nacre_array_free. On failure `tensor` is left alone.
/// NACRE_ERR_FILE, NACRE_ERR_MEMORY, NACRE_ERR_FORMAT (not npy, truncated, unsupported type, too many axes, absurd sizes).
nacre_status nacre_npy_read(const char *path, nacre_tensor *tensor, nacre_error *error);

/// Writes a C-order file of version 1: temporary file, sync, rename. NACRE_ERR_FILE, NACRE_ERR_MEMORY; NACRE_ERR_VALUE for
/// bf16, which npy does not have, or a size that overflows. On failure an old file of that name is untouched.
nacre_status nacre_npy_write(const char *path, const nacre_tensor *tensor, nacre_error *error);

/// Frees the data of an array that was read, and clears the tensor.
void nacre_array_free(nacre_tensor *tensor);

#ifdef __cplusplus
}
#endif
#endif
