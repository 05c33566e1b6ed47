// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/KernelEntry.h"

#include "compiler/Target/CPU/EmitProgram.h"
#include "compiler/Target/CPU/VectorBuilder.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace nacre::cpu {
namespace {

constexpr int64_t kPointerBytes = 8;

/// What nacre_launch takes for its workers: the tasks that are wanted, and how many there are.
enum Walk : int64_t { WalkBegin, WalkEnd, WalkScratch, WalkTasks, WalkCount };

enum Status : int64_t { Done = 0, NoLevel = 1, BadExtent = 2 };

class EntryEmitter {
public:
  EntryEmitter(ModuleOp module, const KernelEntry &entry, llvm::StringRef program)
      : module(module), entry(entry), program(program), builder(OpBuilder::atBlockEnd(module.getBody())) {}

  void emit() {
    emitChoose();
    emitRun();
    emitWhole();
    emitTasks();
    emitTask();
    emitScratchBytes();
    emitLevel();
    if (entry.isPacked)
      emitPacked();
  }

private:
  Type i64() { return builder.getI64Type(); }
  Type i32() { return builder.getI32Type(); }
  Type pointer() { return LLVM::LLVMPointerType::get(builder.getContext()); }
  std::string named(llvm::StringRef suffix) const { return (entry.symbol + suffix).str(); }

  /// Extents, pointers and, where there is one, scratch.
  void addOperands(llvm::SmallVectorImpl<Type> &types) {
    types.append(entry.extents.size(), i64());
    types.append(entry.inputs + entry.outputs + (entry.scratchBytes > 0 ? 1 : 0), pointer());
  }

  /// A function whose body `fill` writes and which returns what `fill` does.
  void define(const std::string &name, llvm::ArrayRef<Type> arguments, llvm::ArrayRef<Type> results,
              llvm::function_ref<Values(VectorBuilder &, ValueRange)> fill);
  void call(VectorBuilder &b, const std::string &name, Type result, ValueRange arguments, Value &value) {
    value = func::CallOp::create(b.op, name, TypeRange(result), arguments).getResult(0);
  }

  /// 1 + the position of the level in use; 0 when there is none.
  Value chosen(VectorBuilder &b) {
    Value value;
    call(b, named("_choose"), i64(), {}, value);
    return value;
  }
  /// `values[chosen - 1]`; the first one when there is no level.
  Value pick(VectorBuilder &b, llvm::ArrayRef<Value> values) {
    Value result = values.front(), number = chosen(b);
    for (size_t i = 1; i < values.size(); ++i)
      result = b.select(b.equal(number, b.integer(int64_t(i) + 1)), values[i], result);
    return result;
  }
  Value areGood(VectorBuilder &b, ValueRange extents);
  Value tasksRun(VectorBuilder &b, Value begin, Value end, Value threads, ValueRange operands) {
    llvm::SmallVector<Value> all = {begin, end, threads};
    all.append(operands.begin(), operands.end());
    Value tasks;
    call(b, named("_run"), i64(), all, tasks);
    return tasks;
  }
  /// The status of running tasks [begin, end).
  Value guarded(VectorBuilder &b, Value begin, Value end, Value threads, ValueRange operands);

  void emitChoose();
  void emitRun();
  void emitWhole();
  void emitTasks();
  void emitTask();
  void emitScratchBytes();
  void emitLevel();
  void emitPacked();

  ModuleOp module;
  const KernelEntry &entry;
  llvm::StringRef program;
  OpBuilder builder;
};

} // namespace

static void makeInternal(func::FuncOp function) {
  function->setAttr("llvm.linkage", LLVM::LinkageAttr::get(function.getContext(), LLVM::Linkage::Internal));
}

/// An array of 8-byte places on the stack.
static Value stackArray(VectorBuilder &b, int64_t count) {
  return LLVM::AllocaOp::create(b.op, b.pointer(), b.i64(), b.integer(std::max<int64_t>(count, 1)), /*alignment=*/8);
}
static void put(VectorBuilder &b, Value array, int64_t index, Value value) {
  LLVM::StoreOp::create(b.op, value, b.atByte(array, index * kPointerBytes));
}
static Value status(VectorBuilder &b, int64_t value) { return arith::ConstantOp::create(b.op, b.op.getI32IntegerAttr(int32_t(value))); }

void EntryEmitter::define(const std::string &name, llvm::ArrayRef<Type> arguments, llvm::ArrayRef<Type> results,
                          llvm::function_ref<Values(VectorBuilder &, ValueRange)> fill) {
  auto function = func::FuncOp::create(builder, module.getLoc(), name, builder.getFunctionType(arguments, results));
  function->setAttr("passthrough", builder.getStrArrayAttr({"nounwind"}));
  Block *block = function.addEntryBlock();
  VectorBuilder b(OpBuilder::atBlockBegin(block), module.getLoc(), levels().front());
  Values returned = fill(b, block->getArguments());
  func::ReturnOp::create(b.op, returned);
}

/// The strongest level that the machine supports, looked for once. Threads that come first at the same time find the same.
void EntryEmitter::emitChoose() {
  Type i8 = builder.getI8Type();
  func::FuncOp::create(builder, module.getLoc(), "nacre_cpu_supports", builder.getFunctionType({pointer()}, {i8})).setPrivate();
  std::string known = named("_known");
  auto global = LLVM::GlobalOp::create(builder, module.getLoc(), i64(), false, LLVM::Linkage::Internal, known, builder.getI64IntegerAttr(-1));
  define(named("_choose"), {}, {i64()}, [&](VectorBuilder &b, ValueRange) -> Values {
    Value place = LLVM::AddressOfOp::create(b.op, global);
    Value found = LLVM::LoadOp::create(b.op, i64(), place, 8, false, false, false, false, LLVM::AtomicOrdering::monotonic);
    return b.ifElse(b.less(found, b.integer(0)), {i64()}, [&]() -> Values {
      Value best = b.integer(0);
      for (auto [i, level] : llvm::enumerate(entry.levels)) {
        Value supports;
        call(b, "nacre_cpu_supports", i8, {textAddress(b, module, known, level.first)}, supports);
        Value none = arith::ConstantOp::create(b.op, b.op.getI8IntegerAttr(0));
        Value holds = arith::CmpIOp::create(b.op, arith::CmpIPredicate::ne, supports, none);
        best = b.select(holds, b.integer(int64_t(i) + 1), best);
      }
      LLVM::StoreOp::create(b.op, best, place, 8, false, false, false, LLVM::AtomicOrdering::monotonic);
      return {best};
    }, [&]() -> Values { return {found}; });
  });
}

/// <symbol>_run(begin, end, threads, operands...): tasks [begin, end) of the launch; returns how many there are.
void EntryEmitter::emitRun() {
  llvm::SmallVector<Type> types = {i64(), i64(), i64()};
  addOperands(types);
  define(named("_run"), types, {i64()}, [&](VectorBuilder &b, ValueRange arguments) -> Values {
    ValueRange extents = arguments.slice(3, entry.extents.size()), pointers = arguments.drop_front(3 + entry.extents.size());
    Value null = LLVM::ZeroOp::create(b.op, b.pointer());
    Value dims = stackArray(b, extents.size()), operands = stackArray(b, entry.inputs + entry.outputs), kernel = stackArray(b, 1);
    Value walk = stackArray(b, WalkCount), frame = stackArray(b, FieldCount);
    for (auto [i, extent] : llvm::enumerate(extents))
      put(b, dims, i, extent);
    for (int64_t i = 0; i < entry.inputs + entry.outputs; ++i)
      put(b, operands, i, pointers[i]);
    Values kernels;
    for (const auto &level : entry.levels) {
      func::FuncOp function = level.second;
      Value address = func::ConstantOp::create(b.op, function.getFunctionType(), FlatSymbolRefAttr::get(function));
      kernels.push_back(UnrealizedConversionCastOp::create(b.op, TypeRange(b.pointer()), ValueRange(address)).getResult(0));
    }
    put(b, kernel, 0, pick(b, kernels));
    put(b, walk, WalkBegin, b.max(arguments[0], b.integer(0)));
    put(b, walk, WalkEnd, arguments[1]);
    put(b, walk, WalkScratch, entry.scratchBytes > 0 ? pointers.back() : null);
    for (int64_t i = 0; i < FieldCount; ++i)
      put(b, frame, i, null);
    put(b, frame, FieldDims, dims);
    put(b, frame, FieldInputs, operands);
    put(b, frame, FieldOutputs, b.atByte(operands, entry.inputs * kPointerBytes));
    put(b, frame, FieldKernels, kernel);
    put(b, frame, FieldWorkers, walk);
    put(b, frame, FieldWorkerCount, b.max(arguments[2], b.integer(1)));
    Value ignored;
    call(b, program.str(), i32(), {frame}, ignored);
    return {b.slotInteger(walk, WalkTasks)};
  });
}

Value EntryEmitter::areGood(VectorBuilder &b, ValueRange extents) {
  Value good = b.boolean(true);
  for (auto [extent, range] : llvm::zip(extents, entry.extents)) {
    good = b.both(good, b.compare(arith::CmpIPredicate::sge, extent, b.integer(range.first)));
    good = b.both(good, b.compare(arith::CmpIPredicate::sle, extent, b.integer(range.second)));
  }
  return good;
}

Value EntryEmitter::guarded(VectorBuilder &b, Value begin, Value end, Value threads, ValueRange operands) {
  auto run = [&]() -> Values {
    tasksRun(b, begin, end, threads, operands);
    return {status(b, Done)};
  };
  auto supported = [&]() -> Values {
    return b.ifElse(b.less(b.integer(0), chosen(b)), {i32()}, run, [&]() -> Values { return {status(b, NoLevel)}; });
  };
  return b.ifElse(areGood(b, operands.take_front(entry.extents.size())), {i32()}, supported,
                  [&]() -> Values { return {status(b, BadExtent)}; })[0];
}

void EntryEmitter::emitWhole() {
  llvm::SmallVector<Type> types;
  addOperands(types);
  define(entry.symbol, types, {i32()}, [&](VectorBuilder &b, ValueRange arguments) -> Values {
    return {guarded(b, b.integer(0), b.integer(INT64_MAX), b.integer(1), arguments)};
  });
}

void EntryEmitter::emitTasks() {
  llvm::SmallVector<Type> types(entry.extents.size() + 1, i64());
  define(named("_tasks"), types, {i64()}, [&](VectorBuilder &b, ValueRange arguments) -> Values {
    ValueRange extents = arguments.drop_back();
    return b.ifElse(areGood(b, extents), {i64()}, [&]() -> Values {
      llvm::SmallVector<Value> operands(extents);
      operands.append(entry.inputs + entry.outputs + (entry.scratchBytes > 0 ? 1 : 0), LLVM::ZeroOp::create(b.op, b.pointer()));
      return {tasksRun(b, b.integer(0), b.integer(0), arguments.back(), operands)};
    }, [&]() -> Values { return {b.integer(-BadExtent)}; });
  });
}

void EntryEmitter::emitTask() {
  llvm::SmallVector<Type> types = {i64(), i64(), i64()};
  addOperands(types);
  define(named("_task"), types, {i32()}, [&](VectorBuilder &b, ValueRange arguments) -> Values {
    return {guarded(b, arguments[0], arguments[1], arguments[2], arguments.drop_front(3))};
  });
}

void EntryEmitter::emitScratchBytes() {
  define(named("_scratch_bytes"), {}, {i64()}, [&](VectorBuilder &b, ValueRange) -> Values { return {b.integer(entry.scratchBytes)}; });
}

void EntryEmitter::emitLevel() {
  define(named("_level"), {}, {pointer()}, [&](VectorBuilder &b, ValueRange) -> Values {
    Values names;
    for (const auto &level : entry.levels)
      names.push_back(textAddress(b, module, named("_name"), level.first));
    Value name = pick(b, names);
    return {b.select(b.less(b.integer(0), chosen(b)), name, LLVM::ZeroOp::create(b.op, b.pointer()))};
  });
}

/// <symbol>_packed(values): begin, end, threads, operands; returns the number of tasks.
void EntryEmitter::emitPacked() {
  define(named("_packed"), {pointer()}, {i64()}, [&](VectorBuilder &b, ValueRange arguments) -> Values {
    llvm::SmallVector<Type> types = {i64(), i64(), i64()};
    addOperands(types);
    llvm::SmallVector<Value> values;
    for (auto [i, type] : llvm::enumerate(types))
      values.push_back(type == i64() ? b.slotInteger(arguments[0], i) : b.slotPointer(arguments[0], i));
    return {tasksRun(b, values[0], values[1], values[2], ValueRange(values).drop_front(3))};
  });
}

void emitTaskWalk(ModuleOp module) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  Type pointer = LLVM::LLVMPointerType::get(module.getContext()), i64 = builder.getI64Type();
  auto function = func::FuncOp::create(builder, module.getLoc(), "nacre_launch", builder.getFunctionType({pointer, pointer, i64, pointer}, {}));
  Block *block = function.addEntryBlock();
  VectorBuilder b(OpBuilder::atBlockBegin(block), module.getLoc(), levels().front());
  Value walk = block->getArgument(0), kernel = block->getArgument(1), tasks = block->getArgument(2), slots = block->getArgument(3);
  put(b, walk, WalkTasks, tasks);
  Value begin = b.slotInteger(walk, WalkBegin), end = b.min(b.slotInteger(walk, WalkEnd), tasks);
  b.ifThen(b.less(begin, end), [&] {
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(module.getContext()), {i64, i64, pointer, pointer});
    LLVM::CallOp::create(b.op, type, ValueRange{kernel, begin, end, slots, b.slotPointer(walk, WalkScratch)});
  });
  func::ReturnOp::create(b.op);
}

void emitKernelEntry(ModuleOp module, const KernelEntry &entry, llvm::StringRef program) {
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isDeclaration())
      makeInternal(function);
  EntryEmitter(module, entry, program).emit();
  for (llvm::StringRef suffix : {"_choose", "_run"})
    makeInternal(module.lookupSymbol<func::FuncOp>((entry.symbol + suffix).str()));
}

} // namespace nacre::cpu
