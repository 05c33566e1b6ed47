// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All kernels of a model, each once. Two groups share a kernel when skeleton, operators and the way operands are walked agree;
// extents never matter.
#pragma once

#include "dialects/Nacre/IR/Operator.h"
#include "dialects/Plan/IR/PlanOps.h"

#include "llvm/ADT/StringMap.h"

namespace nacre {

/// What a kernel is made of, in the values of the function it comes from.
struct KernelBody {
  std::string skeleton;
  int64_t outer = 0;                       ///< axes before the last one
  llvm::SmallVector<mlir::Operation *> ops; ///< in order; free operators are cloned as needed
  llvm::SmallVector<mlir::Value> inputs;    ///< becomes the block's arguments
  llvm::SmallVector<mlir::Value> outputs;
  llvm::SmallVector<std::string> access;    ///< one an input, then one an output: "f32:unit", "i32:row", "f32:strided", "position", "position:row", "number"
};

class KernelTable {
public:
  /// Kernels are added before `anchor`, inside its parent.
  explicit KernelTable(mlir::Operation *anchor) : anchor(anchor) {}

  /// The symbol of the kernel with this body.
  mlir::FlatSymbolRefAttr get(mlir::Location loc, const KernelBody &body);

private:
  std::string identity(const KernelBody &body);
  mlir::Operation *anchor;
  llvm::StringMap<mlir::FlatSymbolRefAttr> known;
  llvm::StringMap<int> counts;
};

} // namespace nacre
