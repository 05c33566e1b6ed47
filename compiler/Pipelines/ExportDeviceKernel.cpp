// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Pipelines/CarvedLaunch.h"
#include "compiler/Pipelines/ExportedLaunch.h"
#include "compiler/Target/CPU/Skeletons.h"
#include "compiler/Target/NVPTX/DeviceKernels.h"
#include "compiler/Target/NVPTX/EmitPtx.h"
#include "compiler/Target/NVPTX/LowerDevice.h"

using namespace nacre;
using namespace mlir;

static DeviceSlot slotOf(const cpu::Slot &slot, plan::LaunchOp launch, const cpu::KernelInfo &info, std::vector<int64_t> &tables) {
  DeviceSlot result;
  result.value = slot.value;
  result.first = slot.buffer;
  switch (slot.kind) {
  case cpu::Slot::Integer:
    break;
  case cpu::Slot::Pointer:
    result.kind = DeviceSlot::Pointer;
    result.argument = launch.getBuffers()[slot.buffer].getDefiningOp<plan::BufferOp>().getName().str();
    break;
  case cpu::Slot::Table:
    result.kind = DeviceSlot::Table;
    result.first = static_cast<int64_t>(tables.size());
    tables.insert(tables.end(), slot.table.begin(), slot.table.end());
    break;
  case cpu::Slot::RowGrain:
    result.kind = DeviceSlot::RowGrain;
    result.grain = cpu::kGrainElements;
    break;
  case cpu::Slot::FoldRows:
    result.kind = DeviceSlot::FoldRows;
    result.most = info.mostRows;
    break;
  }
  return result;
}

/// The kernel alone, as entry `<symbol>_kernel`, so that nothing else is compiled.
static FailureOr<nvptx::DeviceModule> emitAlone(plan::KernelOp kernel, StringRef symbol) {
  OwningOpRef<ModuleOp> alone = ModuleOp::create(kernel.getLoc());
  auto copy = cast<plan::KernelOp>(kernel->clone());
  copy.setSymName("kernel");
  alone->push_back(copy);
  FailureOr<nvptx::DeviceModule> result = nvptx::emitDeviceKernels(*alone, symbol);
  if (failed(result))
    return failure();
  nvptx::DeviceKernel check = result->kernels.back();
  result->code->lookupSymbol(check.name)->erase();
  check.info.function->erase();
  result->kernels.pop_back();
  return result;
}

FailureOr<DeviceKernelExport> nacre::exportDeviceKernel(ModuleOp module, const ModelDescription &model, const KernelRequest &request,
                                                        StringRef architecture) {
  plan::LaunchOp launch = findLaunch(module, request);
  auto function = llvm::find_if(model.functions, [&](const FunctionDescription &one) { return one.name == request.function; });
  DeviceKernelExport result;
  result.kernel = describeOrigin(launch, model, request);
  result.kernel.levels.clear();
  result.architecture = architecture.str();
  CarvedLaunch carved(launch, model, *function);
  carved.describe(result.kernel);

  plan::KernelOp kernel = kernelOf(launch);
  FailureOr<nvptx::DeviceModule> code = emitAlone(kernel, request.symbol);
  if (failed(code))
    return failure();
  const nvptx::DeviceKernel &device = code->kernels.front();
  result.kernel.scratchBytes = device.info.scratchBytes;
  result.threads = device.shape.threads, result.workers = device.shape.workers, result.sharedBytes = device.shape.sharedBytes;
  for (const cpu::TaskFactor &factor : device.info.tasks)
    result.tasks.push_back({factor.slot, factor.block, factor.blockSlot});
  OpBuilder builder(kernel);
  plan::ProgramOp program = carved.build(builder, request.symbol + "_program");
  auto alone = *program.getOps<plan::LaunchOp>().begin();
  for (const cpu::Slot &slot : cpu::fillSlots(kernel, alone))
    result.slots.push_back(slotOf(slot, alone, device.info, result.tables));
  program.erase();

  if (failed(nvptx::lowerDeviceToLLVM(*code->code)))
    return failure();
  auto made = nvptx::emitPtx(*code->code, *nvptx::findArchitecture(architecture));
  if (!made)
    return kernel.emitError(llvm::toString(made.takeError()));
  result.ptx = std::move(made->ptx), result.ir = std::move(made->ir);
  return result;
}
