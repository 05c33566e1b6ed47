// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How operators are drawn: which operands fit and which attributes are tried. Result types are the dialect's own inference.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace nacre::test {

/// The text of an operand is `[?][name=]kinds[shape][flag]`:
///   ?      present in half of the draws
///   kinds  f dense f32, n nested, s sparse, b bool, i<size>: i32 in [0, size), i<=size>: in [0, size], c<size>: codes below size
///   shape  letters bind to sizes, the same letter to the same size; an upper-case letter to a static size; `..` to any number of axes;
///          `[=]` is the shape of operand 0, `[~]` one that broadcasts to it
///   flag   + kept above 0.3, ~ kept in [-1, 1]
struct OperandForm {
  std::string name; ///< empty: by place
  bool isOptional = false;
  std::string kinds;
  std::string below;      ///< of i and c: a letter or a number
  bool isInclusive = false;
  std::string shape;      ///< "=", "~", or letters with at most one '.' for the dots
  char flag = 0;
};

enum FormTrait : unsigned {
  Plain = 0,
  Surrogate = 1, ///< the gradient is not the derivative, by its own description
};

/// `attributes` are separated by blanks, each `[?]name=draw`:
///   1..3 an integer, a|b|c one of, axis of operand 0, widths:A increasing up to A, ladder:A increasing and ending in A, upto:a in
///   [1, min(a, 4)], size:A, divisor:A, order a permutation of the axes
struct OperatorForm {
  const char *op;
  const char *operands;
  const char *attributes = "";
  unsigned traits = Plain;
  const char *statement = ""; ///< no operator but this, see ProgramStep::form; the result has the type of operand 0
};

llvm::ArrayRef<OperatorForm> operatorForms();
std::vector<OperandForm> operandForms(const OperatorForm &form);

} // namespace nacre::test
