// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decompression of deflate streams (RFC 1951), for the compressed entries of npz files.
#ifndef NACRE_SRC_INFLATE_H
#define NACRE_SRC_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Decompresses `source` into exactly `target_bytes` bytes. False when the stream is malformed, ends early, or holds more or
/// fewer bytes; `target` is then undefined. Never reads or writes outside the two ranges.
bool nacre_inflate(const void *source, size_t source_bytes, void *target, size_t target_bytes);

#ifdef __cplusplus
}
#endif
#endif
