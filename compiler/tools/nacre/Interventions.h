// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --tap on the command line: what a call does to values in the middle of a function.
//
//   NAME=read:FILE       NAME=set:OPERAND     NAME=add:OPERAND   NAME=scale:OPERAND   NAME=mask:OPERAND
//   NAME=clamp:LO:HI     NAME=ablate          NAME=patch:FILE    (set to 0; set to a file's array)
//   NAME[:,7]=...        only the entries with index 7 on axis 1
//
// An OPERAND is a number or an array file. Actions at one tap are done in the order of the command line.
#pragma once

#include "compiler/tools/nacre/Array.h"
#include "compiler/tools/nacre/LoadedModel.h"

#include <deque>
#include <optional>

namespace nacre::tool {

class Interventions {
public:
  /// Reads the words of --tap for one function at known dims. Errors name the word and what would fit. A call that is one part of the
  /// rows gives the dim of the rows: then each action must do to a row what it would do without the others.
  static llvm::Expected<Interventions> parse(const LoadedModel &model, const nacre_function &function, llvm::ArrayRef<llvm::StringRef> words,
                                             llvm::ArrayRef<int64_t> dims, std::optional<int32_t> rowDim = std::nullopt);
  llvm::ArrayRef<nacre_intervention> list() const { return items; }
  /// Adds the rows that the next part of the same call has read.
  void appendRead(const Interventions &next);
  /// Writes the arrays that were read to their files.
  llvm::Error writeRead() const;

private:
  struct Reading {
    std::string path, tap;
    Array *array;
  };
  std::deque<Array> operands; ///< stay where they are: `items` point into them
  std::vector<nacre_intervention> items;
  std::vector<Reading> readings;

  friend class InterventionParser;
};

} // namespace nacre::tool
