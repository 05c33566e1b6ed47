// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The one table of operators under test: how each is called, on which shapes, with which values. A row here is checked as a formula
// (reference against definition), as a derivative (against finite differences) and as compiled code.
#pragma once

#include "dialects/Nacre/Reference/Array.h"

#include <ostream>
#include <string>
#include <vector>

namespace nacre::test {

/// The values of an input: in [low, high), or in [low, high + the dim `below`) for i32 inputs that depend on a size.
struct ValueRange {
  const char *input;
  double low, high;
  const char *below = "";
};

enum Trait : unsigned {
  None = 0,
  Discrete = 1,    ///< has no derivative: finite differences say nothing about it
  ForwardOnly = 2, ///< the derivative of this form is not available yet
};

struct OperatorRow {
  const char *name;
  const char *inputs;     ///< as in a program: "x: f32[B, N], y: i32[B]"
  const char *expression; ///< or several statements, the last one `return`
  std::vector<ValueRange> ranges = {};
  unsigned traits = None;
  const char *surrogate = ""; ///< straight-through: the expression whose derivative stands for that of `expression`
};

const std::vector<OperatorRow> &operatorTable();

/// Sizes of the dims B, T, S, N, K and M.
struct Sizes {
  int64_t B, T, S, N, K, M;
  std::vector<std::pair<std::string, int64_t>> named() const { return {{"B", B}, {"T", T}, {"S", S}, {"N", N}, {"K", K}, {"M", M}}; }
};

/// For finite differences.
inline constexpr Sizes kTinySizes = {2, 3, 3, 5, 4, 3};
/// For threads: at least three tasks a thread where the operator has that many.
inline constexpr Sizes kWideSizes = {67, 61, 58, 131, 70, 97};
/// For compiled code: 1, primes, one below and above each vector and tile, an empty batch.
const std::vector<Sizes> &oddSizes();

/// Not the row's name alone, which is often a builtin's.
std::string functionName(const OperatorRow &row);
/// The function of which finite differences are taken.
std::string differencedName(const OperatorRow &row);
/// What GoogleTest shows of a row.
inline void PrintTo(const OperatorRow &row, std::ostream *out) { *out << row.expression; }
/// All rows as one program.
std::string tableProgram();

} // namespace nacre::test
