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
static std::optional<int64_t> tilesOf(plan::LaunchOp launch, const llvm::StringMap<int64_t> &bounds, bool kernelHasFold) {
  std::vector<plan::ViewAttr> views = cpu::viewsOf(launch);
  Layout right = plan::layoutOf(views[1]), result = plan::layoutOf(views.back());
  auto rows = result.sizes[3].evaluate(bounds), columns = right.sizes[3].evaluate(bounds);
  auto matrices = (result.sizes[1] * result.sizes[2]).evaluate(bounds);
  if (!rows || !columns || !matrices)
    return std::nullopt;
  // The columns of a fold's rows belong to one task.
  int64_t across = kernelHasFold ? 1 : llvm::divideCeil(*columns, 128);
  return *matrices * llvm::divideCeil(*rows, 128) * across;
}

static TileSize tileSizeFor(plan::KernelOp kernel) {
  auto module = kernel->getParentOfType<ModuleOp>();
  llvm::StringMap<int64_t> bounds = cpu::dimBounds(module);
  TileSize size = TileSize::Large;
  const bool hasFold = specOf(kernel).fold.has_value();
  module.walk([&](plan::LaunchOp launch) {
    if (launch.getKernel() == kernel.getSymName() && tilesOf(launch, bounds, hasFold).value_or(kEnoughTiles) < kEnoughTiles)
      size = TileSize::Small;
  });
  return size;
}

std::optional<WarpFold> emitContractFold(ModuleOp module, llvm::StringRef name, plan::KernelOp kernel) {
  cpu::ContractSpec spec = specOf(kernel);
  if (!spec.fold)
    return std::nullopt;
  return emitWarpFold(module, name, spec, tileOf(tileSizeFor(kernel)));
}

BlockKernelInfo emitContractKernel(ModuleOp module, llvm::StringRef name, plan::KernelOp kernel, plan::Precision precision,
                                   const std::optional<WarpFold> &fold) {
  return emitDeviceContract(module, name, specOf(kernel), precision, tileSizeFor(kernel), fold ? &*fold : nullptr);
}

} // namespace nacre::nvptx
