// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cases.txt: which program stands for a golden case. The format is described at the top of that file.
#pragma once

#include "test/golden/Safetensors.h"

#include <vector>

namespace nacre::test {

/// `KEY`: the case has that tensor (in.x) or that attribute, which is not false; `KEY=VALUE`: the attribute is that, as it is written in
/// a program; `KEY~VALUE`: it contains that; each with `!` before it: not so. A value with other signs than those of a word is in quotes.
struct CaseCondition {
  bool negated = false;
  std::string key, value;
  char relation = 0; ///< '=', '~' or none

  /// Reads one from the front of `text`; the key is empty when there is none.
  static CaseCondition take(llvm::StringRef &text);
  bool holds(const GoldenCase &golden) const;
};

/// One `== OP ...` block.
struct CaseForm {
  std::vector<std::string> ops;
  std::vector<CaseCondition> conditions;
  std::string pending; ///< why its cases are not run; empty when they are
  bool forwardOnly = false, isTraining = false, hasStates = false;
  std::string text;
};

class CaseTable {
public:
  static llvm::Expected<CaseTable> read(llvm::StringRef path);
  /// The first form that fits, or null.
  const CaseForm *find(const GoldenCase &golden) const;

private:
  std::vector<CaseForm> forms;
};

/// Letters, digits, `_` and the points of paths.
bool isWordPart(char c);

/// The attribute `a`, the entry `a.b` of an object, or the element `a.2` of a list; null when there is none or it is null.
const llvm::json::Value *attributeAt(const llvm::json::Object &attributes, llvm::StringRef path);
/// The same as it is written in a program.
std::optional<std::string> attributeText(const GoldenCase &golden, llvm::StringRef path);

/// The program of a case: types, sizes and attributes in their places. Fails on a name that the case lacks.
llvm::Expected<std::string> programText(const CaseForm &form, const GoldenCase &golden);

/// The names of the functions that a program declares, in order.
std::vector<std::string> functionNames(llvm::StringRef program);

} // namespace nacre::test
