// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Transforms/BuildProgram.h"

#include "compiler/Transforms/ContractionViews.h"
#include "compiler/Transforms/LaunchViews.h"
#include "compiler/Transforms/Storage.h"
#include "dialects/Nacre/IR/Builtins.h"
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Program.h"

#include "llvm/ADT/SetVector.h"

using namespace nacre;
using namespace mlir;

namespace {

/// One operand of a launch: a buffer, or a value made from its place.
struct Operand {
  Value buffer; ///< null for positions and numbers
  int64_t pseudo = 0;
  Layout layout;
};

class ProgramBuilder {
public:
  ProgramBuilder(func::FuncOp function, plan::ProgramOp program, KernelTable &kernels)
      : function(function), program(program), kernels(kernels), storage(function, program),
        builder(OpBuilder::atBlockEnd(&program.getBody().front())) {}

  LogicalResult run();

private:
  LogicalResult buildRows(const Group &group);
  LogicalResult buildColumns(const Group &group);
  LogicalResult buildSkeleton(const Group &group);
  LogicalResult buildContraction(const Group &group);
  LogicalResult buildJoin(const Group &group);
  LogicalResult finish();

  void launchRows(Location loc, KernelBody body, Dims space, std::vector<Operand> operands, bool reduces, const Dim &operations);
  void launch(Location loc, const KernelBody &body, ArrayRef<Operand> operands, const Dim &operations);
  void copy(Location loc, Value like, const Storage &from, const Storage &to);
  void fillZero(Location loc, Value like, const Storage &to);

  /// Where a value lies; copies what a view cannot express.
  Storage read(Value value);
  /// As `read`, copied to row-major order unless the last axis has stride 1 (or one element).
  Storage readRows(Value value);
  /// The storage of a value whose elements lie one after the other, in row-major order.
  Storage readWhole(Value value);
  Storage copied(Value value);
  Operand operandOf(Value value);

  func::FuncOp function;
  plan::ProgramOp program;
  KernelTable &kernels;
  StorageTable storage;
  OpBuilder builder;
  bool checked = false;
};

} // namespace

/// Values of other groups that the group's operators read, in order of first use. Free values are not inputs, but positions and sizes are.
static SmallVector<Value> inputsOf(const Group &group) {
  llvm::SetVector<Value> inputs;
  llvm::SmallPtrSet<Operation *, 8> members(group.ops.begin(), group.ops.end());
  std::function<void(Value)> visit = [&](Value value) {
    Operation *op = value.getDefiningOp();
    if (op && members.contains(op))
      return;
    if (op && isFree(op) && !isa<Coordinate>(op)) {
      for (Value operand : op->getOperands())
        visit(operand);
      return;
    }
    inputs.insert(value);
  };
  for (Operation *op : group.ops)
    for (Value operand : op->getOperands())
      visit(operand);
  return inputs.takeVector();
}

/// Values that somebody outside the group reads.
static SmallVector<Value> outputsOf(const Group &group) {
  SmallVector<Value> outputs;
  llvm::SmallPtrSet<Operation *, 8> members(group.ops.begin(), group.ops.end());
  for (Operation *op : group.ops)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !members.contains(user); }))
        outputs.push_back(result);
  return outputs;
}

static std::string elementName(Type element) { return element.isF32() ? "f32" : element.isInteger(1) ? "bool" : "i32"; }

static std::string accessOf(Value value, const Operand &operand, const Dims &space) {
  if (operand.pseudo == plan::kPosition)
    return "position";
  if (operand.pseudo == plan::kNumber)
    return "number";
  const Dim &stride = operand.layout.strides.back();
  std::string kind = stride.isZero() ? "row" : stride.isOne() || space.back().isOne() ? "unit" : "strided";
  return elementName(plainType(value).getElementType()) + ":" + kind;
}

//===-- launches -------------------------------------------------------------------------------------------------------------===//

void ProgramBuilder::launch(Location loc, const KernelBody &body, ArrayRef<Operand> operands, const Dim &operations) {
  llvm::SetVector<Value> buffers;
  SmallVector<Attribute> views;
  for (const Operand &operand : operands) {
    int64_t index = operand.pseudo;
    if (operand.buffer) {
      buffers.insert(operand.buffer);
      index = llvm::find(buffers, operand.buffer) - buffers.begin();
    }
    views.push_back(plan::viewOf(builder.getContext(), index, operand.layout));
  }
  bool keeps = llvm::any_of(operands.take_back(body.outputs.size()), [](const Operand &operand) {
    StringRef space = operand.buffer.getDefiningOp<plan::BufferOp>().getSpace();
    return space == "parameter" || space == "stream";
  });
  if (keeps && !checked && function->hasAttr("nacre.training")) {
    plan::CheckFiniteOp::create(builder, loc, storage.output(0).buffer);
    checked = true;
  }
  plan::LaunchOp::create(builder, loc, kernels.get(loc, body), buffers.takeVector(), builder.getArrayAttr(views),
                         builder.getI64IntegerAttr(body.outputs.size()), builder.getStringAttr(operations.str()));
}

/// Launches element-wise work: all layouts over one space, as few axes as they allow.
void ProgramBuilder::launchRows(Location loc, KernelBody body, Dims space, std::vector<Operand> operands, bool reduces,
                                const Dim &operations) {
  if (space.empty())
    space.push_back(Dim::constant(1));
  std::vector<Layout> layouts;
  for (Operand &operand : operands)
    layouts.push_back(broadcastLayout(operand.layout, space));
  // A row value at the end of a row is written once, not along it.
  coalesce(space, layouts, reduces ? 1 : 0);
  SmallVector<Value> values(body.inputs);
  values.append(body.outputs);
  body.access.clear();
  for (size_t i = 0; i < operands.size(); ++i) {
    operands[i].layout = layouts[i];
    body.access.push_back(accessOf(values[i], operands[i], space));
  }
  body.outer = int64_t(space.size()) - 1;
  launch(loc, body, operands, operations);
}

void ProgramBuilder::copy(Location loc, Value like, const Storage &from, const Storage &to) {
  KernelBody body;
  body.skeleton = "rows";
  body.inputs = {like};
  body.outputs = {like};
  launchRows(loc, body, from.layout.sizes, {{from.buffer, 0, from.layout}, {to.buffer, 0, to.layout}}, false, Dim());
}

void ProgramBuilder::fillZero(Location loc, Value like, const Storage &to) {
  OpBuilder beside(like.getDefiningOp());
  KernelBody body;
  body.skeleton = "rows";
  body.outputs = {buildConstant(beside, loc, 0.0)};
  launchRows(loc, body, to.layout.sizes, {{to.buffer, 0, to.layout}}, false, Dim());
}

//===-- operands -------------------------------------------------------------------------------------------------------------===//

Storage ProgramBuilder::read(Value value) {
  if (std::optional<Storage> found = storage.find(value))
    return *found;
  auto view = value.getDefiningOp<View>();
  if (isFree(value)) { // a number that somebody reads from memory
    Storage made = storage.temporary(dimsOf(value), plainType(value).getElementType(), "scalar");
    KernelBody body;
    body.skeleton = "rows";
    body.outputs = {value};
    Group group = {GroupKind::Rows, {}, {value.getDefiningOp()}};
    body.inputs = inputsOf(group);
    std::vector<Operand> operands;
    for (Value input : body.inputs)
      operands.push_back(operandOf(input));
    operands.push_back({made.buffer, 0, made.layout});
    launchRows(value.getLoc(), body, dimsOf(value), operands, false, Dim());
    storage.set(value, made);
    return made;
  }
  Value source = view->getOperand(0);
  if (!storage.find(source))
    (void)read(source);
  if (std::optional<Storage> found = storage.find(value))
    return *found;
  Storage whole = copied(source);
  storage.set(source, whole);
  return *storage.find(value);
}

Storage ProgramBuilder::copied(Value value) {
  Storage from = read(value);
  Storage to = storage.temporary(dimsOf(value), plainType(value).getElementType(), "copy");
  copy(value.getLoc(), value, from, to);
  return to;
}

Storage ProgramBuilder::readRows(Value value) {
  Storage found = read(value);
  const Layout &layout = found.layout;
  if (layout.strides.empty() || layout.strides.back().isOne() || layout.sizes.back().isOne())
    return found;
  return copied(value);
}

Storage ProgramBuilder::readWhole(Value value) {
  Storage found = read(value);
  return found.layout.strides == Layout::contiguous(found.layout.sizes).strides ? found : copied(value);
}

/// Positions and sizes become operands without a buffer.
Operand ProgramBuilder::operandOf(Value value) {
  if (auto coordinate = value.getDefiningOp<Coordinate>())
    return {Value(), coordinate.isNumber() ? plan::kNumber : plan::kPosition, coordinate.coordinates()};
  Storage found = read(value);
  return {found.buffer, 0, found.layout};
}

//===-- groups ---------------------------------------------------------------------------------------------------------------===//

LogicalResult ProgramBuilder::buildRows(const Group &group) {
  KernelBody body;
  body.skeleton = "rows";
  body.ops.assign(group.ops.begin(), group.ops.end());
  body.inputs = inputsOf(group);
  body.outputs = outputsOf(group);
  if (body.outputs.empty())
    return success();
  std::vector<Operand> operands;
  for (Value input : body.inputs)
    operands.push_back(operandOf(input));
  for (Value output : body.outputs) {
    Storage to = storage.allocate(output);
    operands.push_back({to.buffer, 0, to.layout});
  }
  bool reduces = llvm::any_of(group.ops, [](Operation *op) { return isa<Reduction>(op); });
  Dims space = group.space;
  // A reduction along an axis that is followed by axes of one element is one along the last axis.
  auto alone = group.ops.size() == 1 ? dyn_cast<Reduction>(group.ops.front()) : Reduction();
  while (alone && space.back().isOne() && alone.reducedAxis() + 1 < int64_t(space.size())) {
    space.pop_back();
    for (Operand &operand : operands)
      if (operand.layout.sizes.size() > space.size()) {
        operand.layout.sizes.pop_back();
        operand.layout.strides.pop_back();
      }
  }
  launchRows(group.ops.front()->getLoc(), body, space, operands, reduces, product(space) * Dim::constant(group.ops.size()));
  return success();
}

LogicalResult ProgramBuilder::buildColumns(const Group &group) {
  auto reduction = cast<Reduction>(group.ops.front());
  int64_t axis = reduction.reducedAxis();
  KernelBody body;
  body.skeleton = "columns";
  body.ops.assign(group.ops.begin(), group.ops.end());
  body.inputs = {reduction->getOperand(0)};
  body.outputs = {reduction->getResult(0)};
  Storage from = readRows(body.inputs[0]);
  std::optional<Run> outer = merge(from.layout, 0, axis), inner = merge(from.layout, axis + 1, from.layout.sizes.size());
  if (!outer || !inner || !inner->stride.isOne()) {
    from = copied(body.inputs[0]);
    outer = merge(from.layout, 0, axis);
    inner = merge(from.layout, axis + 1, from.layout.sizes.size());
  }
  Storage to = storage.allocate(body.outputs[0]);
  std::optional<Run> outerTo = merge(to.layout, 0, axis), innerTo = merge(to.layout, axis + 1, to.layout.sizes.size());
  if (!outerTo || !innerTo)
    return reduction->emitError("a reduction cannot write this layout");
  Layout read = {from.layout.offset, {outer->size, from.layout.sizes[axis], inner->size},
                 {outer->stride, from.layout.strides[axis], Dim::constant(1)}};
  Layout write = {to.layout.offset, {outer->size, Dim::constant(1), inner->size}, {outerTo->stride, Dim(), Dim::constant(1)}};
  body.access = {"f32:unit", "f32:unit"};
  launch(reduction->getLoc(), body, {{from.buffer, 0, read}, {to.buffer, 0, write}}, product(read.sizes));
  return success();
}

LogicalResult ProgramBuilder::buildSkeleton(const Group &group) {
  Operation *heart = group.ops.front();
  if (isa<Contraction>(heart))
    return buildContraction(group);
  KernelBody body;
  body.skeleton = cast<Skeleton>(heart).skeleton().str();
  body.ops.assign(group.ops.begin(), group.ops.end());
  std::vector<Operand> operands;
  for (Value operand : heart->getOperands()) {
    // Positions and lengths are read as one plain list.
    bool isList = plainType(operand).getElementType().isInteger();
    Storage from = isList ? readWhole(operand) : readRows(operand);
    body.inputs.push_back(operand);
    body.access.push_back(elementName(plainType(operand).getElementType()));
    operands.push_back({from.buffer, 0, from.layout});
  }
  std::vector<std::pair<Value, Storage>> moved;
  for (Value result : heart->getResults()) {
    Storage to = storage.allocate(result);
    // Rows of a table come one after the other: a place where they do not is filled by a copy.
    if (isa<Indexing>(heart) && !merge(to.layout, 0, to.layout.sizes.size() - 1)) {
      moved.push_back({result, to});
      to = storage.temporary(dimsOf(result), plainType(result).getElementType(), "rows");
    }
    body.outputs.push_back(result);
    body.access.push_back(elementName(plainType(result).getElementType()) + (result.use_empty() ? ":unused" : ""));
    operands.push_back({to.buffer, 0, to.layout});
  }
  launch(heart->getLoc(), body, operands, cast<Skeleton>(heart).operations());
  for (auto &[result, to] : moved)
    copy(heart->getLoc(), result, {operands.back().buffer, operands.back().layout}, to);
  return success();
}

static bool isColumnReadable(const Layout &layout) {
  return layout.strides.back().isOne() || layout.strides.back().isZero() || layout.sizes.back().isOne();
}

LogicalResult ProgramBuilder::buildContraction(const Group &group) {
  auto contraction = cast<Contraction>(group.ops.front());
  bool checkpoints = !contraction.checkpoints().empty();
  KernelBody body;
  body.skeleton = "contract";
  body.ops.assign(group.ops.begin(), group.ops.end());
  body.inputs = inputsOf(group);
  // The two factors come first, even when an epilogue reads one of them again.
  llvm::SetVector<Value> ordered;
  ordered.insert(contraction.lhs());
  ordered.insert(contraction.rhs());
  SmallVector<Value> extras;
  for (Value input : body.inputs)
    if (!ordered.contains(input) || llvm::any_of(input.getUsers(), [&](Operation *user) {
          return user != contraction && llvm::is_contained(group.ops, user);
        }))
      extras.push_back(input);
  bool isSquare = contraction.lhs() == contraction.rhs();
  body.inputs = {contraction.lhs()};
  if (!isSquare)
    body.inputs.push_back(contraction.rhs());
  body.outputs = outputsOf(group);

  Dims shape = checkpoints ? Dims(group.space.begin() + 1, group.space.end()) : group.space;
  Storage a = read(contraction.lhs()), b = read(contraction.rhs());
  const Layout &bl = b.layout;
  bool bReadable = bl.strides.back().isOne() || bl.strides[bl.strides.size() - 2].isOne() || bl.sizes.back().isOne();
  if (!bReadable)
    b = copied(contraction.rhs());
  ContractionLayouts layouts = {withBatchOf(a.layout, shape), withBatchOf(b.layout, shape), {}};
  std::vector<Value> buffers;
  for (Value extra : extras) {
    Storage from = read(extra);
    if (!isColumnReadable(broadcastLayout(from.layout, dimsOf(extra))))
      from = copied(extra);
    Layout layout = broadcastLayout(from.layout, group.space);
    layouts.tiles.push_back(checkpoints ? withoutFirstAxis(layout) : layout);
    buffers.push_back(from.buffer);
  }
  std::vector<Dim> checkpointStrides;
  for (Value output : body.outputs) {
    Storage to = storage.allocate(output);
    checkpointStrides.push_back(checkpoints ? to.layout.strides[0] : Dim());
    layouts.tiles.push_back(checkpoints ? withoutFirstAxis(to.layout) : to.layout);
    buffers.push_back(to.buffer);
  }
  if (!flattenRows(layouts) && !flattenBatch(layouts)) {
    a = copied(contraction.lhs());
    layouts.a = withBatchOf(a.layout, shape);
    if (!flattenRows(layouts) && !flattenBatch(layouts))
      return contraction->emitError("a product over more than two separate batch axes is not available");
  }
  std::vector<Operand> operands = {{a.buffer, 0, layouts.a}, {b.buffer, 0, layouts.b}};
  for (size_t i = 0; i < buffers.size(); ++i) {
    Layout layout = layouts.tiles[i];
    if (i >= extras.size()) { // outputs carry the checkpoint axis in front
      layout.sizes.insert(layout.sizes.begin(), checkpoints ? group.space[0] : Dim::constant(1));
      layout.strides.insert(layout.strides.begin(), checkpointStrides[i - extras.size()]);
    }
    operands.push_back({buffers[i], 0, layout});
  }
  if (isSquare)
    body.inputs.push_back(contraction.rhs());
  body.inputs.append(extras);
  body.access.assign(2, "f32");
  for (size_t i = 0; i < extras.size(); ++i)
    body.access.push_back(elementName(plainType(extras[i]).getElementType()));
  body.access.append(body.outputs.size(), "f32");
  launch(contraction->getLoc(), body, operands, cast<Skeleton>(group.ops.front()).operations());
  return success();
}

LogicalResult ProgramBuilder::buildJoin(const Group &group) {
  auto joined = cast<Join>(group.ops.front());
  Value result = joined->getResult(0);
  Storage whole = storage.allocate(result);
  if (!joined.isCovered())
    fillZero(joined->getLoc(), result, whole);
  for (auto [part, value] : llvm::enumerate(joined->getOperands())) {
    Storage to = {whole.buffer, joined.place(part, whole.layout)};
    Storage from = read(value);
    if (from.buffer == to.buffer && from.layout == to.layout)
      continue; // its producer wrote it there
    copy(joined->getLoc(), value, from, to);
  }
  return success();
}

/// Copies results and assigned values that no group wrote in place. Results come first, for a parameter may be one; values that are
/// parameters themselves are set aside before the first parameter changes, so that two may be exchanged.
LogicalResult ProgramBuilder::finish() {
  Operation *terminator = function.getBody().front().getTerminator();
  for (auto [index, value] : llvm::enumerate(terminator->getOperands())) {
    Storage from = read(value), to = storage.output(index);
    if (from.buffer != to.buffer)
      copy(terminator->getLoc(), value, from, to);
  }
  std::vector<std::pair<AssignOp, Storage>> sources;
  for (AssignOp assign : function.getOps<AssignOp>()) {
    Value value = assign.getValue();
    bool isParameter = isa_and_nonnull<ReadOp>(storageRoot(value).getDefiningOp());
    sources.push_back({assign, isParameter ? copied(value) : read(value)});
  }
  for (auto &[assign, from] : sources) {
    Value value = assign.getValue();
    Storage to = {storage.parameter(assign.getParameter(), value.getType()), Layout::contiguous(dimsOf(value))};
    if (from.buffer != to.buffer)
      copy(assign.getLoc(), value, from, to);
  }
  return success();
}

LogicalResult ProgramBuilder::run() {
  FailureOr<std::vector<Group>> groups = formGroups(function);
  if (failed(groups))
    return failure();
  storage.choose(*groups);
  for (const Group &group : *groups) {
    LogicalResult built = group.kind == GroupKind::Rows      ? buildRows(group)
                          : group.kind == GroupKind::Columns ? buildColumns(group)
                          : group.kind == GroupKind::Join    ? buildJoin(group)
                                                             : buildSkeleton(group);
    if (failed(built))
      return failure();
  }
  return finish();
}

LogicalResult nacre::buildProgram(func::FuncOp function, Operation *anchor, KernelTable &kernels) {
  OpBuilder builder(anchor);
  auto program = plan::ProgramOp::create(builder, function.getLoc(), function.getName(), StringAttr());
  builder.createBlock(&program.getBody());
  return ProgramBuilder(function, program, kernels).run();
}

LogicalResult nacre::buildPrograms(ModuleOp module) {
  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  if (functions.empty())
    return module.emitError("the model has no function to compile");
  KernelTable kernels(functions.front());
  for (func::FuncOp function : functions)
    if (failed(buildProgram(function, functions.front(), kernels)))
      return failure();
  for (func::FuncOp function : functions)
    function.erase();
  return success();
}
