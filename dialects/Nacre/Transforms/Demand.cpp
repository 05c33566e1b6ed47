// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One walk from the results back to the inputs.
#include "dialects/Nacre/Transforms/Demand.h"

#include "dialects/Nacre/IR/Ops/Program.h"

#include "llvm/ADT/SetVector.h"

using namespace nacre;
using namespace mlir;

static const Guard kAlways;

const Guard &Demand::of(Operation *op) const {
  auto found = guards.find(op);
  return found == guards.end() ? kAlways : found->second;
}

const Guard &Demand::of(Value value) const {
  Operation *op = value.getDefiningOp();
  return op ? of(op) : kAlways;
}

Guard Demand::ofUse(OpOperand &use) const {
  Guard guard = of(use.getOwner());
  auto choice = dyn_cast<CondOp>(use.getOwner());
  if (!choice || use.getOperandNumber() == 0)
    return guard;
  Literal literal = {choice.getCondition(), use.getOperandNumber() == 1};
  if (!llvm::is_contained(guard, literal))
    guard.push_back(literal);
  return guard;
}

void Demand::need(Operation *op, const Guard &wanted) {
  // A condition that is known only after the operator cannot keep it from running.
  Guard guard = wanted;
  llvm::erase_if(guard, [&](const Literal &literal) {
    Operation *known = literal.condition.getDefiningOp();
    return known && !known->isBeforeInBlock(op);
  });
  auto [found, isNew] = guards.try_emplace(op, guard);
  if (!isNew)
    llvm::erase_if(found->second, [&](const Literal &literal) { return !llvm::is_contained(guard, literal); });
}

Demand::Demand(Block &block) {
  for (Operation &op : llvm::reverse(block)) {
    bool isRead = llvm::any_of(op.getUsers(), [&](Operation *user) { return guards.contains(user); });
    if (!isRead) {
      if (isMemoryEffectFree(&op) && !op.hasTrait<OpTrait::IsTerminator>())
        continue;
      guards[&op] = kAlways;
    }
    for (OpOperand &operand : op.getOpOperands())
      if (Operation *producer = operand.get().getDefiningOp())
        need(producer, ofUse(operand));
  }
}

void nacre::hoistConditions(Block &block) {
  llvm::SetVector<Operation *> slice;
  SmallVector<Operation *> pending;
  for (auto choice : block.getOps<CondOp>())
    if (Operation *op = choice.getCondition().getDefiningOp())
      pending.push_back(op);
  while (!pending.empty()) {
    Operation *op = pending.pop_back_val();
    if (!slice.insert(op))
      continue;
    for (Value operand : op->getOperands())
      if (Operation *producer = operand.getDefiningOp())
        pending.push_back(producer);
  }
  Operation *last = nullptr;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (!slice.contains(&op))
      continue;
    last ? op.moveAfter(last) : op.moveBefore(&block, block.begin());
    last = &op;
  }
}
