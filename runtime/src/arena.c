// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define _GNU_SOURCE // MAP_ANONYMOUS, MAP_NORESERVE, madvise
#include "runtime/src/arena.h"
#include "runtime/src/status.h"

#include <stddef.h>
#include <sys/mman.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

// An empty mapping is refused by the system, but an empty arena is a valid one.
static size_t mapped_bytes(int64_t bytes) { return bytes > 0 ? (size_t)bytes : 1; }

nacre_status nacre_arena_reserve(nacre_arena *arena, int64_t bytes, nacre_error *error) {
  arena->data = NULL;
  arena->bytes = 0;
  if (bytes < 0)
    return nacre_fail(error, NACRE_ERR_MEMORY, "the memory wanted does not fit in 63 bits");
  void *data = mmap(NULL, mapped_bytes(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED)
    return nacre_fail(error, NACRE_ERR_MEMORY, "the system refused to reserve %lld bytes", (long long)bytes);
#ifdef MADV_HUGEPAGE
  // Kernels walk long rows; large pages spare them most misses of the address cache. Where they are refused, only speed is lost.
  (void)madvise(data, mapped_bytes(bytes), MADV_HUGEPAGE);
#endif
  arena->data = data;
  arena->bytes = bytes;
  return NACRE_OK;
}

void nacre_arena_release(nacre_arena *arena) {
  if (arena->data != NULL)
    munmap(arena->data, mapped_bytes(arena->bytes));
  arena->data = NULL;
  arena->bytes = 0;
}

int64_t nacre_round_up_64(int64_t bytes) {
  return bytes < 0 || bytes > INT64_MAX - 63 ? -1 : (bytes + 63) / 64 * 64;
}
