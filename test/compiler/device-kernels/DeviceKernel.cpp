// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/compiler/device-kernels/DeviceKernel.h"

#include "compiler/Target/CPU/LowerKernels.h"
#include "compiler/Target/NVPTX/DeviceEntry.h"
#include "compiler/Target/NVPTX/EmitPtx.h"
#include "compiler/Target/NVPTX/LowerDevice.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

using namespace mlir;

namespace nacre::nvptx {

static constexpr uint32_t kMostBlocks = 3; // fewer than tasks, so that a block does several

DeviceKernel::DeviceKernel(const Emit &emit) {
  DialectRegistry registry;
  cpu::registerKernelDialects(registry);
  registerDeviceDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  info = emit(*module, "kernel_tasks");
  addDeviceEntry(info.function, "kernel", {info.threads, 1, info.sharedBytes}, info.slotCount, info.scratchBytes);
  info.function = {};
  if (failed(lowerDeviceToLLVM(*module))) {
    message = "the kernel cannot be lowered";
    return;
  }
  auto made = emitPtx(*module, architectures().front());
  if (!made) {
    message = llvm::toString(made.takeError());
    return;
  }
  text = made->ptx;
  code = simt::DeviceModule::build(made->ir, message);
}

std::string DeviceKernel::run(const Slots &slots, int order) {
  int64_t tasks = 1;
  for (const cpu::TaskFactor &factor : info.tasks)
    tasks *= llvm::divideCeil(slots.all()[static_cast<size_t>(factor.slot)],
                              factor.blockSlot < 0 ? factor.block : slots.all()[static_cast<size_t>(factor.blockSlot)]);
  if (tasks == 0)
    return "";
  int32_t status[4] = {};
  std::vector<char> scratch(static_cast<size_t>(kMostBlocks * info.scratchBytes) + 1);
  std::vector<int64_t> launch(WordSlots);
  launch[WordTasks] = tasks;
  launch[WordScratch] = reinterpret_cast<int64_t>(scratch.data());
  launch[WordStatus] = reinterpret_cast<int64_t>(status);
  launch.insert(launch.end(), slots.all().begin(), slots.all().end());
  uint32_t blocks = static_cast<uint32_t>(std::min<int64_t>(tasks, kMostBlocks));
  return code->launch("kernel", {blocks}, {static_cast<uint32_t>(info.threads)}, {launch.data()}, order, info.sharedBytes).message;
}

} // namespace nacre::nvptx
