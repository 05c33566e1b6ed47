// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/harness/Judge.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>
#include <cstring>

using namespace nacre;
using namespace nacre::test;

static bool isSame(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

std::string test::compare(const Array &got, const Array &want, double tolerance) {
  if (got.size() != want.size())
    return llvm::formatv("{0} elements instead of {1}", got.size(), want.size());
  double scale = 1, worst = 0;
  int64_t place = -1;
  for (double value : want.data)
    if (std::isfinite(value))
      scale = std::fmax(scale, 1 + std::fabs(value));
  for (int64_t i = 0; i < want.size(); ++i) {
    if (isSame(got.data[i], want.data[i]))
      continue;
    double distance = std::fabs(got.data[i] - want.data[i]);
    if (std::isfinite(distance) && distance <= worst)
      continue;
    worst = std::isfinite(distance) ? distance : INFINITY;
    place = i;
  }
  if (worst <= tolerance * scale)
    return "";
  return llvm::formatv("element {0} is {1:e} instead of {2:e}: {3} of the tolerance", place, got.data[place], want.data[place],
                       worst / (tolerance * scale));
}

std::string test::compareBits(const Array &got, const Array &want) {
  if (got.shape != want.shape)
    return "another shape";
  for (int64_t i = 0; i < want.size(); ++i)
    if (std::memcmp(&got.data[i], &want.data[i], sizeof(double)) != 0)
      return llvm::formatv("element {0} is {1:r} instead of {2:r}", i, got.data[i], want.data[i]);
  return "";
}

/// splitmix64 (Steele et al. 2014), as a function of key and position.
static uint64_t drawBits(uint64_t key, uint64_t position) {
  uint64_t z = key * 0xD1342543DE82EF95 + (position + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

Array test::uniform(llvm::ArrayRef<int64_t> shape, double low, double high, uint64_t key) {
  Array array(shape);
  for (int64_t i = 0; i < array.size(); ++i)
    array.data[i] = float(low + (high - low) * double(drawBits(key, i) >> 11) * 0x1p-53);
  return array;
}

Array test::integers(llvm::ArrayRef<int64_t> shape, int64_t low, int64_t high, uint64_t key) {
  Array array(shape);
  for (int64_t i = 0; i < array.size(); ++i)
    array.data[i] = double(low + int64_t(drawBits(key, i) % uint64_t(high - low)));
  return array;
}
