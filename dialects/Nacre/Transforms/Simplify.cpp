// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Small rewrites that the derivative rules leave behind.
#include "dialects/Nacre/IR/Operator.h"
#include "dialects/Nacre/Transforms/Transforms.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace nacre;
using namespace mlir;

/// Whether a view only repeats its operand along axes, as broadcasting would.
static bool isBroadcast(View view) {
  Dims from = dimsOf(view->getOperand(0)), to = dimsOf(view->getResult(0));
  FailureOr<Layout> seen = view.view(Layout::contiguous(from));
  if (failed(seen) || !seen->offset.isZero() || to.size() < from.size())
    return false;
  size_t lead = to.size() - from.size();
  Layout source = Layout::contiguous(from);
  for (size_t axis = 0; axis < to.size(); ++axis) {
    bool repeats = axis < lead || from[axis - lead].isOne();
    if (!repeats && (from[axis - lead] != to[axis] || seen->strides[axis] != source.strides[axis - lead]))
      return false;
    if (repeats && !to[axis].isOne() && !seen->strides[axis].isZero())
      return false;
  }
  return true;
}

/// Whether `op` means the same with another value for an operand: optimisers want whole shapes.
static bool accepts(Pointwise op, OpOperand &operand, Value value) {
  SmallVector<Value> operands(op->getOperands());
  operands[operand.getOperandNumber()] = value;
  SmallVector<Type> types;
  LogicalResult inferred = cast<InferTypeOpInterface>(op.getOperation())
                               .inferReturnTypes(op.getContext(), std::nullopt, operands, op->getAttrDictionary(),
                                                 op->getPropertiesStorage(), {}, types);
  return succeeded(inferred) && TypeRange(types) == op->getResultTypes();
}

namespace {

/// f(broadcast(x), y)  ->  f(x, y), where y alone already has the shape of the result. Bits do not change.
struct ForwardBroadcast final : OpInterfaceRewritePattern<Pointwise> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(Pointwise op, PatternRewriter &rewriter) const override {
    for (OpOperand &operand : op->getOpOperands()) {
      auto view = operand.get().getDefiningOp<View>();
      if (!view || !isBroadcast(view))
        continue;
      Dims shape = dimsOf(view->getOperand(0));
      for (OpOperand &other : op->getOpOperands())
        if (other.getOperandNumber() != operand.getOperandNumber())
          shape = broadcast(shape, dimsOf(other.get())).value_or(Dims());
      if (shape != dimsOf(op->getResult(0)) || !accepts(op, operand, view->getOperand(0)))
        continue;
      rewriter.modifyOpInPlace(op, [&] { operand.set(view->getOperand(0)); });
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no operand is a broadcast that another operand makes needless");
  }
};

} // namespace

LogicalResult nacre::simplify(Operation *root) {
  RewritePatternSet patterns(root->getContext());
  patterns.add<ForwardBroadcast>(root->getContext());
  return applyPatternsGreedily(root, std::move(patterns));
}
