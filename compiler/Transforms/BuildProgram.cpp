// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Transforms/BuildProgram.h"

#include "compiler/Transforms/IsolateFolds.h"
#include "compiler/Transforms/ProgramBuilder.h"
#include "dialects/Nacre/IR/Ops/Program.h"
#include "dialects/Plan/IR/Unfused.h"

#include "llvm/Support/SaveAndRestore.h"

using namespace nacre;
using namespace mlir;

LogicalResult ProgramBuilder::buildRows(const Group &group) {
  KernelBody body;
  body.skeleton = "rows";
  body.ops.assign(group.ops.begin(), group.ops.end());
  body.inputs = inputsOf(group.ops);
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

LogicalResult ProgramBuilder::buildTap(const Group &group) {
  auto tap = cast<TapOp>(group.ops.front());
  Storage from = read(tap.getX()), to = storage.allocate(tap.getResult());
  if (from.buffer != to.buffer)
    copy(tap.getLoc(), tap.getX(), from, to);
  auto [conditions, taken] = guardOperands(guard);
  plan::TapOp::create(builder, tap.getLoc(), tap.getNameAttr(), builder.getI64IntegerAttr(taps++), to.buffer, conditions,
                      builder.getDenseBoolArrayAttr(taken));
  return success();
}

/// Each side is copied, when it is the one, unless its producer wrote it into the result.
LogicalResult ProgramBuilder::buildChoice(const Group &group) {
  auto choice = cast<CondOp>(group.ops.front());
  Storage to = storage.allocate(choice.getResult());
  for (OpOperand &side : choice->getOpOperands().drop_front()) {
    llvm::SaveAndRestore saved(guard, demand.ofUse(side));
    Storage from = read(side.get());
    if (from.buffer != to.buffer || !(from.layout == to.layout))
      copy(choice.getLoc(), side.get(), from, to);
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

LogicalResult ProgramBuilder::build(const Group &group) {
  switch (group.kind) {
  case GroupKind::Rows:
    return buildRows(group);
  case GroupKind::Columns:
    return buildColumns(group);
  case GroupKind::Join:
    return buildJoin(group);
  case GroupKind::Tap:
    return buildTap(group);
  case GroupKind::Choice:
    return buildChoice(group);
  case GroupKind::Skeleton:
    break;
  }
  if (isa<Contraction>(group.ops.front()))
    return buildContraction(group);
  return isEntriesSkeleton(cast<Skeleton>(group.ops.front()).skeleton()) ? buildEntries(group) : buildSkeleton(group);
}

LogicalResult ProgramBuilder::run() {
  FailureOr<std::vector<Group>> groups = formGroups(function, demand);
  if (failed(groups))
    return failure();
  storage.choose(*groups);
  for (const Group &group : *groups) {
    guard = group.guard;
    if (failed(build(group)))
      return failure();
  }
  guard.clear();
  return finish();
}

LogicalResult nacre::buildProgram(func::FuncOp function, Operation *anchor, KernelTable &kernels) {
  OpBuilder builder(anchor);
  auto program = plan::ProgramOp::create(builder, function.getLoc(), function.getName(), StringAttr());
  builder.createBlock(&program.getBody());
  if (Attribute unfused = function->getAttr(plan::kUnfused))
    program->setAttr(plan::kUnfused, unfused);
  if (failed(isolateFolds(function)))
    return failure();
  hoistConditions(function.getBody().front());
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
