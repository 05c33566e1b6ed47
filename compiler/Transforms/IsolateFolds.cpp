// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Transforms/IsolateFolds.h"

#include "compiler/Transforms/Groups.h"
#include "dialects/Nacre/Transforms/Transforms.h"
#include "dialects/Plan/IR/Unfused.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace nacre;
using namespace mlir;

namespace {

/// The product that a fold takes up and the element-wise operators between, operands before users.
class Chain {
public:
  explicit Chain(Value rows) : space(dimsOf(rows)) { isMade = make(rows); }

  /// Whether there is one product, nothing but element-wise work on f32 follows it, and all else is smaller than it.
  bool canBeFolded() const { return isMade && products == 1; }

  void cloneBefore(Operation *fold) const {
    OpBuilder builder(fold);
    IRMapping map;
    for (Operation *op : ops)
      builder.clone(*op, map);
    fold->setOperand(0, map.lookup(fold->getOperand(0)));
  }

private:
  bool make(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || dimsOf(value) != space || !plainType(value).getElementType().isF32())
      return false;
    if (ops.contains(op))
      return true;
    if (auto product = dyn_cast<Contraction>(op)) {
      products += ops.insert(op);
      return product.checkpoints().empty();
    }
    if (!isa<Pointwise>(op) || op->getNumResults() != 1)
      return false;
    bool some = false;
    for (Value operand : op->getOperands()) {
      if (make(operand))
        some = true;
      else if (dimsOf(operand) == space && (!isFree(operand) || arePositionsOf(space, operand)))
        return false; // it would be stored
    }
    if (some)
      ops.insert(op);
    return some;
  }

  Dims space;
  llvm::SetVector<Operation *> ops;
  int64_t products = 0;
  bool isMade = false;
};

} // namespace

LogicalResult nacre::isolateFolds(func::FuncOp function) {
  SmallVector<Composite> folds;
  function.walk([&](Composite op) {
    if (isa<RowFold>(op.getOperation()))
      folds.push_back(op);
  });
  for (Composite fold : folds) {
    Chain chain(fold->getOperand(0));
    if (!function->hasAttr(plan::kUnfused) && chain.canBeFolded() && cast<RowFold>(fold.getOperation()).foldedEntries()) {
      chain.cloneBefore(fold);
      continue;
    }
    OpBuilder builder(fold);
    SmallVector<Value> results;
    if (failed(fold.decompose(builder, results)))
      return failure();
    fold->replaceAllUsesWith(results);
    fold->erase();
  }
  if (folds.empty())
    return success();
  if (failed(decompose(function, /*keepDifferentiable=*/false)))
    return failure();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  return success();
}
