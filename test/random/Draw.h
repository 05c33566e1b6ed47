// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A stream of choices from a seed, the same everywhere.
#pragma once

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>

namespace nacre::test {

/// splitmix64 (Steele et al. 2014).
class Draw {
public:
  explicit Draw(uint64_t seed) : state(seed) {}

  uint64_t next() {
    uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  /// In [0, count); requires count > 0.
  int64_t below(int64_t count) { return int64_t(next() % uint64_t(count)); }
  /// In [low, high].
  int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }
  bool chance(double share) { return double(next() >> 11) * 0x1p-53 < share; }
  template <typename T> const T &pick(llvm::ArrayRef<T> list) { return list[below(list.size())]; }

private:
  uint64_t state;
};

} // namespace nacre::test
