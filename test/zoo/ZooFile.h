// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the head of a program of the zoo says: the system, its source, its formula, and the checks. README.md has the form.
#pragma once

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace nacre::test {

/// What an input of any entry point by this name is made of. Without one: standard normal numbers.
struct ZooInput {
  bool isInteger = false; ///< integers in [low, high), else uniform numbers
  double low = 0, high = 1;
};

/// `NAME <= BOUND` or `NAME >= BOUND`: what every number that the entry point `function` returns must be.
struct ZooCheck {
  std::string function;
  bool isUpper = true; ///< <=
  double bound = 0;
  int64_t steps = 0; ///< of training before; 0: as initialised, and by the reference as well
  int64_t calls = 0; ///< one after the other, each with other inputs; 0: one, or one for every choice of a run-time width
  std::string text;  ///< as it stands in the file

  /// False for what is not a number.
  bool holds(double value) const { return isUpper ? value <= bound : value >= bound; }
};

struct ZooFile {
  std::string name, program;                   ///< the file's stem and its text
  std::string title, paper, formula, checked;  ///< on one line each
  llvm::StringMap<ZooInput> inputs;
  llvm::StringMap<int64_t> sizes; ///< of dims
  std::vector<ZooCheck> checks;
};

/// Fails, naming the line, on a head that lacks a part, or a directive that is malformed.
llvm::Expected<ZooFile> readZooFile(const std::string &path);
/// All programs of a folder by name.
std::vector<std::string> zooFiles(llvm::StringRef folder);

} // namespace nacre::test
