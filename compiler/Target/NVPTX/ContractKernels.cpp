// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/ContractKernels.h"

#include "compiler/Target/CPU/KernelEpilogue.h"
#include "compiler/Target/CPU/Schedules.h"

using namespace mlir;

namespace nacre::nvptx {

/// Tiles of 128 x 128 that keep a device of about a hundred multiprocessors busy twice over; not measured.
static constexpr int64_t kEnoughTiles = 200;

static cpu::ContractSpec specOf(plan::KernelOp kernel) { return cpu::contractSpec(kernel, cpu::levels().front()); }

bool isContractKernel(plan::KernelOp kernel) {
  StringRef skeleton = kernel.getSkeleton();
  return (skeleton == "contract" || skeleton == "contract_fold") && hasDeviceContract(specOf(kernel));
}

/// The large tiles of a launch; nothing when a dim has no bound.
static std::optional<int64_t> tilesOf(plan::LaunchOp launch, const llvm::StringMap<int64_t> &bounds) {
  std::vector<plan::ViewAttr> views = cpu::viewsOf(launch);
  Layout right = plan::layoutOf(views[1]), result = plan::layoutOf(views.back());
  auto rows = result.sizes[3].evaluate(bounds), columns = right.sizes[3].evaluate(bounds);
  auto matrices = (result.sizes[1] * result.sizes[2]).evaluate(bounds);
  if (!rows || !columns || !matrices)
    return std::nullopt;
  return *matrices * llvm::divideCeil(*rows, 128) * llvm::divideCeil(*columns, 128);
}

static TileSize tileSizeFor(plan::KernelOp kernel) {
  auto module = kernel->getParentOfType<ModuleOp>();
  llvm::StringMap<int64_t> bounds = cpu::dimBounds(module);
  TileSize size = TileSize::Large;
  module.walk([&](plan::LaunchOp launch) {
    if (launch.getKernel() == kernel.getSymName() && tilesOf(launch, bounds).value_or(kEnoughTiles) < kEnoughTiles)
      size = TileSize::Small;
  });
  return size;
}

BlockKernelInfo emitContractKernel(ModuleOp module, llvm::StringRef name, plan::KernelOp kernel, plan::Precision precision) {
  return emitDeviceContract(module, name, specOf(kernel), precision, tileSizeFor(kernel));
}

} // namespace nacre::nvptx
