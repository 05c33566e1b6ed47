// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A traced launch hands the workers a kernel of its own, which takes the time and calls the one that was meant.
#define _POSIX_C_SOURCE 199309L // clock_gettime
#include "runtime/src/trace.h"
#include "runtime/src/workers.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

// What the workers get in place of the launch's slots.
typedef struct traced_launch {
  nacre_trace *trace;
  nacre_kernel kernel;
  const int64_t *slots;
  int64_t launch;
} traced_launch;

// A number or an address, by the system; never 0. A thread-local number would need the loader's help, which a library is linked without.
static uint64_t this_thread(void) { return (uint64_t)(uintptr_t)pthread_self(); }

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void append(nacre_trace *trace, nacre_trace_event event) {
  event.end_ns = now_ns();
  int64_t place = __atomic_fetch_add(&trace->count, 1, __ATOMIC_RELAXED);
  if (place < trace->capacity)
    trace->events[place] = event;
}

static void run_share(int64_t begin, int64_t end, const int64_t *slots, char *scratch) {
  const traced_launch *traced = (const traced_launch *)(const void *)slots;
  nacre_trace_event event = {traced->launch, this_thread(), end - begin, now_ns(), 0};
  traced->kernel(begin, end, traced->slots, scratch);
  append(traced->trace, event);
}

void nacre_trace_launch(const nacre_frame *frame, nacre_kernel kernel, int64_t tasks, const int64_t *slots, int64_t launch) {
  if (frame->trace == NULL) {
    nacre_launch(frame->workers, kernel, tasks, slots);
    return;
  }
  traced_launch traced = {frame->trace, kernel, slots, launch};
  nacre_trace_event event = {launch, 0, tasks, now_ns(), 0};
  nacre_launch(frame->workers, run_share, tasks, (const int64_t *)(const void *)&traced);
  append(frame->trace, event);
}
