// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The thread pool of one context: the calling thread and `count - 1` threads that share out the tasks of a launch.
//
// Between launches a worker spins for a moment, then sleeps. A launch never waits for a worker that has not joined it, so a
// sleeping or descheduled worker costs nothing. Nobody is pinned. Which worker does which task is not determined.
#ifndef NACRE_SRC_WORKERS_H
#define NACRE_SRC_WORKERS_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NACRE_MAX_WORKERS 1024

/// Starts `count` - 1 threads (1 <= count <= NACRE_MAX_WORKERS).
/// scratch  borrowed until the workers are destroyed; [count * scratch_bytes], 64-byte aligned, scratch_bytes a multiple of 64.
/// Null with NACRE_ERR_MEMORY when the system refuses memory or a thread; no thread is left behind.
struct nacre_workers *nacre_workers_create(int32_t count, char *scratch, int64_t scratch_bytes, nacre_error *error);
/// How many threads, the caller among them, share out the tasks of a launch.
int32_t nacre_workers_count(const struct nacre_workers *workers);
/// Ends and joins the threads. No launch may be running. Null is ignored.
void nacre_workers_destroy(struct nacre_workers *workers);

/// Runs kernel tasks [0, tasks) and returns when all are done; their writes are then visible to the caller.
/// Called by generated code, by one thread at a time a pool, never from inside a kernel. Allocates nothing.
/// One task, or one worker, runs on the calling thread; no task calls nothing. `slots` is borrowed for the call.
void nacre_launch(struct nacre_workers *workers, nacre_kernel kernel, int64_t tasks, const int64_t *slots);

/// The processors that this process may use, 1 <= n <= NACRE_MAX_WORKERS.
int32_t nacre_processor_count(void);

#ifdef __cplusplus
}
#endif
#endif
