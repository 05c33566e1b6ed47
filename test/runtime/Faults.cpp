// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Faults.h"

#include <atomic>
#include <cerrno>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

static std::atomic<int64_t> countdown[7] = {{-1}, {-1}, {-1}, {-1}, {-1}, {-1}, {-1}};
static std::atomic<int64_t> allocationCount{0};

// Counts down to the call that fails; below zero nothing fails.
static bool fails(faults::Call call) {
  std::atomic<int64_t> &left = countdown[int(call)];
  if (left.load() < 0 || left.fetch_sub(1) != 0)
    return false;
  errno = call == faults::Call::Allocate || call == faults::Call::Map ? ENOMEM : EIO;
  return true;
}

static bool allocationFails(faults::Call call) {
  allocationCount.fetch_add(1);
  return fails(call);
}

void faults::failOnce(Call call, int64_t position) { countdown[int(call)].store(position); }

void faults::clear() {
  for (std::atomic<int64_t> &left : countdown)
    left.store(-1);
}

int64_t faults::allocations() { return allocationCount.load(); }

int64_t faults::failEach(Call call, const std::function<bool()> &attempt) {
  for (int64_t position = 0;; ++position) {
    failOnce(call, position);
    bool done = attempt();
    bool reached = countdown[int(call)].load() < 0;
    clear();
    if (done || !reached)
      return done ? position : -1;
  }
}

extern "C" {
void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__real_aligned_alloc(size_t, size_t);
void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
ssize_t __real_pread(int, void *, size_t, off_t);
ssize_t __real_write(int, const void *, size_t);
int __real_fsync(int);
int __real_rename(const char *, const char *);

void *__wrap_malloc(size_t n) { return allocationFails(faults::Call::Allocate) ? nullptr : __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t m) { return allocationFails(faults::Call::Allocate) ? nullptr : __real_calloc(n, m); }
void *__wrap_realloc(void *p, size_t n) { return allocationFails(faults::Call::Allocate) ? nullptr : __real_realloc(p, n); }
void *__wrap_aligned_alloc(size_t a, size_t n) {
  return allocationFails(faults::Call::Allocate) ? nullptr : __real_aligned_alloc(a, n);
}
void *__wrap_mmap(void *p, size_t n, int protection, int flags, int fd, off_t at) {
  return allocationFails(faults::Call::Map) ? MAP_FAILED : __real_mmap(p, n, protection, flags, fd, at);
}
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
  return allocationFails(faults::Call::Thread) ? EAGAIN : __real_pthread_create(thread, attributes, run, argument);
}
ssize_t __wrap_pread(int fd, void *to, size_t n, off_t at) {
  return fails(faults::Call::Read) ? -1 : __real_pread(fd, to, n, at);
}
ssize_t __wrap_write(int fd, const void *from, size_t n) { return fails(faults::Call::Write) ? -1 : __real_write(fd, from, n); }
int __wrap_fsync(int fd) { return fails(faults::Call::Sync) ? -1 : __real_fsync(fd); }
int __wrap_rename(const char *from, const char *to) { return fails(faults::Call::Rename) ? -1 : __real_rename(from, to); }
}
