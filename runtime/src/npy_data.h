// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The step that npy and npz files share: the bytes of an npy file become an array.
#ifndef NACRE_SRC_NPY_DATA_H
#define NACRE_SRC_NPY_DATA_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Turns `content`, a whole npy file of `bytes` bytes in memory from malloc, into an array. Takes `content` over, also on
/// failure. `name` appears in messages. Errors and ownership of `tensor` as nacre_npy_read.
nacre_status nacre_npy_adopt(char *content, int64_t bytes, const char *name, nacre_tensor *tensor, nacre_error *error);

#ifdef __cplusplus
}
#endif
#endif
