// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which part of every parameter one width of a function depends on, found by the derivative: what has none is not needed.
#pragma once

#include "compiler/Artifact/Model.h"

#include "mlir/IR/BuiltinOps.h"

#include <map>

namespace nacre {

/// By the name of the parameter: how many leading entries of each axis matter.
using Extents = std::map<std::string, std::vector<int64_t>>;

/// Probes one function of a model, in f64, at small sizes and random values.
class WidthProbe {
public:
  /// `module` as the frontend left it; kept and not changed. Fails with a diagnostic when the function has no derivative.
  static mlir::FailureOr<WidthProbe> create(mlir::ModuleOp module, llvm::StringRef function);

  /// Why `width` cannot be asked for; empty when it can: by a run-time width that may take it, as a member of a nested result, or as a
  /// prefix of the result's last axis.
  std::string problem(int64_t width) const;
  /// What the function needs at a width, or with 0 for everything that it returns. Requires no problem.
  mlir::FailureOr<Extents> extents(int64_t width) const;

private:
  WidthProbe() = default;
  /// The run-time width that takes `width`: the one named `width`, or the only one that has it; -1 for none.
  int chosenInput(int64_t width) const;

  mutable mlir::OwningOpRef<mlir::ModuleOp> module; ///< with the gradient function; mutable for MLIR gives no read-only access
  ModelDescription model;
  FunctionDescription function;
};

} // namespace nacre
