// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a launch goes: the caller writes the launch, opens it by a store to `state`, and takes tasks itself. A worker that
// sees an open launch joins by raising the active count inside `state`, takes tasks until none is left, and leaves. When the
// caller finds no task it closes the launch, after which nobody can join, and waits for the active count to reach zero.
// So the fields of a launch are written only while nobody has joined, and read only by those who have.
#define _GNU_SOURCE // CPU_COUNT, syscall
#include "runtime/src/workers.h"
#include "runtime/src/status.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

// state = launch number (19 bits) | open (1 bit) | active workers (12 bits). The number wraps: a worker that sleeps through
// exactly 2^19 launches merely misses one more.
#define ACTIVE_MASK 0xFFFu
#define OPEN_BIT 0x1000u
#define NUMBER_SHIFT 13

#define SPINS 20000          // about 0.2-1 ms of pauses: longer than the gap between the launches of one call
#define SPINS_CROWDED 200    // more workers than processors: spinning would take the processor from one who has work
#define STACK_BYTES (2 << 20)
#define CHUNKS_PER_WORKER 4  // a claim takes a quarter of an even share of what is left, so that the ends meet

typedef struct worker {
  struct nacre_workers *pool;
  char *scratch;
  pthread_t thread;
} worker;

struct nacre_workers {
  // One cache line for all that a launch touches: who joins it brings the rest along.
  _Alignas(64) atomic_uint state;
  int32_t count;
  atomic_llong next; // the first task that nobody has claimed
  int64_t tasks;
  nacre_kernel kernel;
  const int64_t *slots;
  _Alignas(64) atomic_uint sleepers;
  atomic_uint caller_sleeps;
  int32_t started;
  int spins;
  atomic_bool stop; // atomic: a worker that was late for a launch may look while the pool is being ended
  worker members[]; // [0] is the caller and has no thread
};

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

// Sleeps while *word == value; may return early.
static void sleep_while_equal(atomic_uint *word, unsigned value) {
#ifdef __linux__
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
#else
  (void)word;
  (void)value;
  sched_yield();
#endif
}

static void wake(atomic_uint *word, int64_t count) {
#ifdef __linux__
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, (int)count, NULL, NULL, 0);
#else
  (void)word;
  (void)count;
#endif
}

static bool claim(struct nacre_workers *pool, long long *begin, long long *end) {
  long long next = atomic_load_explicit(&pool->next, memory_order_relaxed);
  long long share = 0;
  do {
    long long left = pool->tasks - next;
    if (left <= 0)
      return false;
    share = left / (pool->count * CHUNKS_PER_WORKER);
    share = share > 0 ? share : 1;
  } while (!atomic_compare_exchange_weak_explicit(&pool->next, &next, next + share, memory_order_relaxed,
                                                  memory_order_relaxed));
  *begin = next;
  *end = next + share;
  return true;
}

static void run_tasks(struct nacre_workers *pool, char *scratch) {
  long long begin = 0;
  long long end = 0;
  while (claim(pool, &begin, &end))
    pool->kernel(begin, end, pool->slots, scratch);
}

static bool is_news(unsigned state, unsigned seen) { return (state & OPEN_BIT) != 0 && state >> NUMBER_SHIFT != seen; }

// Sleeps unless a launch has been opened since; the order (count myself, look, sleep) meets the caller's (open, look at the
// count, wake), so that one of the two sees the other.
static void sleep_until_news(struct nacre_workers *pool, unsigned seen) {
  atomic_fetch_add(&pool->sleepers, 1);
  unsigned state = atomic_load(&pool->state);
  if (!is_news(state, seen))
    sleep_while_equal(&pool->state, state);
  atomic_fetch_sub(&pool->sleepers, 1);
}

static unsigned wait_for_news(struct nacre_workers *pool, unsigned seen) {
  for (int spin = 0;;) {
    unsigned state = atomic_load_explicit(&pool->state, memory_order_acquire);
    if (is_news(state, seen))
      return state;
    if (++spin < pool->spins) {
      pause_briefly();
      continue;
    }
    sleep_until_news(pool, seen);
    spin = 0;
  }
}

// False when the launch was closed in the meantime.
static bool join(struct nacre_workers *pool, unsigned state) {
  while ((state & OPEN_BIT) != 0)
    if (atomic_compare_exchange_weak(&pool->state, &state, state + 1))
      return true;
  return false;
}

static void leave(struct nacre_workers *pool) {
  unsigned before = atomic_fetch_sub(&pool->state, 1);
  bool last = (before & ACTIVE_MASK) == 1 && (before & OPEN_BIT) == 0;
  if (last && atomic_exchange(&pool->caller_sleeps, 0) == 1)
    wake(&pool->caller_sleeps, 1);
}

static void *work(void *argument) {
  worker *self = argument;
  struct nacre_workers *pool = self->pool;
  unsigned seen = 0;
  for (;;) {
    unsigned state = wait_for_news(pool, seen);
    if (atomic_load_explicit(&pool->stop, memory_order_relaxed)) // set before the state that was seen
      return NULL;
    seen = state >> NUMBER_SHIFT;
    if (!join(pool, state))
      continue;
    run_tasks(pool, self->scratch);
    leave(pool);
  }
}

static void open_launch(struct nacre_workers *pool, int64_t wanted) {
  unsigned number = (atomic_load_explicit(&pool->state, memory_order_relaxed) >> NUMBER_SHIFT) + 1;
  atomic_store(&pool->state, number << NUMBER_SHIFT | OPEN_BIT);
  unsigned sleepers = atomic_load(&pool->sleepers);
  if (sleepers > 0)
    wake(&pool->state, wanted < (int64_t)sleepers ? wanted : (int64_t)sleepers);
}

static void close_launch(struct nacre_workers *pool) {
  unsigned state = atomic_fetch_and(&pool->state, ~OPEN_BIT);
  for (int spin = 0; (state & ACTIVE_MASK) != 0; state = atomic_load(&pool->state)) {
    if (++spin < pool->spins) {
      pause_briefly();
      continue;
    }
    atomic_store(&pool->caller_sleeps, 1);
    if ((atomic_load(&pool->state) & ACTIVE_MASK) != 0)
      sleep_while_equal(&pool->caller_sleeps, 1);
    atomic_store(&pool->caller_sleeps, 0);
  }
}

void nacre_launch(struct nacre_workers *workers, nacre_kernel kernel, int64_t tasks, const int64_t *slots) {
  if (tasks <= 0)
    return;
  if (tasks == 1 || workers->count == 1) {
    kernel(0, tasks, slots, workers->members[0].scratch);
    return;
  }
  workers->kernel = kernel;
  workers->tasks = tasks;
  workers->slots = slots;
  atomic_store_explicit(&workers->next, 0, memory_order_relaxed);
  open_launch(workers, tasks - 1);
  run_tasks(workers, workers->members[0].scratch);
  close_launch(workers);
}

// Signals are the host program's business: its handlers must not run on our threads.
static int start_thread(worker *member, const pthread_attr_t *attributes) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int result = pthread_create(&member->thread, attributes, work, member);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return result;
}

static bool start_threads(struct nacre_workers *pool) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0)
    return false;
  bool good = pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0;
  for (pool->started = 1; good && pool->started < pool->count; pool->started += good ? 1 : 0)
    good = start_thread(&pool->members[pool->started], &attributes) == 0;
  pthread_attr_destroy(&attributes);
  return good;
}

struct nacre_workers *nacre_workers_create(int32_t count, char *scratch, int64_t scratch_bytes, nacre_error *error) {
  size_t bytes = sizeof(struct nacre_workers) + (size_t)count * sizeof(worker);
  bytes = (bytes + 63) / 64 * 64;
  struct nacre_workers *pool = aligned_alloc(64, bytes);
  if (pool == NULL) {
    nacre_fail_memory(error, (int64_t)bytes, "the workers");
    return NULL;
  }
  atomic_init(&pool->state, 0);
  atomic_init(&pool->next, 0);
  atomic_init(&pool->sleepers, 0);
  atomic_init(&pool->caller_sleeps, 0);
  pool->count = count;
  pool->spins = count > nacre_processor_count() ? SPINS_CROWDED : SPINS;
  atomic_init(&pool->stop, false);
  pool->tasks = 0; // the opening that ends the pool has none
  for (int32_t i = 0; i < count; ++i) {
    pool->members[i].pool = pool;
    pool->members[i].scratch = scratch + i * scratch_bytes;
  }
  if (!start_threads(pool)) {
    nacre_fail(error, NACRE_ERR_MEMORY, "the system refused to start thread %d of %d", pool->started + 1, count);
    nacre_workers_destroy(pool);
    return NULL;
  }
  return pool;
}

void nacre_workers_destroy(struct nacre_workers *workers) {
  if (workers == NULL)
    return;
  atomic_store_explicit(&workers->stop, true, memory_order_relaxed);
  open_launch(workers, NACRE_MAX_WORKERS);
  for (int32_t i = 1; i < workers->started; ++i)
    pthread_join(workers->members[i].thread, NULL);
  free(workers);
}

int32_t nacre_workers_count(const struct nacre_workers *workers) { return workers->count; }

int32_t nacre_processor_count(void) {
  long count = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    count = CPU_COUNT(&set);
#endif
  count = count < 1 ? 1 : count;
  return count > NACRE_MAX_WORKERS ? NACRE_MAX_WORKERS : (int32_t)count;
}
