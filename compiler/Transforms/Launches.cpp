// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Transforms/ProgramBuilder.h"

#include "dialects/Nacre/IR/Builtins.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace nacre;
using namespace mlir;

SmallVector<Value> nacre::inputsOf(ArrayRef<Operation *> ops) {
  llvm::SetVector<Value> inputs;
  llvm::SmallPtrSet<Operation *, 8> members(ops.begin(), ops.end());
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
  for (Operation *op : ops)
    for (Value operand : op->getOperands())
      visit(operand);
  return inputs.takeVector();
}

SmallVector<Value> nacre::outputsOf(const Group &group) {
  SmallVector<Value> outputs;
  llvm::SmallPtrSet<Operation *, 8> members(group.ops.begin(), group.ops.end());
  for (Operation *op : group.ops)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !members.contains(user); }))
        outputs.push_back(result);
  return outputs;
}

SmallVector<Value> nacre::extrasOf(const Group &group) {
  SmallVector<Value> extras = inputsOf(ArrayRef<Operation *>(group.ops).drop_front());
  llvm::erase_if(extras, [&](Value value) { return value.getDefiningOp() == group.ops.front(); });
  return extras;
}

std::string nacre::elementName(Type element) { return element.isF32() ? "f32" : element.isInteger(1) ? "bool" : "i32"; }

bool nacre::isColumnReadable(const Layout &layout) {
  return layout.strides.empty() || layout.strides.back().isOne() || layout.strides.back().isZero() || layout.sizes.back().isOne();
}

static std::string accessOf(Value value, const Operand &operand, const Dims &space) {
  if (operand.pseudo == plan::kPosition) // the same along a row that has one position
    return operand.layout.strides.back().isZero() ? "position:row" : "position";
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
  auto [conditions, taken] = guardOperands(guard);
  plan::LaunchOp::create(builder, loc, kernels.get(loc, body), buffers.takeVector(), builder.getArrayAttr(views),
                         builder.getI64IntegerAttr(body.outputs.size()), builder.getStringAttr(operations.str()), conditions,
                         builder.getDenseBoolArrayAttr(taken));
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
  if (isFree(value)) { // a number, or positions, that somebody reads from memory
    llvm::SaveAndRestore saved(guard, demand.of(value)); // others may need it when its first reader is skipped
    Storage made = storage.temporary(dimsOf(value), plainType(value).getElementType(), "scalar");
    KernelBody body;
    body.skeleton = "rows";
    body.outputs = {value};
    body.inputs = value.getDefiningOp<Coordinate>() ? SmallVector<Value>{value} : inputsOf({value.getDefiningOp()});
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
  llvm::SaveAndRestore saved(guard, demand.of(value));
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

Operand ProgramBuilder::readPadded(Value value) {
  constexpr int64_t kLongestVector = 16;
  Storage found = read(value);
  int64_t width = *dimsOf(value).back().asConstant();
  if (width % kLongestVector == 0 && found.layout.strides.back().isOne())
    return {found.buffer, 0, found.layout};
  Dim stride = Dim::constant((width + kLongestVector - 1) / kLongestVector * kLongestVector);
  Storage padded = storage.temporary({dimsOf(value)[0], stride}, plainType(value).getElementType(), "padded");
  padded.layout.sizes = dimsOf(value);
  llvm::SaveAndRestore saved(guard, demand.of(value));
  copy(value.getLoc(), value, found, padded);
  return {padded.buffer, 0, padded.layout};
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

std::pair<SmallVector<Value>, SmallVector<bool>> ProgramBuilder::guardOperands(const Guard &guard) {
  SmallVector<Value> buffers;
  SmallVector<bool> taken;
  for (const Literal &literal : guard) {
    Storage number = read(literal.condition);
    if (!number.layout.offset.isZero()) {
      number = copied(literal.condition);
      storage.set(literal.condition, number);
    }
    buffers.push_back(number.buffer);
    taken.push_back(literal.holds);
  }
  return {buffers, taken};
}

Operand ProgramBuilder::readFlat(Value value, ArrayRef<Dim> space, bool mayRepeat) {
  auto flatten = [&](const Storage &from) -> std::optional<Operand> {
    Layout layout = broadcastLayout(from.layout, space);
    std::optional<Run> rows = merge(layout, 0, space.size() - 1);
    bool isUnit = layout.sizes.back().isOne() || layout.strides.back().isOne();
    if (!rows || !(mayRepeat ? isColumnReadable(layout) : isUnit))
      return std::nullopt;
    // An extra that repeats along all rows has row size 1 after merging; rows of the result decide.
    return Operand{from.buffer, 0, {layout.offset, {rows->size, layout.sizes.back()}, {rows->stride, layout.strides.back()}}};
  };
  Storage from = read(value);
  if (std::optional<Operand> found = flatten(from))
    return *found;
  Storage whole = storage.temporary(space, plainType(value).getElementType(), "copy");
  copy(value.getLoc(), value, {from.buffer, broadcastLayout(from.layout, space)}, whole);
  return *flatten(whole);
}
