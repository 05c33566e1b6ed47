// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Rows.h"

#include "dialects/Nacre/IR/Operator.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace nacre::cpu {
namespace {

/// How an operand's element is found.
enum class Access { Unit, Row, Strided, Position, RowPosition, Number };

struct Operand {
  Access access;
  bool isFloat, isBool;
};

/// Emits one kernel.
class RowsEmitter {
public:
  RowsEmitter(plan::KernelOp kernel, Kernel target, VectorBuilder b);
  void emit();

private:
  using Lanes = llvm::DenseMap<Value, Value>;

  void classify();
  void emitRow(Value row, Value firstColumn, Value endColumn);
  void setRow(Value row);
  /// One walk along the row: reductions of `pass` are folded, values ready in `pass` are stored.
  void emitPass(int64_t pass, Value first, Value end);
  llvm::SmallVector<Value> emitBlock(int64_t pass, Value column, Value mask, llvm::ArrayRef<Value> partial);
  void finishPass(int64_t pass, llvm::ArrayRef<Value> partial);

  /// The value at the columns of the block, computing what it needs; row values are broadcast.
  Value lanesOf(Value value, Lanes &lanes, Value column, Value mask);
  Value loadLanes(int64_t operand, Value column, Value mask);
  void storeLanes(int64_t operand, Value lanes, Value column, Value mask);
  Value scalarOf(Value value);
  Value loadRowValue(int64_t operand);
  Value stridedPointers(int64_t operand, Value column);
  Value asStored(Value value, const Operand &operand);
  Value asLoaded(Value value, const Operand &operand);
  Value splat(Value scalar);
  bool isRowValue(Value value) const { return rowValues.contains(value); }
  bool hasReductions() const { return !reductions.empty(); }

  plan::KernelOp kernel;
  Kernel target;
  VectorBuilder b;
  RowsSlots slots;
  llvm::SmallVector<Operand> operands;
  llvm::SmallVector<Value> outputs;
  int64_t inputCount = 0, passes = 0;
  llvm::SmallVector<Reduction> reductions;
  llvm::DenseMap<Value, int64_t> passOf; ///< the first pass in which a value is known
  llvm::DenseSet<Value> rowValues;       ///< the same for all columns
  llvm::DenseMap<Value, Value> scalars;  ///< row values known so far, in the row at hand
  llvm::SmallVector<Value> rowPointers;  ///< of each operand, at the row at hand (or its first position)
};

} // namespace

static Operand parseAccess(llvm::StringRef text) {
  if (text == "position")
    return {Access::Position, true, false};
  if (text == "position:row")
    return {Access::RowPosition, true, false};
  if (text == "number")
    return {Access::Number, true, false};
  auto [element, kind] = text.split(':');
  Access access = kind == "unit" ? Access::Unit : kind == "row" ? Access::Row : Access::Strided;
  return {access, element == "f32", element == "bool"};
}

RowsEmitter::RowsEmitter(plan::KernelOp kernel, Kernel target, VectorBuilder builder)
    : kernel(kernel), target(target), b(std::move(builder)), slots{int64_t(kernel.getOuter())} {
  for (Attribute access : kernel.getAccess())
    operands.push_back(parseAccess(cast<StringAttr>(access).getValue()));
  Block &body = kernel.getBody().front();
  inputCount = body.getNumArguments();
  outputs.assign(body.getTerminator()->operand_begin(), body.getTerminator()->operand_end());
}

/// Pass p may use every reduction of earlier passes. Row values are those made of numbers, row operands and reductions.
void RowsEmitter::classify() {
  Block &body = kernel.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    Access access = operands[argument.getArgNumber()].access;
    passOf[argument] = 0;
    if (access == Access::Row || access == Access::RowPosition || access == Access::Number)
      rowValues.insert(argument);
  }
  for (Operation &op : body.without_terminator()) {
    int64_t pass = 0;
    bool isRow = true;
    for (Value operand : op.getOperands()) {
      pass = std::max(pass, passOf[operand]);
      isRow &= isRowValue(operand);
    }
    if (auto reduction = dyn_cast<Reduction>(op)) {
      reductions.push_back(reduction);
      passOf[op.getResult(0)] = pass + 1;
      rowValues.insert(op.getResult(0));
      passes = std::max(passes, pass + 1);
      continue;
    }
    for (Value result : op.getResults()) {
      passOf[result] = pass;
      if (isRow)
        rowValues.insert(result);
    }
  }
  for (Value output : outputs)
    if (!isRowValue(output) || operands[inputCount + (llvm::find(outputs, output) - outputs.begin())].access != Access::Row)
      passes = std::max(passes, passOf[output] + 1);
}

//===-- values ---------------------------------------------------------------------------------------------------------------===//

Value RowsEmitter::splat(Value scalar) {
  return vector::BroadcastOp::create(b.op, VectorType::get({b.lanes()}, scalar.getType()), scalar);
}

/// A truth value lies in memory as an i32.
Value RowsEmitter::asStored(Value value, const Operand &operand) {
  if (!operand.isBool)
    return value;
  Type i32 = isa<VectorType>(value.getType()) ? Type(b.vector(b.i32())) : b.i32();
  return arith::ExtUIOp::create(b.op, i32, value);
}

Value RowsEmitter::asLoaded(Value value, const Operand &operand) {
  if (!operand.isBool)
    return value;
  Value zero = isa<VectorType>(value.getType()) ? b.splatInteger(0) : Value(arith::ConstantOp::create(b.op, b.op.getI32IntegerAttr(0)));
  return b.compare(arith::CmpIPredicate::ne, value, zero);
}

Value RowsEmitter::loadRowValue(int64_t operand) {
  const Operand &info = operands[operand];
  if (info.access == Access::Number)
    return b.toFloat(b.slotInteger(target.slots, slots.operand(operand)));
  if (info.access == Access::RowPosition)
    return b.toFloat(rowPointers[operand]);
  return asLoaded(info.isFloat ? b.loadScalar(rowPointers[operand]) : b.loadIntScalar(rowPointers[operand]), info);
}

/// A row value as a scalar; computed once a row.
Value RowsEmitter::scalarOf(Value value) {
  if (Value known = scalars.lookup(value))
    return known;
  if (auto argument = dyn_cast<BlockArgument>(value))
    return scalars[value] = loadRowValue(argument.getArgNumber());
  Operation *op = value.getDefiningOp();
  if (isa<View>(op)) // of a number: the same number
    return scalars[value] = scalarOf(op->getOperand(0));
  llvm::SmallVector<Value> arguments, results;
  for (Value operand : op->getOperands())
    arguments.push_back(scalarOf(operand));
  cast<Pointwise>(op).emit(b.op, arguments, results);
  for (auto [result, emitted] : llvm::zip(op->getResults(), results))
    scalars[result] = emitted;
  return scalars[value];
}

Value RowsEmitter::stridedPointers(int64_t operand, Value column) {
  Value stride = b.slotInteger(target.slots, slots.stride(operand, slots.outer));
  auto wide = VectorType::get({b.lanes()}, b.i64());
  llvm::SmallVector<int64_t> steps(b.lanes());
  for (int64_t i = 0; i < b.lanes(); ++i)
    steps[i] = i;
  Value lane = arith::ConstantOp::create(b.op, DenseElementsAttr::get(wide, llvm::ArrayRef<int64_t>(steps)));
  Value columns = arith::AddIOp::create(b.op, lane, splat(column));
  Value offsets = arith::MulIOp::create(b.op, columns, splat(stride));
  auto pointers = VectorType::get({b.lanes()}, b.pointer());
  return LLVM::GEPOp::create(b.op, pointers, b.f32(), rowPointers[operand], llvm::ArrayRef<LLVM::GEPArg>{offsets});
}

Value RowsEmitter::loadLanes(int64_t operand, Value column, Value mask) {
  const Operand &info = operands[operand];
  Type element = info.isFloat ? b.f32() : b.i32();
  if (info.access == Access::Position) {
    Value stride = b.slotInteger(target.slots, slots.stride(operand, slots.outer));
    Value first = b.add(rowPointers[operand], b.mul(column, stride));
    Value lane = b.op.createOrFold<arith::MulIOp>(b.iota(), splat(b.truncate(stride)));
    return b.toFloat(arith::AddIOp::create(b.op, lane, splat(b.truncate(first))));
  }
  if (info.access == Access::Strided) {
    Value all = mask ? mask : Value(arith::ConstantOp::create(b.op, DenseElementsAttr::get(VectorType::get({b.lanes()}, b.op.getI1Type()), true)));
    Value zero = info.isFloat ? b.splat(0) : b.splatInteger(0);
    return asLoaded(LLVM::masked_gather::create(b.op, b.vector(element), stridedPointers(operand, column), all, zero,
                                                b.op.getI32IntegerAttr(4)),
                    info);
  }
  Value pointer = b.at(rowPointers[operand], column);
  if (info.isFloat)
    return mask ? b.load(pointer, mask) : b.load(pointer);
  Value everywhere = mask ? mask : b.mask(b.integer(b.lanes()));
  return asLoaded(b.loadInts(pointer, everywhere), info);
}

Value RowsEmitter::lanesOf(Value value, Lanes &lanes, Value column, Value mask) {
  if (Value known = lanes.lookup(value))
    return known;
  if (isRowValue(value))
    return lanes[value] = splat(scalarOf(value));
  if (auto argument = dyn_cast<BlockArgument>(value))
    return lanes[value] = loadLanes(argument.getArgNumber(), column, mask);
  Operation *op = value.getDefiningOp();
  llvm::SmallVector<Value> arguments, results;
  for (Value operand : op->getOperands())
    arguments.push_back(lanesOf(operand, lanes, column, mask));
  cast<Pointwise>(op).emit(b.op, arguments, results);
  for (auto [result, emitted] : llvm::zip(op->getResults(), results))
    lanes[result] = emitted;
  return lanes[value];
}

void RowsEmitter::storeLanes(int64_t operand, Value lanes, Value column, Value mask) {
  Value stored = asStored(lanes, operands[operand]);
  if (operands[operand].access == Access::Strided) {
    Value all = mask ? mask : Value(arith::ConstantOp::create(b.op, DenseElementsAttr::get(VectorType::get({b.lanes()}, b.op.getI1Type()), true)));
    LLVM::masked_scatter::create(b.op, stored, stridedPointers(operand, column), all, b.op.getI32IntegerAttr(4));
    return;
  }
  Value pointer = b.at(rowPointers[operand], column);
  if (mask)
    b.store(stored, pointer, mask);
  else
    b.store(stored, pointer);
}

//===-- rows -----------------------------------------------------------------------------------------------------------------===//

/// Pointers of all operands at a row, by the row's place on each outer axis.
void RowsEmitter::setRow(Value row) {
  llvm::SmallVector<Value> place(slots.outer);
  Value rest = row;
  for (int64_t axis = slots.outer; axis-- > 0;) {
    Value size = b.slotInteger(target.slots, slots.outerSize(axis));
    place[axis] = axis == 0 ? rest : b.rem(rest, size);
    if (axis > 0)
      rest = b.div(rest, size);
  }
  rowPointers.clear();
  scalars.clear();
  for (auto [i, operand] : llvm::enumerate(operands)) {
    Value offset = b.integer(0);
    for (int64_t axis = 0; axis < slots.outer; ++axis)
      offset = b.add(offset, b.mul(place[axis], b.slotInteger(target.slots, slots.stride(i, axis))));
    bool isNumber = operand.access == Access::Position || operand.access == Access::RowPosition || operand.access == Access::Number;
    rowPointers.push_back(isNumber ? offset : b.at(b.slotPointer(target.slots, slots.operand(i)), offset));
  }
}

llvm::SmallVector<Value> RowsEmitter::emitBlock(int64_t pass, Value column, Value mask, llvm::ArrayRef<Value> partial) {
  Lanes lanes;
  llvm::SmallVector<Value> next;
  for (Reduction reduction : reductions) {
    if (passOf[reduction->getResult(0)] != pass + 1)
      continue;
    Value before = partial[next.size()];
    Value after = reduction.combine(b.op, before, lanesOf(reduction->getOperand(0), lanes, column, mask));
    next.push_back(mask ? b.select(mask, after, before) : after);
  }
  // Everything is read before anything is written: an output may lie where an input lay.
  llvm::SmallVector<std::pair<int64_t, Value>> stores;
  for (auto [i, output] : llvm::enumerate(outputs))
    if (operands[inputCount + i].access != Access::Row && passOf[output] == pass)
      stores.push_back({inputCount + int64_t(i), lanesOf(output, lanes, column, mask)});
  for (auto [operand, stored] : stores)
    storeLanes(operand, stored, column, mask);
  return next;
}

/// Folds the lanes of every reduction of the pass into its row value.
void RowsEmitter::finishPass(int64_t pass, llvm::ArrayRef<Value> partial) {
  size_t next = 0;
  for (Reduction reduction : reductions)
    if (passOf[reduction->getResult(0)] == pass + 1)
      scalars[reduction->getResult(0)] = reduction.combineLanes(b.op, partial[next++]);
}

void RowsEmitter::emitPass(int64_t pass, Value first, Value end) {
  // Row values that this pass needs are computed before the loop.
  Block &body = kernel.getBody().front();
  for (Value value : body.getArguments())
    if (isRowValue(value))
      (void)scalarOf(value);
  for (Operation &op : body.without_terminator())
    for (Value value : op.getResults())
      if (isRowValue(value) && passOf[value] <= pass && !isa<Reduction>(op))
        (void)scalarOf(value);
  llvm::SmallVector<Value> partial;
  for (Reduction reduction : reductions)
    if (passOf[reduction->getResult(0)] == pass + 1)
      partial.push_back(b.splat(reduction.identity()));
  llvm::SmallVector<Type> types;
  for (Value value : partial)
    types.push_back(value.getType());
  Value length = b.sub(end, first);
  Value tail = b.rem(length, b.lanes());
  Value fullEnd = b.sub(end, tail);
  Values folded = b.loop(first, fullEnd, b.lanes(), partial, [&](Value column, llvm::ArrayRef<Value> carried) {
    return emitBlock(pass, column, Value(), carried);
  });
  partial.assign(folded.begin(), folded.end());
  auto emitTail = [&] { return emitBlock(pass, fullEnd, b.mask(tail), partial); };
  if (partial.empty())
    b.ifThen(b.less(b.integer(0), tail), [&] { (void)emitTail(); });
  else
    partial = b.ifElse(b.less(b.integer(0), tail), types, emitTail, [&] { return Values(partial.begin(), partial.end()); });
  finishPass(pass, partial);
}

void RowsEmitter::emitRow(Value row, Value first, Value end) {
  setRow(row);
  for (int64_t pass = 0; pass < passes; ++pass)
    emitPass(pass, first, end);
  // As in a block: an output may lie where an input lay that another output is made of.
  llvm::SmallVector<std::pair<int64_t, Value>> stores;
  for (auto [i, output] : llvm::enumerate(outputs))
    if (operands[inputCount + i].access == Access::Row)
      stores.push_back({inputCount + int64_t(i), asStored(scalarOf(output), operands[inputCount + i])});
  for (auto [operand, stored] : stores)
    b.storeScalar(stored, rowPointers[operand]);
}

/// Tasks count blocks of rows, and within those blocks of columns when no reduction needs whole rows.
void RowsEmitter::emit() {
  classify();
  Value rows = b.slotInteger(target.slots, RowsSlots::Rows), columns = b.slotInteger(target.slots, RowsSlots::Columns);
  Value rowGrain = b.slotInteger(target.slots, RowsSlots::RowGrain), columnGrain = b.slotInteger(target.slots, RowsSlots::ColumnGrain);
  // A reduction walks its row whole, and an empty row has a result too.
  Value columnBlocks =
      reductions.empty() ? b.div(b.sub(b.add(columns, columnGrain), b.integer(1)), columnGrain) : Value(b.integer(1));
  b.loop(target.begin, target.end, 1, [&](Value task) {
    Value rowBlock = b.div(task, columnBlocks), columnBlock = b.rem(task, columnBlocks);
    Value firstRow = b.mul(rowBlock, rowGrain), endRow = b.min(b.add(firstRow, rowGrain), rows);
    Value first = b.mul(columnBlock, columnGrain), end = b.min(b.add(first, columnGrain), columns);
    b.loop(firstRow, endRow, 1, [&](Value row) { emitRow(row, first, end); });
  });
}

KernelInfo emitRows(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  auto [target, builder] = createKernel(module, name, level);
  RowsEmitter(kernel, target, builder).emit();
  KernelInfo info;
  info.function = target.function;
  RowsSlots slots{int64_t(kernel.getOuter())};
  info.slotCount = slots.count(kernel.getAccess().size());
  return info;
}

} // namespace nacre::cpu
