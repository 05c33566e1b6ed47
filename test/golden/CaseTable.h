// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cases.txt: which program stands for a golden case. The format is described at the top of that file.
#pragma once

#include "test/golden/Safetensors.h"

#include <vector>

namespace nacre::test {

/// One `== OP ...` block.
struct CaseForm {
  std::string op;
  std::vector<std::pair<std::string, std::string>> conditions; ///< attribute and value; an empty value asks for any
  std::string pending;                                         ///< why its cases are not run; empty when they are
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

/// The program of a case: types, sizes and attributes in their places. Fails on a name that the case lacks.
llvm::Expected<std::string> programText(const CaseForm &form, const GoldenCase &golden);

/// The names of the functions that a program declares, in order.
std::vector<std::string> functionNames(llvm::StringRef program);

} // namespace nacre::test
