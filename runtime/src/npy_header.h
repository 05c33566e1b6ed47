// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The header of the npy format (versions 1, 2 and 3): a magic number, a length, and a Python dictionary literal.
#ifndef NACRE_SRC_NPY_HEADER_H
#define NACRE_SRC_NPY_HEADER_H

#include "nacre/abi.h"
#include "runtime/src/buffer.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NACRE_NPY_PREFIX_BYTES 12 /* enough to learn the header's length in every version */

/// What a header says.
typedef struct nacre_npy_layout {
  nacre_dtype dtype;
  bool fortran_order; /* the first axis is the fastest */
  int32_t rank;
  int64_t shape[NACRE_MAX_RANK];
  int64_t data_begin; /* from the start of the file, in bytes */
  int64_t data_bytes;
} nacre_npy_layout;

/// The length of magic, length field and dictionary from the first NACRE_NPY_PREFIX_BYTES bytes; -1 when they are not npy.
int64_t nacre_npy_header_bytes(const void *prefix);

/// Parses a header of `bytes` = nacre_npy_header_bytes bytes. NACRE_ERR_FORMAT, naming `name`, on malformed text, big-endian,
/// structured or unsupported types, more than NACRE_MAX_RANK axes and sizes that overflow.
nacre_status nacre_npy_parse_header(const void *header, int64_t bytes, const char *name, nacre_npy_layout *layout,
                                    nacre_error *error);

/// Appends the header of a C-order tensor, a multiple of 64 bytes long. False when npy has no such type (bf16) or memory ends.
bool nacre_npy_build_header(const nacre_tensor *tensor, nacre_buffer *header);

#ifdef __cplusplus
}
#endif
#endif
