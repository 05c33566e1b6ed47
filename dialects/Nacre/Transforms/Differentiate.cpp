// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reverse mode: one walk from the results back to the sources, adding up cotangents.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Program.h"
#include "dialects/Nacre/Transforms/Demand.h"
#include "dialects/Nacre/Transforms/Transforms.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

using namespace nacre;
using namespace mlir;

/// Every value that depends on one of `sources`, within the block of `block`.
static DenseSet<Value> reachable(Block *block, ArrayRef<Value> sources) {
  DenseSet<Value> active(sources.begin(), sources.end());
  for (Operation &op : *block)
    if (llvm::any_of(op.getOperands(), [&](Value operand) { return active.contains(operand); }))
      active.insert(op.result_begin(), op.result_end());
  return active;
}

namespace {
/// Cotangents by value; adding a second contribution builds a sum.
class Cotangents {
public:
  Cotangents(OpBuilder &builder, const Demand &demand) : builder(builder), demand(demand) {}

  /// Adds `cotangent`, first summed down to the shape of `value`.
  void add(Value value, Value cotangent) {
    ImplicitLocOpBuilder b(value.getLoc(), builder);
    Formula reduced = sumTo(Formula(b, cotangent), dimsOf(value));
    Value &slot = sums[value];
    slot = slot ? (Formula(b, slot) + reduced).value : reduced.value;
  }
  /// Adds the cotangent that flows back through one use. What leaves the side of a choice counts only when that side was taken; within
  /// the side nothing is masked, so its backward is skipped as its forward is.
  void addThrough(OpOperand &use, Value cotangent) {
    Value value = use.get();
    add(value, masked(value, cotangent, demand.ofUse(use), demand.of(value)));
  }
  /// The cotangent of a source, which is asked for whatever is taken.
  Value ofSource(Value source) {
    Value sum = of(source);
    return sum ? masked(source, sum, demand.of(source), {}) : sum;
  }
  Value of(Value value) const { return sums.lookup(value); }

private:
  /// `cotangent` where all that `from` asks beyond `to` holds, else zero.
  Value masked(Value value, Value cotangent, const Guard &from, const Guard &to) {
    ImplicitLocOpBuilder b(value.getLoc(), builder);
    for (const Literal &literal : from) {
      if (llvm::is_contained(to, literal))
        continue;
      Value zero = broadcastTo(Formula(b, 0.0), dimsOf(cotangent)).value;
      cotangent = CondOp::create(b, literal.condition, literal.holds ? cotangent : zero, literal.holds ? zero : cotangent);
    }
    return cotangent;
  }

  OpBuilder &builder;
  const Demand &demand;
  DenseMap<Value, Value> sums;
};
} // namespace

static LogicalResult propagate(OpBuilder &builder, Operation &op, Cotangents &cotangents, const DenseSet<Value> &active) {
  SmallVector<Value> incoming;
  for (Value result : op.getResults())
    incoming.push_back(cotangents.of(result));
  bool isActive = llvm::any_of(op.getOperands(), [&](Value operand) { return active.contains(operand); });
  if (!isActive || llvm::none_of(incoming, [](Value value) { return bool(value); }))
    return success();
  auto differentiable = dyn_cast<Differentiable>(op);
  if (!differentiable) {
    // Discrete results (comparisons, positions) and `stop` end the flow; anything of f32 without a rule is an error unless pointwise.
    if (isa<Pointwise>(op))
      return success();
    return op.emitError() << op.getName().stripDialect() << " has no derivative; stop(x) keeps a gradient from reaching it";
  }
  SmallVector<Value> gradients;
  if (failed(differentiable.differentiate(builder, incoming, gradients)))
    return failure();
  for (auto [operand, gradient] : llvm::zip(op.getOpOperands(), gradients))
    if (gradient && active.contains(operand.get()) && plainType(operand.get()).getElementType().isF32())
      cotangents.addThrough(operand, gradient);
  return success();
}

FailureOr<SmallVector<Value>> nacre::differentiate(OpBuilder &builder, ArrayRef<Value> of, ArrayRef<Value> seeds, ArrayRef<Value> with) {
  Block *block = builder.getInsertionBlock();
  SmallVector<Operation *> forward;
  for (Operation &op : llvm::make_range(block->begin(), builder.getInsertionPoint()))
    forward.push_back(&op);
  DenseSet<Value> active = reachable(block, with);
  Demand demand(*block);
  Cotangents cotangents(builder, demand);
  for (auto [value, seed] : llvm::zip(of, seeds))
    cotangents.add(value, seed);
  for (Operation *op : llvm::reverse(forward))
    if (failed(propagate(builder, *op, cotangents, active)))
      return failure();
  SmallVector<Value> gradients;
  for (Value source : with) {
    Value gradient = cotangents.ofSource(source);
    if (!gradient) {
      ImplicitLocOpBuilder b(source.getLoc(), builder);
      gradient = broadcastTo(Formula(b, 0.0), dimsOf(source)).value;
    }
    gradients.push_back(gradient);
  }
  return gradients;
}

FailureOr<SmallVector<Value>> nacre::differentiate(OpBuilder &builder, Value of, ArrayRef<Value> with) {
  ImplicitLocOpBuilder b(of.getLoc(), builder);
  return differentiate(builder, {of}, {Formula(b, 1.0).value}, with);
}
