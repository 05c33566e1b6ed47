// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the machine can do at most, measured here and now: times of kernels mean little without it, for clocks drift and machines are shared.
#pragma once

#include <cstdint>

namespace nacre::tool {

struct MachineLimits {
  int32_t threads = 1;
  double operationsPerSecond = 0; ///< f32 multiply-adds (2 operations each) of all threads together, from registers
  double bytesPerSecond = 0;      ///< read from memory that no cache holds, all threads together

  /// The least time that this work can take: the longer of computing and reading it.
  double leastSeconds(int64_t operations, int64_t bytes) const;
};

/// Takes about half a second; the best of several short measurements. Needs AVX2 with FMA, as compiled kernels do.
MachineLimits measureMachine(int32_t threads);

} // namespace nacre::tool
