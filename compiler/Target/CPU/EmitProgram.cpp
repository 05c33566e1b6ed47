// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/EmitProgram.h"

#include "compiler/Target/CPU/ProgramEmitter.h"
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Plan/IR/Packing.h"
#include "dialects/Plan/IR/Unfused.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace nacre::cpu {
namespace {

constexpr int64_t kPointerBytes = 8;
constexpr int32_t kOk = 0, kValue = 2, kNonFinite = 8; // nacre_status

} // namespace

Value textAddress(VectorBuilder &b, ModuleOp module, llvm::StringRef prefix, llvm::StringRef text) {
  OpBuilder atModule = OpBuilder::atBlockBegin(module.getBody());
  std::string name = (prefix + "_text" + Twine(module.getBody()->getOperations().size())).str();
  std::string bytes = text.str() + '\0';
  auto type = LLVM::LLVMArrayType::get(b.op.getI8Type(), bytes.size());
  auto global = LLVM::GlobalOp::create(atModule, b.op.getLoc(), type, true, LLVM::Linkage::Internal, name, b.op.getStringAttr(bytes));
  return LLVM::AddressOfOp::create(b.op, global);
}

Value ProgramEmitter::field(Field which) {
  Value &value = fields[which];
  if (!value)
    value = b.slotPointer(frame, which); // the frame is an array of pointers
  return value;
}

Value ProgramEmitter::sizeOf(const Dim &dim) {
  Value &known = sizes[dim.str()];
  if (known)
    return known;
  Value sum = b.integer(0);
  for (auto &[names, coefficient] : dim.getTerms()) {
    Value term = b.integer(coefficient);
    for (const std::string &name : names)
      term = b.mul(term, b.loadInteger(field(FieldDims), b.integer(tables.dims.lookup(name))));
    sum = b.add(sum, term);
  }
  return sizes[dim.str()] = sum;
}

Value ProgramEmitter::addressOf(plan::BufferOp buffer) {
  Value &known = addresses[buffer];
  if (known)
    return known;
  auto byteAt = [&](Value base, Value offset) -> Value {
    return LLVM::GEPOp::create(b.op, b.pointer(), b.op.getI8Type(), base, llvm::ArrayRef<LLVM::GEPArg>{offset});
  };
  llvm::StringRef space = buffer.getSpace();
  if (space == "arena" || space == "stream")
    return known = byteAt(field(FieldArena), sizeOf(Dim::parse(*buffer.getOffset()).value_or(Dim())));
  if (space == "parameter")
    return known = byteAt(field(FieldParameters), b.integer(tables.parameterOffsets.lookup(buffer.getName())));
  if (space == plan::kPackedSpace)
    return known = byteAt(field(FieldPacked), sizeOf(Dim::parse(*buffer.getOffset()).value_or(Dim())));
  return known = b.slotPointer(field(space == "input" ? FieldInputs : FieldOutputs), buffer.getIndex());
}

/// The address of a constant array, kept once a program as a private global.
Value ProgramEmitter::tableAddress(const std::vector<int64_t> &values) {
  OpBuilder atModule = OpBuilder::atBlockBegin(module.getBody());
  std::string name = (function.getName() + "_table" + Twine(module.getBody()->getOperations().size())).str();
  auto type = LLVM::LLVMArrayType::get(b.i64(), values.size());
  auto content = DenseElementsAttr::get(RankedTensorType::get({int64_t(values.size())}, b.i64()), llvm::ArrayRef<int64_t>(values));
  auto global = LLVM::GlobalOp::create(atModule, function.getLoc(), type, true, LLVM::Linkage::Internal, name, content);
  return LLVM::AddressOfOp::create(b.op, global);
}

Value asInteger(VectorBuilder &b, Value pointer) { return LLVM::PtrToIntOp::create(b.op, b.i64(), pointer); }

Value ProgramEmitter::slotValue(const Slot &slot, plan::LaunchOp launch, llvm::ArrayRef<Value> filled) {
  switch (slot.kind) {
  case Slot::Integer:
    return sizeOf(slot.value);
  case Slot::Pointer: {
    auto buffer = launch.getBuffers()[slot.buffer].getDefiningOp<plan::BufferOp>();
    return asInteger(b, b.at(addressOf(buffer), sizeOf(slot.value)));
  }
  case Slot::Table:
    return asInteger(b, tableAddress(slot.table));
  case Slot::RowGrain: {
    Value columns = b.max(filled[slot.buffer], b.integer(1));
    return b.max(b.div(b.integer(kGrainElements), columns), b.integer(1));
  }
  case Slot::FoldRows: {
    Value share = b.div(b.add(filled[slot.buffer], b.add(workers(), -1)), workers()), tiles = b.ceilDiv(share, kFoldRowStep);
    return b.min(b.max(b.mul(tiles, kFoldRowStep), b.integer(kFoldRowStep)), b.integer(tables.infos.find(launch.getKernel())->second.mostRows));
  }
  }
  llvm_unreachable("a slot of no kind");
}

void ProgramEmitter::setSlot(int64_t index, Value value) { LLVM::StoreOp::create(b.op, value, b.atByte(slots, index * kPointerBytes)); }

void ProgramEmitter::launch(plan::LaunchOp launch) {
  llvm::SmallVector<Value> filled;
  for (const Slot &slot : fillSlots(kernelOf(launch), launch)) {
    filled.push_back(slotValue(slot, launch, filled));
    setSlot(int64_t(filled.size()) - 1, filled.back());
  }
  Value tasks = b.integer(1);
  for (const TaskFactor &factor : tables.infos.find(launch.getKernel())->second.tasks) {
    Value block = factor.blockSlot >= 0 ? filled[factor.blockSlot] : b.integer(factor.block);
    // Rounds up without overflow: a block may be longer than anything.
    Value whole = b.div(filled[factor.slot], block), rest = b.rem(filled[factor.slot], block);
    tasks = b.mul(tasks, b.add(whole, b.min(rest, b.integer(1))));
  }
  callKernel(launch, tasks);
}

void ProgramEmitter::callKernel(plan::LaunchOp launch, Value tasks) {
  Value kernel = b.slotPointer(field(FieldKernels), tables.kernels.lookup(launch.getKernel()));
  if (tables.traced)
    func::CallOp::create(b.op, "nacre_trace_launch", TypeRange(), ValueRange{frame, kernel, tasks, slots, b.integer(launches++)});
  else
    func::CallOp::create(b.op, "nacre_launch", TypeRange(), ValueRange{field(FieldWorkers), kernel, tasks, slots});
}

void ProgramEmitter::returnStatus(int32_t status) {
  Value code = arith::ConstantOp::create(b.op, b.op.getI32IntegerAttr(status));
  func::ReturnOp::create(b.op, code);
}

/// A number is finite unless all bits of its exponent are set.
void ProgramEmitter::checkFinite(plan::CheckFiniteOp check) {
  Value x = b.loadScalar(addressOf(check.getBuffer().getDefiningOp<plan::BufferOp>()));
  Value bits = arith::BitcastOp::create(b.op, b.i32(), x);
  Value exponent = arith::AndIOp::create(b.op, bits, arith::ConstantOp::create(b.op, b.op.getI32IntegerAttr(0x7f800000)));
  Value isFinite = b.compare(arith::CmpIPredicate::ne, exponent, arith::ConstantOp::create(b.op, b.op.getI32IntegerAttr(0x7f800000)));
  Block *next = function.addBlock(), *stop = function.addBlock();
  cf::CondBranchOp::create(b.op, isFinite, next, stop);
  b.op.setInsertionPointToStart(stop);
  returnStatus(kNonFinite);
  b.op.setInsertionPointToStart(next);
}

void ProgramEmitter::checkRange(plan::CheckRangeOp check) {
  Value found = b.extend(b.loadIntScalar(addressOf(check.getBuffer().getDefiningOp<plan::BufferOp>())));
  Value limit = sizeOf(Dim::parse(check.getLimit()).value_or(Dim()));
  Value isOutside = b.compare(arith::CmpIPredicate::ugt, found, limit);
  Block *next = function.addBlock(), *stop = function.addBlock();
  cf::CondBranchOp::create(b.op, isOutside, stop, next);
  b.op.setInsertionPointToStart(stop);
  func::CallOp::create(b.op, "nacre_refuse", TypeRange(),
                       ValueRange{frame, textAddress(check.getExpects()), limit, textAddress(check.getUnit()), found});
  returnStatus(kValue);
  b.op.setInsertionPointToStart(next);
}

void ProgramEmitter::tap(plan::TapOp tap) {
  Value data = addressOf(tap.getBuffer().getDefiningOp<plan::BufferOp>());
  func::CallOp::create(b.op, "nacre_apply_taps", TypeRange(), ValueRange{frame, b.integer(tap.getIndex()), data});
}

/// Conditions are 1 or 0, so the bits say it.
Value ProgramEmitter::isNotZero(Value buffer) {
  Value bits = arith::BitcastOp::create(b.op, b.i32(), b.loadScalar(addressOf(buffer.getDefiningOp<plan::BufferOp>())));
  return b.compare(arith::CmpIPredicate::ne, bits, arith::ConstantOp::create(b.op, b.op.getI32IntegerAttr(0)));
}

void ProgramEmitter::leave() {
  if (!branch)
    return;
  cf::BranchOp::create(b.op, branch->after);
  b.op.setInsertionPointToStart(branch->after);
  sizes = std::move(branch->sizes);
  fields = std::move(branch->fields);
  addresses = std::move(branch->addresses);
  branch.reset();
}

void ProgramEmitter::enter(OperandRange conditions, llvm::ArrayRef<bool> taken) {
  llvm::SmallVector<Value> wanted(conditions);
  if (branch && branch->conditions == wanted && llvm::ArrayRef<bool>(branch->taken) == taken)
    return;
  leave();
  if (wanted.empty())
    return;
  Value holds;
  for (auto [buffer, wantsTrue] : llvm::zip(wanted, taken)) {
    Value one = isNotZero(buffer);
    if (!wantsTrue)
      one = arith::XOrIOp::create(b.op, one, arith::ConstantOp::create(b.op, b.op.getBoolAttr(true)));
    holds = holds ? arith::AndIOp::create(b.op, holds, one).getResult() : one;
  }
  Block *inside = function.addBlock(), *after = function.addBlock();
  cf::CondBranchOp::create(b.op, holds, inside, after);
  b.op.setInsertionPointToStart(inside);
  branch = Branch{wanted, llvm::SmallVector<bool>(taken), after, sizes, fields, addresses};
}

int64_t ProgramEmitter::maxSlots() {
  int64_t count = 1;
  for (auto launch : program.getOps<plan::LaunchOp>())
    count = std::max(count, int64_t(fillSlots(kernelOf(launch), launch).size()));
  return count;
}

void ProgramEmitter::emit() {
  frame = function.getArgument(0);
  slots = LLVM::AllocaOp::create(b.op, b.pointer(), b.i64(), b.integer(maxSlots() + extraWords()), /*alignment=*/64);
  for (Operation &op : program.getBody().front()) {
    if (auto one = dyn_cast<plan::LaunchOp>(op)) {
      enter(one.getGuards(), one.getTaken());
      launch(one);
    } else if (auto one = dyn_cast<plan::TapOp>(op)) {
      enter(one.getGuards(), one.getTaken());
      tap(one);
    } else if (auto check = dyn_cast<plan::CheckRangeOp>(op)) {
      enter(check.getGuards(), check.getTaken());
      checkRange(check);
    } else if (auto check = dyn_cast<plan::CheckFiniteOp>(op)) {
      leave();
      checkFinite(check);
    }
  }
  leave();
  returnStatus(kOk);
}

/// What the runtime does for programs: runtime/src/workers.h, trace.h, taps.h and refuse.h.
static void declareRuntime(ModuleOp module, OpBuilder &builder) {
  if (module.lookupSymbol("nacre_launch"))
    return;
  Type pointer = LLVM::LLVMPointerType::get(module.getContext()), i64 = builder.getI64Type();
  auto declare = [&](llvm::StringRef name, llvm::ArrayRef<Type> arguments) {
    func::FuncOp::create(builder, module.getLoc(), name, builder.getFunctionType(arguments, {})).setPrivate();
  };
  declare("nacre_launch", {pointer, pointer, i64, pointer});
  declare("nacre_trace_launch", {pointer, pointer, i64, pointer, i64});
  declare("nacre_apply_taps", {pointer, i64, pointer});
  declare("nacre_refuse", {pointer, pointer, i64, pointer, i64});
}

std::pair<func::FuncOp, VectorBuilder> createProgram(ModuleOp module, llvm::StringRef symbol, plan::ProgramOp program) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  Type pointer = LLVM::LLVMPointerType::get(module.getContext());
  auto function = func::FuncOp::create(builder, program.getLoc(), symbol, builder.getFunctionType({pointer}, {builder.getI32Type()}));
  if (program->hasAttr(plan::kUnfused))
    function->setAttr("passthrough", builder.getStrArrayAttr({"noinline", "optnone"}));
  Block *entry = function.addEntryBlock();
  return {function, VectorBuilder(OpBuilder::atBlockBegin(entry), program.getLoc(), levels().front())};
}

void emitProgram(ModuleOp module, llvm::StringRef symbol, plan::ProgramOp program, const ProgramTables &tables) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  declareRuntime(module, builder);
  auto [function, b] = createProgram(module, symbol, program);
  ProgramEmitter(module, function, program, tables, b).emit();
}

} // namespace nacre::cpu
