// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/MachineLimits.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <immintrin.h>
#include <sys/mman.h>
#include <thread>
#include <vector>

using namespace nacre::tool;

static constexpr int kChains = 10;              // two units of four cycles each need at least 8; AVX2 has 16 registers
static constexpr int64_t kSteps = 1 << 18;      // of one measurement: about half a millisecond
static constexpr int64_t kReadBytes = 96 << 20; // of one thread: three times a usual last-level cache
static constexpr int kRounds = 7;

__attribute__((target("avx2,fma"))) static float chains256(int64_t steps) {
  __m256 factor = _mm256_set1_ps(0.5f), sums[kChains];
  for (__m256 &sum : sums)
    sum = factor;
  for (int64_t i = 0; i < steps; ++i)
#pragma GCC unroll 10
    for (int j = 0; j < kChains; ++j)
      sums[j] = _mm256_fmadd_ps(sums[j], factor, factor);
  __m256 total = sums[0];
  for (int j = 1; j < kChains; ++j)
    total = _mm256_add_ps(total, sums[j]);
  return _mm256_cvtss_f32(total);
}

__attribute__((target("avx512f"))) static float chains512(int64_t steps) {
  __m512 factor = _mm512_set1_ps(0.5f), sums[kChains];
  for (__m512 &sum : sums)
    sum = factor;
  for (int64_t i = 0; i < steps; ++i)
#pragma GCC unroll 10
    for (int j = 0; j < kChains; ++j)
      sums[j] = _mm512_fmadd_ps(sums[j], factor, factor);
  __m512 total = sums[0];
  for (int j = 1; j < kChains; ++j)
    total = _mm512_add_ps(total, sums[j]);
  return _mm512_cvtss_f32(total);
}

__attribute__((target("avx2"))) static float readAll(const float *data, int64_t count) {
  __m256 sums[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
  for (int64_t i = 0; i + 32 <= count; i += 32)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
      sums[j] = _mm256_add_ps(sums[j], _mm256_loadu_ps(data + i + 8 * j));
  return _mm256_cvtss_f32(_mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3])));
}

static std::atomic<float> sink; // so that no result is thrown away

/// Seconds until all threads have done `work` once, all begun together.
static double secondsTogether(int32_t threads, const std::function<void(int32_t)> &work) {
  std::atomic<int32_t> ready{0};
  std::vector<std::thread> others;
  auto run = [&](int32_t thread) {
    ++ready;
    while (ready < threads) {
    }
    work(thread);
  };
  for (int32_t i = 1; i < threads; ++i)
    others.emplace_back(run, i);
  ++ready;
  while (ready < threads) {
  }
  auto start = std::chrono::steady_clock::now();
  work(0);
  for (std::thread &other : others)
    other.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

static double best(int32_t threads, const std::function<void(int32_t)> &work) {
  double least = secondsTogether(threads, work);
  for (int i = 1; i < kRounds; ++i)
    least = std::min(least, secondsTogether(threads, work));
  return least;
}

/// In large pages where the system has them, so that memory is measured and not the translation of addresses. Null when there is none.
static float *reserve() {
  constexpr size_t pageBytes = 2 << 20;
  void *memory = std::aligned_alloc(pageBytes, kReadBytes);
#ifdef MADV_HUGEPAGE
  if (memory) madvise(memory, kReadBytes, MADV_HUGEPAGE);
#endif
  return static_cast<float *>(memory);
}

double MachineLimits::leastSeconds(int64_t operations, int64_t bytes) const {
  return std::max(double(operations) / operationsPerSecond, double(bytes) / bytesPerSecond);
}

MachineLimits nacre::tool::measureMachine(int32_t threads) {
  bool isWide = __builtin_cpu_supports("avx512f");
  auto multiply = isWide ? chains512 : chains256;
  MachineLimits limits;
  limits.threads = threads;
  double operations = 2.0 * kChains * kSteps * (isWide ? 16 : 8);
  limits.operationsPerSecond = threads * operations / best(threads, [&](int32_t) { sink = multiply(kSteps); });
  std::vector<float *> memory;
  for (int32_t i = 0; i < threads; ++i)
    memory.push_back(reserve());
  if (llvm::is_contained(memory, nullptr)) llvm::report_bad_alloc_error("no memory to measure its speed with");
  secondsTogether(threads, [&](int32_t thread) { std::fill_n(memory[thread], kReadBytes / sizeof(float), 1.0f); });
  auto read = [&](int32_t thread) { sink = readAll(memory[thread], kReadBytes / sizeof(float)); };
  limits.bytesPerSecond = threads * double(kReadBytes) / best(threads, read);
  for (float *one : memory)
    std::free(one);
  return limits;
}
