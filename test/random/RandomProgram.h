// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program as the generator makes it and the shrinker takes it apart: inputs, one step after the other, a result.
#pragma once

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace nacre::test {

/// Dims at one call.
using DimSizes = std::map<std::string, int64_t>;

/// The values of an i32 input: in [low, high + the size `below`); `below` is a polynomial of dims, or empty.
struct IntegerRange {
  int64_t low = 0, high = 2;
  std::string below;
};

/// How a function is called to be checked.
struct Calls {
  std::string function;
  std::vector<DimSizes> sizes;
  uint64_t key = 0; ///< of the inputs' values
  std::map<std::string, IntegerRange> integers;
  bool isFused = true;       ///< compiled as any program is; else every operator has a kernel of its own
  bool hasSurrogate = false; ///< its gradient is not the derivative of what it computes, as it says itself
};

struct ProgramInput {
  std::string name, type;
};

/// `name` becomes what `form` says: "$r" stands for the name, "$0", "$1" ... for operands.
struct ProgramStep {
  std::string name, op, form;
  std::vector<std::string> operands;
  std::string type; ///< as an input of the language would be declared; empty: no input has it
};

/// Steps [first, last] are the body of a function of their own, which is called in their place, `times` times one after the other.
struct Outlined {
  int first = 0, last = -1, times = 1;
};

struct RandomProgram {
  Calls calls;
  std::vector<ProgramInput> inputs;
  std::vector<ProgramStep> steps;
  std::string result;
  Outlined outlined;

  /// Its functions, without dims.
  std::string text() const;
  /// A file that `readCalls` and the frontend understand.
  std::string file(llvm::StringRef note) const;
  /// Drops what the result does not need.
  void prune();
};

/// The dims that programs use, with their bounds, as the head of a file.
std::string dimDeclarations();

/// What the head of a kept program says about its calls; the function is the one that has typed inputs. False when it is malformed.
bool readCalls(llvm::StringRef text, Calls &calls);

} // namespace nacre::test
