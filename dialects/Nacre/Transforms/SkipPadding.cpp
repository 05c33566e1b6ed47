// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/RowInterfaces.h"
#include "dialects/Nacre/Transforms/Transforms.h"

using namespace nacre;
using namespace mlir;

namespace {

/// Which places of a value are read: none, all, or those whose index along `rows` is below lengths[index along `batch`].
struct Need {
  enum Kind { Nothing, Real, All };
  Kind kind = Nothing;
  Value lengths = nullptr;
  int64_t batch = 0, rows = 0;

  static Need all() { return {All}; }
  static Need real(Value lengths, int64_t batch, int64_t rows) { return {Real, lengths, batch, rows}; }
  bool operator==(const Need &other) const {
    return kind == other.kind && lengths == other.lengths && batch == other.batch && rows == other.rows;
  }
};

/// What is read of every value of a block, found from its end to its front.
class Needs {
public:
  explicit Needs(Block &block) {
    for (Operation &op : llvm::reverse(block))
      read(&op);
  }
  Need of(Value value) const { return needs.lookup(value); }

private:
  void read(Operation *op);
  Need ofOperand(Operation *op, Value operand, const Need &result);
  void add(Value value, const Need &need);

  llvm::DenseMap<Value, Need> needs;
};

} // namespace

void Needs::add(Value value, const Need &need) {
  Need &known = needs[value];
  if (known.kind == Need::Nothing)
    known = need;
  else if (need.kind != Need::Nothing && !(known == need))
    known = Need::all();
}

/// The same places of an element-wise operand, whose axes are aligned with the last ones of the result.
static Need ofAligned(Value operand, Value result, const Need &need) {
  Dims from = dimsOf(operand), to = dimsOf(result);
  int64_t lead = int64_t(to.size()) - int64_t(from.size()), batch = need.batch - lead, rows = need.rows - lead;
  if (batch < 0 || rows < 0 || from[batch] != to[need.batch] || from[rows] != to[need.rows])
    return Need::all();
  return Need::real(need.lengths, batch, rows);
}

/// The axis of `from` that a view shows as an axis of this size and stride; nothing when there is not exactly one.
static std::optional<int64_t> axisSeen(ArrayRef<Dim> from, const Layout &seen, int64_t axis) {
  Layout source = Layout::contiguous(from);
  std::optional<int64_t> found;
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] == seen.sizes[axis] && source.strides[i] == seen.strides[axis]) {
      if (found)
        return std::nullopt;
      found = i;
    }
  return found;
}

static Need ofViewed(View view, const Need &need) {
  Dims from = dimsOf(view->getOperand(0));
  FailureOr<Layout> seen = view.view(Layout::contiguous(from));
  if (failed(seen))
    return Need::all();
  std::optional<int64_t> batch = axisSeen(from, *seen, need.batch), rows = axisSeen(from, *seen, need.rows);
  return batch && rows ? Need::real(need.lengths, *batch, *rows) : Need::all();
}

Need Needs::ofOperand(Operation *op, Value operand, const Need &result) {
  if (auto limit = dyn_cast<RowLimit>(op); limit && operand == op->getOperand(0))
    return Need::real(limit.limits(), 0, limit.limitedAxis());
  if (result.kind != Need::Real)
    return Need::all();
  if (isa<Pointwise>(op))
    return ofAligned(operand, op->getResult(0), result);
  if (auto view = dyn_cast<View>(op))
    return ofViewed(view, result);
  if (auto fold = dyn_cast<Reduction>(op); fold && fold.reducedAxis() != result.batch && fold.reducedAxis() != result.rows)
    return result;
  auto byRow = dyn_cast<RowByRow>(op);
  bool alongRows = byRow && operand == byRow.rowOperand() && result.batch == 0 && result.rows == int64_t(dimsOf(operand).size()) - 2 &&
                   dimsOf(operand).size() == dimsOf(op->getResult(0)).size();
  return alongRows && llvm::count(op->getOperands(), operand) == 1 ? result : Need::all();
}

/// An operator that nobody reads has no need; one with effects has them always.
void Needs::read(Operation *op) {
  Need result;
  for (Value value : op->getResults()) {
    Need need = of(value);
    if (op->getNumResults() > 1 && value != op->getResult(0) && need.kind != Need::Nothing)
      need = Need::all();
    result = result.kind == Need::Nothing || result == need ? need : need.kind == Need::Nothing ? result : Need::all();
  }
  if (result.kind == Need::Nothing && isMemoryEffectFree(op) && !op->hasTrait<OpTrait::IsTerminator>())
    return;
  for (Value operand : op->getOperands())
    add(operand, ofOperand(op, operand, result));
}

void nacre::skipPadding(func::FuncOp function) {
  Block &block = function.getBody().front();
  Needs needs(block);
  for (Operation &op : llvm::make_early_inc_range(block)) {
    auto byRow = dyn_cast<RowByRow>(op);
    Need need = byRow ? needs.of(op.getResult(0)) : Need();
    if (need.kind != Need::Real || need.batch != 0 || need.rows != int64_t(dimsOf(op.getResult(0)).size()) - 2)
      continue;
    Operation *source = need.lengths.getDefiningOp();
    if (source && !source->isBeforeInBlock(&op))
      continue;
    OpBuilder builder(&op);
    FailureOr<Value> limited = byRow.limitRows(builder, need.lengths);
    if (succeeded(limited))
      op.getResult(0).replaceAllUsesWith(*limited);
  }
  for (Operation &op : llvm::make_early_inc_range(block))
    if (isa<RowLimit>(op)) {
      op.getResult(0).replaceAllUsesWith(op.getOperand(0));
      op.erase();
    }
}
