// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Transforms/Groups.h"

#include "dialects/Nacre/IR/Ops/Program.h"
#include "dialects/Nacre/Transforms/Recompute.h"
#include "dialects/Plan/IR/Unfused.h"

#include "llvm/ADT/DenseMap.h"

using namespace nacre;
using namespace mlir;

bool nacre::isFree(Value value) {
  Operation *op = value.getDefiningOp();
  return op && isFree(op);
}

bool nacre::isFree(Operation *op) {
  if (op->getNumResults() != 1 || isa<ReadOp>(op))
    return false;
  if (op->getNumOperands() == 0)
    return true;
  auto isUniform = [](Value operand) {
    auto coordinate = operand.getDefiningOp<Coordinate>();
    return isFree(operand) && (!coordinate || coordinate.isNumber());
  };
  return isa<Pointwise, View>(op) && llvm::all_of(op->getOperands(), isUniform);
}

Value nacre::storageRoot(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<View>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

/// The last axis that has more than one element; 0 for a scalar.
static int64_t lastLongAxis(ArrayRef<Dim> dims) {
  int64_t axis = int64_t(dims.size()) - 1;
  while (axis > 0 && dims[axis].isOne())
    --axis;
  return std::max<int64_t>(axis, 0);
}

static bool isRowReduction(Reduction op) {
  Dims dims = dimsOf(op->getOperand(0));
  return op.reducedAxis() == int64_t(dims.size()) - 1 || op.reducedAxis() == lastLongAxis(dims);
}

static Dims rowsOf(ArrayRef<Dim> space) {
  Dims rows(space.begin(), space.end());
  if (!rows.empty())
    rows.back() = Dim::constant(1);
  return rows;
}

/// Entries that a folded row may keep: the states of a block of rows must fit a core's L2 (128 rows of 8 * 2 * 256 bytes are half a MiB).
static constexpr int64_t kMostFoldedEntries = 256;

namespace {

class Former {
public:
  Former(const Demand &demand, bool fuses) : demand(demand), fuses(fuses) {}
  FailureOr<std::vector<Group>> run(func::FuncOp function);

private:
  LogicalResult place(Operation *op);
  void start(GroupKind kind, Operation *op, ArrayRef<Dim> space);
  void join(size_t group, Operation *op);
  bool canJoinRows(const Group &group, Operation *op) const;
  bool canJoinEpilogue(const Group &group, Operation *op) const;
  bool canFold(const Group &group, Operation *op) const;
  bool canUpdateIn(size_t group, Operation *op) const;
  /// Takes the view between a segmented heart and `op` into the heart's group when `op` can then join; -1 otherwise.
  int64_t joinThroughView(Operation *op);
  /// The latest group that produces an operand directly; -1 when there is none, or when a later or equal one feeds it through a view.
  int64_t latestProducer(Operation *op) const;

  const Demand &demand;
  const bool fuses;
  std::vector<Group> groups;
  DenseMap<Value, size_t> groupOf;
};

} // namespace

void Former::start(GroupKind kind, Operation *op, ArrayRef<Dim> space) {
  groups.push_back({kind, Dims(space.begin(), space.end()), {}, demand.of(op)});
  join(groups.size() - 1, op);
}

void Former::join(size_t group, Operation *op) {
  groups[group].ops.push_back(op);
  for (Value result : op->getResults())
    groupOf[result] = group;
}

int64_t Former::latestProducer(Operation *op) const {
  if (!fuses)
    return -1;
  int64_t direct = -1, through = -1;
  for (Value operand : op->getOperands()) {
    Value root = storageRoot(operand);
    auto found = groupOf.find(root);
    if (found == groupOf.end())
      continue;
    int64_t &latest = root == operand ? direct : through;
    latest = std::max(latest, int64_t(found->second));
  }
  return direct > through ? direct : -1;
}

/// The shape that decides an operator's place: what it walks over.
static Dims walkedShape(Operation *op) { return dimsOf(isa<Reduction>(op) ? op->getOperand(0) : op->getResult(0)); }

bool Former::canJoinRows(const Group &group, Operation *op) const {
  if (group.kind != GroupKind::Rows)
    return false;
  Dims shape = walkedShape(op);
  if (shape == group.space)
    return true;
  if (isa<Reduction>(op) || shape.size() != group.space.size())
    return false;
  if (shape == rowsOf(group.space))
    return true;
  // A group of row values may widen to full rows while nothing in it was reduced.
  bool onlyRows = rowsOf(shape) == group.space && llvm::none_of(group.ops, [](Operation *member) { return isa<Reduction>(member); });
  return onlyRows;
}

bool nacre::arePositionsOf(ArrayRef<Dim> tile, Value value) {
  auto coordinate = value.getDefiningOp<Coordinate>();
  return coordinate && !coordinate.isNumber() && dimsOf(value) == tile;
}

bool Former::canJoinEpilogue(const Group &group, Operation *op) const {
  if (group.kind != GroupKind::Skeleton || !cast<Skeleton>(group.ops.front()).acceptsEpilogue() || !isa<Pointwise>(op))
    return false;
  if (isa<RowFold>(group.ops.back()))
    return false; // what it folded is gone
  for (Value result : op->getResults())
    if (dimsOf(result) != group.space || !plainType(result).getElementType().isF32())
      return false;
  auto contraction = dyn_cast<Contraction>(group.ops.front());
  bool checkpoints = contraction && !contraction.checkpoints().empty();
  for (Value operand : op->getOperands()) {
    if (auto found = groupOf.find(operand); found != groupOf.end() && &groups[found->second] == &group)
      continue;
    if (isFree(operand)) {
      if (arePositionsOf(group.space, operand))
        return false;
      continue;
    }
    if (plainType(operand).getElementType().isInteger(1))
      return false;
    // Operands that differ from checkpoint to checkpoint cannot be read by one tile.
    Dims dims = dimsOf(operand);
    if (checkpoints && dims.size() == group.space.size() && !dims[0].isOne())
      return false;
  }
  return true;
}

/// A fold of a product's rows takes its tiles up when nobody else wants the product, or anything made of it on the way.
bool Former::canFold(const Group &group, Operation *op) const {
  auto fold = dyn_cast<RowFold>(op);
  auto contraction = group.kind == GroupKind::Skeleton ? dyn_cast<Contraction>(group.ops.front()) : Contraction();
  if (!fold || !contraction || !contraction.checkpoints().empty() || isa<RowFold>(group.ops.back()))
    return false;
  if (fold.foldedEntries().value_or(kMostFoldedEntries + 1) > kMostFoldedEntries)
    return false;
  return llvm::all_of(group.ops, [&](Operation *member) {
    return llvm::all_of(member->getUsers(), [&](Operation *user) { return user == op || llvm::is_contained(group.ops, user); });
  });
}

/// What a parameter becomes is written in place, so it must be written after everything that reads it: an update joins earlier work only
/// as the epilogue of its gradient, when all other readers run before that or are element-wise work of the same epilogue.
bool Former::canUpdateIn(size_t group, Operation *op) const {
  auto isDone = [&](Operation *user) {
    if (user == op)
      return true;
    auto found = user->getNumResults() ? groupOf.find(user->getResult(0)) : groupOf.end();
    if (found == groupOf.end())
      return false;
    return found->second < group || (found->second == group && isa<Pointwise>(user));
  };
  std::function<bool(Value)> isRead = [&](Value value) {
    return llvm::all_of(value.getUsers(), [&](Operation *user) { return isa<View>(user) ? isRead(user->getResult(0)) : isDone(user); });
  };
  for (Operation *user : op->getUsers()) {
    auto assign = dyn_cast<AssignOp>(user);
    if (!assign)
      continue;
    if (groups[group].kind != GroupKind::Skeleton)
      return false;
    for (ReadOp read : op->getParentOfType<func::FuncOp>().getOps<ReadOp>())
      if (read.getParameterAttr() == assign.getParameterAttr() && !isRead(read.getResult()))
        return false;
  }
  return true;
}

/// Whether a view exchanges the axes of a matrix.
static bool isTransposition(Value value) {
  auto view = value.getDefiningOp<View>();
  Dims dims = view ? dimsOf(view->getOperand(0)) : Dims();
  if (dims.size() != 2 || dimsOf(value) != Dims{dims[1], dims[0]})
    return false;
  FailureOr<Layout> layout = view.view(Layout::contiguous(dims));
  return succeeded(layout) && layout->offset.isZero() && layout->strides == Dims{Dim::constant(1), dims[1]};
}

int64_t Former::joinThroughView(Operation *op) {
  for (Value operand : op->getOperands()) {
    if (!isTransposition(operand) || !operand.hasOneUse())
      continue;
    Value sums = operand.getDefiningOp()->getOperand(0);
    auto found = groupOf.find(sums);
    if (found == groupOf.end() || !sums.hasOneUse())
      continue;
    size_t index = found->second;
    bool isLatest = llvm::all_of(op->getOperands(), [&](Value other) {
      auto from = groupOf.find(storageRoot(other));
      return other == operand || from == groupOf.end() || from->second < index;
    });
    Group &group = groups[index];
    if (!isLatest || group.ops.size() != 1 || !isa<Segmented>(group.ops.front()) || group.guard != demand.of(op) || !canUpdateIn(index, op))
      continue;
    Dims plain = group.space;
    group.space = dimsOf(operand);
    groupOf[operand] = index;
    if (canJoinEpilogue(group, op)) {
      group.ops.push_back(operand.getDefiningOp());
      return index;
    }
    groupOf.erase(operand);
    group.space = plain;
  }
  return -1;
}

/// Whether a group belongs to the forward and an operator to the backward of a function with a memory limit.
static bool isTooEarly(const Group &group, Operation *op) {
  return op->hasAttr(kLate) && llvm::none_of(group.ops, [](Operation *member) { return member->hasAttr(kLate); });
}

LogicalResult Former::place(Operation *op) {
  if (isa<ReadOp, AssignOp, View>(op) || op->hasTrait<OpTrait::IsTerminator>() || isFree(op))
    return success();
  if (isa<Join, TapOp, CondOp>(op)) {
    start(isa<Join>(op) ? GroupKind::Join : isa<TapOp>(op) ? GroupKind::Tap : GroupKind::Choice, op, dimsOf(op->getResult(0)));
    return success();
  }
  if (int64_t producer = isa<RowFold>(op) ? latestProducer(op) : -1;
      producer >= 0 && groups[producer].guard == demand.of(op) && canFold(groups[producer], op)) {
    join(producer, op);
    return success();
  }
  if (isa<Skeleton>(op)) {
    start(GroupKind::Skeleton, op, dimsOf(op->getResult(0)));
    return success();
  }
  auto reduction = dyn_cast<Reduction>(op);
  if (reduction && !isRowReduction(reduction)) {
    start(GroupKind::Columns, op, walkedShape(op));
    return success();
  }
  if (!reduction && !isa<Pointwise>(op))
    return op->emitError() << op->getName().getStringRef() << " has no kernel";
  int64_t producer = latestProducer(op);
  if (producer < 0 && !reduction && fuses)
    producer = joinThroughView(op);
  if (producer >= 0 && (!canUpdateIn(producer, op) || isTooEarly(groups[producer], op)))
    producer = -1;
  bool lastAxis = !reduction || reduction.reducedAxis() == int64_t(walkedShape(op).size()) - 1;
  bool sameGuard = producer >= 0 && groups[producer].guard == demand.of(op); // or one would run work that the other can skip
  if (sameGuard && lastAxis && (canJoinRows(groups[producer], op) || canJoinEpilogue(groups[producer], op))) {
    Group &group = groups[producer];
    if (group.kind == GroupKind::Rows && walkedShape(op) != rowsOf(group.space))
      group.space = walkedShape(op);
    join(producer, op);
    return success();
  }
  start(GroupKind::Rows, op, walkedShape(op));
  return success();
}

FailureOr<std::vector<Group>> Former::run(func::FuncOp function) {
  for (Operation &op : function.getBody().front())
    if (failed(place(&op)))
      return failure();
  return std::move(groups);
}

FailureOr<std::vector<Group>> nacre::formGroups(func::FuncOp function, const Demand &demand) {
  return Former(demand, !function->hasAttr(plan::kUnfused)).run(function);
}
