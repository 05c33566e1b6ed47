// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A launch taken out of its program: every view becomes a pointer argument with the view's sizes and strides, views of the same elements
// share one, dims that they mention become extents.
#pragma once

#include "compiler/Artifact/KernelExport.h"
#include "compiler/Artifact/Model.h"
#include "dialects/Plan/IR/PlanOps.h"

#include "llvm/ADT/StringSet.h"

namespace nacre {

class CarvedLaunch {
public:
  /// `model` and `function` (of the launch's program) are borrowed.
  CarvedLaunch(plan::LaunchOp launch, const ModelDescription &model, const FunctionDescription &function);

  /// Extents, arguments and formula.
  void describe(KernelExport &exported);
  /// A program of this launch alone; its buffers are inputs (only read) and outputs, each counted from 0.
  plan::ProgramOp build(mlir::OpBuilder &builder, llvm::StringRef name);
  /// Arguments that are only read; they come first.
  int64_t readOnly() const;

private:
  /// What stands behind a pointer argument.
  struct Operand {
    KernelArgument argument;
    plan::BufferOp buffer;
    Dim offset;
    bool isSame(const Operand &other) const;
  };

  void collect();
  void sortReadOnlyFirst();
  int64_t add(const Operand &operand);
  void collectDims();
  void nameArguments();
  void noteIndices();
  plan::ViewAttr viewAt(size_t i) { return mlir::cast<plan::ViewAttr>(launch.getViews()[i]); }
  size_t reads() { return operandOf.size() - launch.getWrites(); }
  std::string viewName(size_t i);
  std::vector<std::string> inputNames();

  plan::LaunchOp launch;
  plan::KernelOp kernel;
  const ModelDescription &model;
  const FunctionDescription &function;
  std::vector<Operand> operands;  // those that are only read come first
  std::vector<int64_t> operandOf; // of each view; -1: a value made from its place
  std::vector<KernelExtent> extents;
};

} // namespace nacre
