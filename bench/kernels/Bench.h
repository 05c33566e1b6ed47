// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Measuring ratios: candidates alternate in one process, the median counts, and every figure stands beside the machine's own
// peak of the same run.
#ifndef NACRE_BENCH_KERNELS_BENCH_H
#define NACRE_BENCH_KERNELS_BENCH_H

#include <functional>
#include <string>
#include <vector>

namespace nacre::bench {

struct Candidate {
  std::string name;
  std::function<void()> run;
};

/// Median seconds of each candidate over `rounds` alternating rounds; a round repeats a candidate for at least `minSeconds`.
std::vector<double> measure(const std::vector<Candidate> &candidates, int rounds = 7, double minSeconds = 0.02);

/// OpenBLAS, opened at run time with the kernels of OPENBLAS_CORETYPE (default SkylakeX) and one thread; null when missing.
/// C[m][n] = op(A) * op(B), row-major, leading dimensions in elements.
using Gemm = std::function<void(bool transposeA, bool transposeB, int m, int n, int k, const float *a, int lda, const float *b,
                                int ldb, float *c, int ldc)>;
Gemm openBlas();

} // namespace nacre::bench

#endif
