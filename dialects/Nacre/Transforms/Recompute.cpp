// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/Transforms/Recompute.h"

#include "dialects/Nacre/IR/Operator.h"

#include "mlir/IR/IRMapping.h"

using namespace nacre;
using namespace mlir;

/// Whether another run of the operator gives the same bits from operands that are still there. Constants and parameters are there anyway.
static bool canRunAgain(Operation *op) {
  return isMemoryEffectFree(op) && op->getNumOperands() > 0 && isa<Pointwise, Reduction, View, Coordinate, Join, Skeleton>(op) &&
         llvm::all_of(op->getResultTypes(), [](Type type) { return isa<RankedTensorType>(type); });
}

Recomputation::Recomputation(func::FuncOp function, const llvm::StringMap<int64_t> &bounds)
    : block(function.getBody().front()), bounds(bounds) {
  int64_t position = 0;
  for (Operation &op : block)
    positions[&op] = position++;
  findCheap();
  findForward();
  for (Operation &op : block)
    if (std::optional<Candidate> candidate = candidateOf(&op))
      candidates.push_back(*candidate);
  llvm::stable_sort(candidates, [](const Candidate &a, const Candidate &b) {
    return a.isCheap != b.isCheap ? a.isCheap : a.saving > b.saving;
  });
  keepSources();
}

/// The candidates among `ends` that an operator is computed from, through everything that is none of them.
static void findSources(Operation *op, const llvm::DenseSet<Operation *> &ends, llvm::DenseSet<Operation *> &seen,
                        SmallVectorImpl<Operation *> &sources) {
  for (Value operand : op->getOperands()) {
    Operation *source = operand.getDefiningOp();
    if (!source || !seen.insert(source).second)
      continue;
    if (ends.contains(source))
      sources.push_back(source);
    else
      findSources(source, ends, seen, sources);
  }
}

/// Drops candidates that are not cheap and on which, or from which, one that saves more is computed: a chain of them would be run again
/// from its begin, and kept whole.
void Recomputation::keepSources() {
  llvm::DenseSet<Operation *> costly, taken, needed;
  for (const Candidate &candidate : candidates)
    if (!candidate.isCheap)
      costly.insert(candidate.op);
  llvm::erase_if(candidates, [&](const Candidate &candidate) {
    if (candidate.isCheap)
      return false;
    llvm::DenseSet<Operation *> seen;
    SmallVector<Operation *> sources;
    findSources(candidate.op, costly, seen, sources);
    if (needed.contains(candidate.op) || llvm::any_of(sources, [&](Operation *source) { return taken.contains(source); }))
      return true;
    taken.insert(candidate.op);
    needed.insert(sources.begin(), sources.end());
    return false;
  });
}

void Recomputation::findCheap() {
  for (Operation &op : block) {
    bool endsKernel = llvm::any_of(op.getOperands(), [&](Value operand) {
      Operation *source = operand.getDefiningOp();
      return source && !cheap.contains(source) && operand.hasOneUse();
    });
    if (!isa<Skeleton>(op) && !(endsKernel && isa<Pointwise>(op)))
      cheap.insert(&op);
  }
}

/// What the first result is computed from: in a training step, the forward.
void Recomputation::findForward() {
  SmallVector<Value> pending(block.getTerminator()->getOperands().take_front(1));
  while (!pending.empty())
    if (Operation *op = pending.pop_back_val().getDefiningOp(); op && forward.insert(op).second)
      llvm::append_range(pending, op->getOperands());
}

/// A value of the forward that the backward reads too.
std::optional<Recomputation::Candidate> Recomputation::candidateOf(Operation *op) const {
  // A view holds no memory of its own.
  if (!forward.contains(op) || !canRunAgain(op) || isa<View, Coordinate>(op))
    return std::nullopt;
  int64_t rest = positions.lookup(op), last = rest;
  SmallVector<Operation *> pending = {op};
  while (!pending.empty())
    for (Operation *user : pending.pop_back_val()->getUsers()) {
      if (user->getNumResults() == 0) // returned or assigned: stored anyway
        return std::nullopt;
      if (isa<View>(user)) // readers of its views read it
        pending.push_back(user);
      int64_t &read = forward.contains(user) ? rest : last;
      read = std::max(read, positions.lookup(user));
    }
  if (last <= rest)
    return std::nullopt;
  double elements = 0;
  for (Value result : op->getResults())
    elements += double(product(dimsOf(result)).evaluate(bounds).value_or(0));
  return Candidate{op, rest, elements * double(last - rest), cheap.contains(op)};
}

/// Whether somebody reads a value at `position` or later, in place of whom nothing is computed again.
bool Recomputation::isAlive(Value value, int64_t position) const {
  if (isa<BlockArgument>(value))
    return true;
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    auto found = positions.find(user);
    return found != positions.end() && (found->second >= position || (isa<View>(user) && isAlive(user->getResult(0), position)));
  });
}

/// Takes an operator for readers behind `rest`, and what comes before it in its kernel or is cheap and would have to be kept for it alone.
void Recomputation::choose(Operation *op, int64_t rest) {
  if (!chosen.try_emplace(op, rest).second)
    return;
  for (Value operand : op->getOperands()) {
    Operation *source = operand.getDefiningOp();
    bool isSmall = source && product(dimsOf(operand)).evaluate(bounds).value_or(0) < 2;
    if (source && !isSmall && canRunAgain(source) && (cheap.contains(source) || operand.hasOneUse()) && !isAlive(operand, rest + 1))
      choose(source, rest);
  }
}

/// The value computed again, before the first reader that wants it.
Value Recomputation::recomputed(OpResult value, Operation *reader) {
  Operation *op = value.getOwner();
  auto found = chosen.find(op);
  bool isView = isa<View>(op) && isa_and_nonnull<OpResult>(op->getOperand(0));
  bool isLate = found != chosen.end() && positions.lookup(reader) > found->second;
  if (!isLate && !isView)
    return value;
  if (Operation *clone = clones.lookup(op))
    return clone->getResult(value.getResultNumber());
  IRMapping mapping;
  bool isNew = isLate;
  for (Value operand : op->getOperands())
    if (auto result = dyn_cast<OpResult>(operand)) {
      mapping.map(operand, recomputed(result, reader));
      isNew |= mapping.lookup(operand) != operand;
    }
  if (!isNew)
    return value;
  OpBuilder builder(reader);
  clones[op] = builder.clone(*op, mapping);
  clones[op]->setAttr(kLate, builder.getUnitAttr());
  return clones[op]->getResult(value.getResultNumber());
}

void Recomputation::apply(int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    choose(candidates[i].op, candidates[i].rest);
  SmallVector<Operation *> readers;
  for (Operation &op : block)
    readers.push_back(&op);
  for (Operation *op : readers)
    if (count > 0 && !forward.contains(op) && isMemoryEffectFree(op) && op->getNumOperands() > 0)
      op->setAttr(kLate, UnitAttr::get(op->getContext()));
  for (Operation *reader : readers) {
    if (isa<View>(reader)) // its own readers ask for what lies below it
      continue;
    for (OpOperand &operand : reader->getOpOperands())
      if (auto result = dyn_cast<OpResult>(operand.get()))
        operand.set(recomputed(result, reader));
  }
}
