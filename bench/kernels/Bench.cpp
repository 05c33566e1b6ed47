// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench/kernels/Bench.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace nacre::bench {

/// Time that this thread has run: what else the machine does counts as little as possible.
static double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

static double time(const Candidate &candidate, double minSeconds) {
  const double start = seconds();
  double now = start;
  int64_t runs = 0;
  for (; now - start < minSeconds; ++runs, now = seconds())
    candidate.run();
  return (now - start) / static_cast<double>(runs);
}

std::vector<double> measure(const std::vector<Candidate> &candidates, int rounds, double minSeconds) {
  std::vector<std::vector<double>> times(candidates.size());
  for (const Candidate &candidate : candidates)
    candidate.run(); // page faults and cold code
  for (int round = 0; round < rounds; ++round)
    for (size_t i = 0; i < candidates.size(); ++i)
      times[i].push_back(time(candidates[i], minSeconds));
  std::vector<double> medians;
  for (std::vector<double> &list : times) {
    std::nth_element(list.begin(), list.begin() + rounds / 2, list.end());
    medians.push_back(list[rounds / 2]);
  }
  return medians;
}

Gemm openBlas() {
  setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
  setenv("OPENBLAS_NUM_THREADS", "1", 0);
  void *library = dlopen("libopenblas.so.0", RTLD_NOW);
  if (!library)
    return nullptr;
  using Function = void (*)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
  auto gemm = reinterpret_cast<Function>(dlsym(library, "cblas_sgemm"));
  return [gemm](bool ta, bool tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb, float *c, int ldc) {
    constexpr int rowMajor = 101, asIs = 111, transposed = 112;
    gemm(rowMajor, ta ? transposed : asIs, tb ? transposed : asIs, m, n, k, 1.0f, a, lda, b, ldb, 0.0f, c, ldc);
  };
}

} // namespace nacre::bench
