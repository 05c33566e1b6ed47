// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reserved zeroed memory: anonymous pages that cost nothing until they are touched. Used for a context's arena and scratch
// and for the parameter block.
#ifndef NACRE_SRC_ARENA_H
#define NACRE_SRC_ARENA_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Owned by whoever reserved it; `data` is page-aligned (so 64-byte aligned) and zero.
typedef struct nacre_arena {
  char *data;
  int64_t bytes; /* what was asked for */
} nacre_arena;

/// Reserves `bytes` >= 0 of address space. NACRE_ERR_MEMORY, with `arena` empty, when the system refuses or bytes < 0.
nacre_status nacre_arena_reserve(nacre_arena *arena, int64_t bytes, nacre_error *error);
/// Gives the memory back; an empty arena is left alone.
void nacre_arena_release(nacre_arena *arena);

/// The multiple of 64 at or above `bytes`, or -1 when that does not fit or `bytes` is negative.
int64_t nacre_round_up_64(int64_t bytes);

#ifdef __cplusplus
}
#endif
#endif
