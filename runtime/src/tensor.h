// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Facts about dense row-major tensors: element sizes, element counts, conversion of file types to the two run-time types.
// Nothing here allocates or owns memory.
#ifndef NACRE_SRC_TENSOR_H
#define NACRE_SRC_TENSOR_H

#include "nacre/abi.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Bytes of one element; 0 when `dtype` is none of nacre_dtype.
int64_t nacre_dtype_bytes(nacre_dtype dtype);
/// "f32", "i64", ...; "unknown" when `dtype` is none of nacre_dtype.
const char *nacre_dtype_name(nacre_dtype dtype);
/// f64, f32, f16 or bf16.
bool nacre_dtype_is_float(nacre_dtype dtype);

/// The number of elements of a shape. False when a size is negative or the product does not fit in 63 bits.
bool nacre_element_count(int32_t rank, const int64_t *shape, int64_t *count);
/// As above, in bytes. False also when the rank or the dtype is none that a nacre_tensor can have.
bool nacre_tensor_bytes(const nacre_tensor *tensor, int64_t *bytes);
/// True when two tensors share a byte. Both must have passed nacre_tensor_bytes.
bool nacre_tensors_overlap(const nacre_tensor *a, const nacre_tensor *b);
/// True when `data` is aligned to its element size, as everything that crosses the interface must be.
bool nacre_tensor_is_aligned(const nacre_tensor *tensor);

/// Writes "[2, 3]" into `text`, cut to `size` bytes. Returns `text`.
const char *nacre_shape_text(int32_t rank, const int64_t *shape, char *text, size_t size);

/// Whether values of type `from` may become `to`: anything to f32, whole numbers to i32, anything to itself.
bool nacre_can_convert(nacre_dtype from, nacre_dtype to);
/// Converts `count` elements. `source` may be unaligned; `to` is NACRE_F32 or NACRE_I32 and `target` is aligned; no overlap.
/// f64 to f32 rounds to nearest even and overflows to infinity; NaN stays NaN.
/// Returns -1, or the position of the first i64 value that does not fit in i32 (nothing after it is written).
/// Requires nacre_can_convert(from, to).
int64_t nacre_convert(nacre_dtype from, const void *source, int64_t count, nacre_dtype to, void *target);

#ifdef __cplusplus
}
#endif
#endif
