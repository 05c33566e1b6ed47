// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A writer cannot wait for ever: while a copy is old, every call that wants it comes here as a writer too.
#define _GNU_SOURCE // pthread_rwlock_t
#include "runtime/src/packed.h"
#include "runtime/src/arena.h"
#include "runtime/src/status.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

// Calls that read a copy hold the lock as readers, the one that fills it as a writer.
struct nacre_packed {
  pthread_rwlock_t lock;
  nacre_arena memory; // reserved by the first context of that level
  uint64_t version;   // of the parameters that it was made from; 0: not made yet
};

nacre_packed *nacre_packed_create(const nacre_model *model, nacre_error *error) {
  size_t count = model->level_count > 0 ? (size_t)model->level_count : 1;
  nacre_packed *copies = calloc(count, sizeof *copies);
  if (copies == NULL) {
    nacre_fail_memory(error, (int64_t)(count * sizeof *copies), "packed weights");
    return NULL;
  }
  for (int32_t i = 0; i < model->level_count; ++i)
    pthread_rwlock_init(&copies[i].lock, NULL); // without attributes it cannot fail
  return copies;
}

nacre_packed *nacre_packed_at(nacre_packed *copies, int64_t level) { return &copies[level]; }

void nacre_packed_destroy(nacre_packed *copies, const nacre_model *model) {
  for (int32_t i = 0; i < model->level_count; ++i) {
    nacre_arena_release(&copies[i].memory);
    pthread_rwlock_destroy(&copies[i].lock);
  }
  free(copies);
}

nacre_status nacre_packed_reserve(nacre_packed *copy, const nacre_model *model, nacre_error *error) {
  nacre_status status = NACRE_OK;
  if (model->packed_bytes == 0)
    return status;
  pthread_rwlock_wrlock(&copy->lock);
  if (copy->memory.data == NULL)
    status = nacre_arena_reserve(&copy->memory, model->packed_bytes, error);
  pthread_rwlock_unlock(&copy->lock);
  return status;
}

static bool is_current(const nacre_packed *copy, const uint64_t *version) {
  return copy->version == __atomic_load_n(version, __ATOMIC_ACQUIRE);
}

static nacre_status fill(nacre_packed *copy, const nacre_model *model, const uint64_t *version, const nacre_frame *frame) {
  nacre_status status = NACRE_OK;
  pthread_rwlock_wrlock(&copy->lock);
  if (!is_current(copy, version)) {
    uint64_t made = __atomic_load_n(version, __ATOMIC_ACQUIRE);
    status = (nacre_status)model->pack(frame);
    copy->version = status == NACRE_OK ? made : 0;
  }
  pthread_rwlock_unlock(&copy->lock);
  return status;
}

nacre_status nacre_packed_acquire(nacre_packed *copy, const nacre_model *model, const uint64_t *version, nacre_frame *frame) {
  frame->packed = copy->memory.data;
  for (;;) {
    pthread_rwlock_rdlock(&copy->lock);
    if (is_current(copy, version))
      return NACRE_OK;
    pthread_rwlock_unlock(&copy->lock);
    nacre_status status = fill(copy, model, version, frame);
    if (status != NACRE_OK) {
      pthread_rwlock_rdlock(&copy->lock); // the caller releases in any case
      return status;
    }
  }
}

void nacre_packed_release(nacre_packed *copy) { pthread_rwlock_unlock(&copy->lock); }
