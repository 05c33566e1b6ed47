// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/EmitDeviceProgram.h"

#include "compiler/Target/CPU/ProgramEmitter.h"
#include "compiler/Target/NVPTX/DeviceKernels.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace nacre::nvptx {
namespace {

constexpr int64_t kWordBytes = 8;

class DeviceProgramEmitter final : public cpu::ProgramEmitter {
public:
  DeviceProgramEmitter(ModuleOp module, func::FuncOp function, plan::ProgramOp program, const cpu::ProgramTables &tables, cpu::VectorBuilder b,
                       int64_t checkKernel, DeviceTables &constants)
      : ProgramEmitter(module, function, program, tables, std::move(b)), checkKernel(checkKernel), constants(constants) {}

  std::vector<DeviceCheck> checks;
  bool hasFailed = false;

protected:
  void callKernel(plan::LaunchOp launch, Value tasks) override { enqueue(launch, tables.kernels.lookup(launch.getKernel()), tasks, launch.getGuards(), launch.getTaken()); }
  void tap(plan::TapOp tap) override;
  void checkFinite(plan::CheckFiniteOp check) override { enqueueCheck(check, check.getBuffer(), b.integer(kFinite), {}, {}, {}); }
  void checkRange(plan::CheckRangeOp check) override;
  Value tableAddress(const std::vector<int64_t> &values) override;
  void enter(OperandRange, ArrayRef<bool>) override {} // kernels look at their guards themselves
  void leave() override {}
  int64_t extraWords() const override { return CheckSlotCount + kMaxGuards; }

private:
  void enqueue(Operation *op, int64_t kernel, Value tasks, ValueRange guards, ArrayRef<bool> taken);
  void enqueueCheck(Operation *op, Value buffer, Value limit, DeviceCheck check, ValueRange guards, ArrayRef<bool> taken);
  Value guardWords(Operation *op, ValueRange guards, ArrayRef<bool> taken);

  int64_t checkKernel;
  DeviceTables &constants;
};

} // namespace

/// Addresses of the conditions, each with the truth that is wanted in its lowest bit.
Value DeviceProgramEmitter::guardWords(Operation *op, ValueRange guards, ArrayRef<bool> taken) {
  if (guards.empty())
    return LLVM::ZeroOp::create(b.op, b.pointer());
  if (static_cast<int64_t>(guards.size()) > kMaxGuards) {
    op->emitError("expects a value under at most ") << kMaxGuards << " nested conditions on a device, but got " << guards.size();
    hasFailed = true;
    return LLVM::ZeroOp::create(b.op, b.pointer());
  }
  Value words = b.atByte(slots, (maxSlots() + CheckSlotCount) * kWordBytes);
  for (auto [i, guard] : llvm::enumerate(guards))
    LLVM::StoreOp::create(b.op, b.add(asInteger(b, addressOf(guard)), taken[i] ? 1 : 0), b.atByte(words, static_cast<int64_t>(i) * kWordBytes));
  return words;
}

void DeviceProgramEmitter::enqueue(Operation *op, int64_t kernel, Value tasks, ValueRange guards, ArrayRef<bool> taken) {
  Value words = guardWords(op, guards, taken);
  func::CallOp::create(b.op, "nacre_device_launch", TypeRange(),
                       ValueRange{frame, b.integer(kernel), tasks, slots, words, b.integer(static_cast<int64_t>(guards.size()))});
}

void DeviceProgramEmitter::enqueueCheck(Operation *op, Value buffer, Value limit, DeviceCheck check, ValueRange guards, ArrayRef<bool> taken) {
  setSlot(CheckedValue, asInteger(b, addressOf(buffer)));
  setSlot(CheckNumber, b.integer(static_cast<int64_t>(checks.size())));
  setSlot(CheckLimit, limit);
  checks.push_back(std::move(check));
  enqueue(op, checkKernel, b.integer(1), guards, taken);
}

void DeviceProgramEmitter::checkRange(plan::CheckRangeOp check) {
  Dim limit = Dim::parse(check.getLimit()).value_or(Dim());
  enqueueCheck(check, check.getBuffer(), sizeOf(limit), {check.getExpects().str(), check.getUnit().str(), limit}, check.getGuards(), check.getTaken());
}

void DeviceProgramEmitter::tap(plan::TapOp tap) {
  Value words = guardWords(tap, tap.getGuards(), tap.getTaken());
  func::CallOp::create(b.op, "nacre_device_tap", TypeRange(),
                       ValueRange{frame, b.integer(tap.getIndex()), addressOf(tap.getBuffer()), words,
                                  b.integer(static_cast<int64_t>(tap.getGuards().size()))});
}

Value DeviceProgramEmitter::tableAddress(const std::vector<int64_t> &values) {
  auto known = std::search(constants.begin(), constants.end(), values.begin(), values.end());
  int64_t position = known - constants.begin();
  if (known == constants.end())
    constants.insert(constants.end(), values.begin(), values.end());
  return b.atByte(field(cpu::FieldTables), position * kWordBytes);
}

/// What the runtime does for device programs: runtime/src/device_launch.h.
static void declareRuntime(ModuleOp module) {
  if (module.lookupSymbol("nacre_device_launch"))
    return;
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  Type pointer = LLVM::LLVMPointerType::get(module.getContext()), i64 = builder.getI64Type();
  auto declare = [&](StringRef name, ArrayRef<Type> arguments) {
    func::FuncOp::create(builder, module.getLoc(), name, builder.getFunctionType(arguments, {})).setPrivate();
  };
  declare("nacre_device_launch", {pointer, i64, i64, pointer, pointer, i64});
  declare("nacre_device_tap", {pointer, i64, pointer, pointer, i64});
}

FailureOr<std::vector<DeviceCheck>> emitDeviceProgram(ModuleOp module, StringRef symbol, plan::ProgramOp program,
                                                      const cpu::ProgramTables &tables, int64_t checkKernel, DeviceTables &constants) {
  declareRuntime(module);
  auto [function, b] = cpu::createProgram(module, symbol, program);
  DeviceProgramEmitter emitter(module, function, program, tables, b, checkKernel, constants);
  emitter.emit();
  if (emitter.hasFailed)
    return failure();
  return std::move(emitter.checks);
}

} // namespace nacre::nvptx
