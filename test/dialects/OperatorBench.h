// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table's program at every stage, made once for the whole test binary: parsing and compiling are what costs time.
#pragma once

#include "test/dialects/OperatorTable.h"
#include "test/harness/CompiledProgram.h"
#include "test/harness/TestProgram.h"

namespace nacre::test {

class OperatorBench {
public:
  /// The bench; `problem` is not empty when a stage could not be made, and stages may then be missing.
  static OperatorBench &get();

  /// Makes `compiled`, once: the whole table as one library. To be called before it is used.
  void compile();

  std::string problem;
  std::unique_ptr<TestProgram> program;
  mlir::OwningOpRef<mlir::ModuleOp> primitive, differentiated;
  std::unique_ptr<CompiledProgram> compiled;

  /// Random inputs of a function at given sizes.
  std::vector<Array> inputs(const OperatorRow &row, const Sizes &sizes);
  /// Random cotangents for results of these shapes, to follow the inputs of a gradient function.
  static std::vector<Array> cotangents(llvm::ArrayRef<Array> results);
  bool hasGradient(const OperatorRow &row);

private:
  OperatorBench();
};

} // namespace nacre::test
