// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rule by which results are judged, and inputs made from a key.
#pragma once

#include "dialects/Nacre/Reference/Array.h"

#include <string>

namespace nacre::test {

/// Empty when max|got - want| <= tolerance * (1 + max|want|); else the worst place in words. Shapes need only hold equally many
/// elements. Both not a number, or the same infinity, agree.
std::string compare(const Array &got, const Array &want, double tolerance);

/// Empty when both hold the same bits.
std::string compareBits(const Array &got, const Array &want);

/// The same values for the same key everywhere: uniform in [low, high), rounded to f32.
Array uniform(llvm::ArrayRef<int64_t> shape, double low, double high, uint64_t key);
/// Integers in [low, high).
Array integers(llvm::ArrayRef<int64_t> shape, int64_t low, int64_t high, uint64_t key);

} // namespace nacre::test
