// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights packed for a CPU level: a second copy of what products read, made by the model's own program when a call first needs it and
// whenever the parameters have changed since.
#ifndef NACRE_SRC_PACKED_H
#define NACRE_SRC_PACKED_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The copy for one level.
typedef struct nacre_packed nacre_packed;

/// [level_count] copies without memory, or null when the system refuses (NACRE_ERR_MEMORY).
nacre_packed *nacre_packed_create(const nacre_model *model, nacre_error *error);
/// The copy for a level of the model, by its position.
nacre_packed *nacre_packed_at(nacre_packed *copies, int64_t level);
void nacre_packed_destroy(nacre_packed *copies, const nacre_model *model);

/// Reserves the memory of a copy; it costs nothing before it is filled. NACRE_ERR_MEMORY.
nacre_status nacre_packed_reserve(nacre_packed *copy, const nacre_model *model, nacre_error *error);

/// Sets `frame->packed` to the copy made from the parameters at `*version`, a counter that others may raise, and fills it first when it
/// is older. Allocates nothing. The caller holds the copy until nacre_packed_release. Returns what the packing program returns.
nacre_status nacre_packed_acquire(nacre_packed *copy, const nacre_model *model, const uint64_t *version, nacre_frame *frame);
void nacre_packed_release(nacre_packed *copy);

#ifdef __cplusplus
}
#endif
#endif
