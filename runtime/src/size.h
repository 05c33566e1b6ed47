// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes are polynomials in the model's dims (abi.h). Evaluation and solving detect overflow; nothing here allocates.
#ifndef NACRE_SRC_SIZE_H
#define NACRE_SRC_SIZE_H

#include "nacre/abi.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Evaluates `size` at `dims` ([dim_count], dim_count <= NACRE_MAX_DIMS). False when a step does not fit in 64 bits.
bool nacre_size_evaluate(const nacre_size *size, const int64_t *dims, int32_t dim_count, int64_t *value);

/// The dims that occur in `size` with a non-zero power, as a bit set.
uint32_t nacre_size_dims(const nacre_size *size, int32_t dim_count);

typedef enum nacre_solution {
  NACRE_SOLVED,     /* one unknown, and `*value` makes the size equal to the target */
  NACRE_NOT_LINEAR, /* several unknowns, a higher power, or a coefficient that is zero at these dims */
  NACRE_NO_VALUE    /* one unknown, but no whole number >= 0 makes the size equal to the target */
} nacre_solution;

/// Solves size(dims) = target for the one dim outside the bit set `known` that occurs in `size`.
/// Requires at least one such dim. Sets `*dim` unless the answer is NACRE_NOT_LINEAR.
nacre_solution nacre_size_solve(const nacre_size *size, const int64_t *dims, int32_t dim_count, uint32_t known,
                                int64_t target, int32_t *dim, int64_t *value);

/// Writes the polynomial with the dims' names, "12*B*T + 1", cut to `capacity` bytes. Returns `text`.
const char *nacre_size_text(const nacre_size *size, const nacre_dim *dims, int32_t dim_count, char *text,
                            size_t capacity);

#ifdef __cplusplus
}
#endif
#endif
