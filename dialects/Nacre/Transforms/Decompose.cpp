// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Operator.h"
#include "dialects/Nacre/IR/Traits.h"
#include "dialects/Nacre/Transforms/Transforms.h"

using namespace nacre;
using namespace mlir;

/// A composite with a derivative of its own stays until that was used; on nested operands most go at once, so that their parts can work
/// on all widths together.
static bool stays(Composite op) {
  bool apart = op->hasTrait<WidthByWidth>();
  return isa<Differentiable>(op.getOperation()) && llvm::none_of(op->getOperandTypes(), [&](Type type) {
           return isa<SparseType, CodeType>(type) || (isa<NestedType>(type) && !apart);
         });
}

LogicalResult nacre::decompose(Operation *root, bool keepDifferentiable) {
  while (true) {
    SmallVector<Composite> pending;
    root->walk([&](Composite op) {
      // A fold of rows waits for kernel formation: a product may carry it.
      if (!isa<RowFold>(op.getOperation()) && (!keepDifferentiable || !stays(op)))
        pending.push_back(op);
    });
    if (pending.empty())
      return success();
    for (Composite op : pending) {
      OpBuilder builder(op);
      SmallVector<Value> results;
      if (failed(op.decompose(builder, results)))
        return failure();
      op->replaceAllUsesWith(results);
      op->erase();
    }
  }
}
