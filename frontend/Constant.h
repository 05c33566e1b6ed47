// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic on what is known at compile time: integers (checked for overflow), reals, sizes, truth values.
#pragma once

#include "frontend/Ast.h"
#include "frontend/Meaning.h"

namespace nacre {

/// The value, or the sentence of an error.
struct Folded {
  std::optional<Meaning> meaning;
  std::string error;
};

/// Requires two constants (numbers, sizes, truth values, strings or lists of them). Integers divide exactly or become real.
Folded foldBinary(BinaryOp op, const Meaning &left, const Meaning &right);
/// Requires a number or a size.
Folded foldNegate(const Meaning &operand);
/// Whether a meaning can take part in compile-time arithmetic.
bool isConstant(const Meaning &meaning);

} // namespace nacre
