// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/DeviceKernels.h"

#include "compiler/Target/CPU/Skeletons.h"
#include "compiler/Target/CPU/VectorBuilder.h"
#include "compiler/Target/NVPTX/ContractKernels.h"
#include "compiler/Target/NVPTX/DistributeVectors.h"
#include "compiler/Target/NVPTX/SynchronizeWarps.h"
#include "compiler/Target/NVPTX/Warp.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nacre::nvptx {

static constexpr int64_t kScratchAlignment = 64;

/// Skeletons that read and write an element in the same lane, wherever vectors touch it: each element is one column of one row.
static bool elementsStay(StringRef skeleton) { return skeleton == "rows" || skeleton == "columns"; }

static Value i32(cpu::VectorBuilder &b, int32_t value) { return arith::ConstantOp::create(b.op, b.op.getI32IntegerAttr(value)); }

/// A failed check: which, what was found, and then the code, which ends the call.
static void reportFailure(cpu::VectorBuilder &b, const cpu::Kernel &kernel, Value isBroken, int32_t code, Value found) {
  b.ifThen(isBroken, [&] {
    Value status = b.slotPointer(kernel.slots, kStatusBeforeSlots);
    b.storeScalar(b.truncate(b.slotInteger(kernel.slots, CheckNumber)), b.at(status, 1));
    b.storeScalar(found, b.at(status, 2));
    b.storeScalar(i32(b, code), status);
  });
}

static cpu::KernelInfo emitCheck(ModuleOp module, StringRef name) {
  constexpr int32_t kValue = 2, kNonFinite = 8, kExponent = 0x7f800000; // nacre_status; all bits of an f32's exponent
  auto [kernel, b] = cpu::createKernel(module, name, warpLevel());
  Value found = b.loadIntScalar(b.slotPointer(kernel.slots, CheckedValue)), limit = b.slotInteger(kernel.slots, CheckLimit);
  auto isNumber = [&, &b = b](Value word) { return b.equal(b.both(word, i32(b, kExponent)), i32(b, kExponent)); };
  b.ifElse(
      b.equal(limit, b.integer(kFinite)), [&, &b = b, &kernel = kernel] { reportFailure(b, kernel, isNumber(found), kNonFinite, found); },
      [&, &b = b, &kernel = kernel] {
        reportFailure(b, kernel, b.compare(arith::CmpIPredicate::ugt, b.extend(found), limit), kValue, found);
      });
  cpu::KernelInfo info;
  info.function = kernel.function;
  info.slotCount = CheckSlotCount;
  return info;
}

/// Kernels of vectors become kernels of warps.
static LogicalResult distribute(ModuleOp code, ArrayRef<std::pair<func::FuncOp, StringRef>> kernels) {
  if (failed(distributeVectors(code)))
    return failure();
  for (auto [function, skeleton] : kernels)
    synchronizeWarps(function, function.getArgument(2), elementsStay(skeleton));
  return success();
}

/// Kernels of blocks take the place of those of warps that were left out for them.
static void emitBlockKernels(ModuleOp plan, DeviceModule &result, plan::Precision precision,
                             const llvm::StringMap<std::optional<WarpFold>> &folds) {
  for (auto [kernel, place] : llvm::zip(plan.getOps<plan::KernelOp>(), result.kernels))
    if (isContractKernel(kernel)) {
      BlockKernelInfo info = emitContractKernel(*result.code, place.name + "_tasks", kernel, precision, folds.lookup(place.name));
      place.shape = {info.threads, 1, info.sharedBytes};
      place.info = info;
    }
}

FailureOr<DeviceModule> emitDeviceKernels(ModuleOp plan, StringRef prefix, plan::Precision precision) {
  DeviceModule result;
  result.code = ModuleOp::create(plan.getLoc(), prefix);
  SmallVector<std::pair<func::FuncOp, StringRef>> generic;
  llvm::StringMap<std::optional<WarpFold>> folds;
  for (auto kernel : plan.getOps<plan::KernelOp>()) {
    std::string name = (prefix + "_" + kernel.getSymName()).str();
    if (isContractKernel(kernel)) {
      result.kernels.push_back({name, {}, {}});
      if (std::optional<WarpFold> fold = folds[name] = emitContractFold(*result.code, name, kernel))
        for (func::FuncOp part : {fold->begin, fold->take, fold->finish})
          generic.push_back({part, kernel.getSkeleton()});
      continue;
    }
    FailureOr<cpu::KernelInfo> info = cpu::emitKernel(*result.code, name + "_tasks", warpLevel(), kernel);
    if (failed(info))
      return failure();
    generic.push_back({info->function, kernel.getSkeleton()});
    result.kernels.push_back({name, {kWarpsOfBlock * kWarpLanes, kWarpsOfBlock}, *info});
  }
  std::string name = (prefix + "_" + kCheckKernel).str();
  result.kernels.push_back({name, {kWarpLanes, 1}, emitCheck(*result.code, name + "_tasks")});
  generic.push_back({result.kernels.back().info.function, kCheckKernel});
  if (failed(distribute(*result.code, generic)))
    return failure();
  emitBlockKernels(plan, result, precision, folds);
  for (DeviceKernel &kernel : result.kernels) {
    kernel.info.scratchBytes = llvm::alignTo(kernel.info.scratchBytes, kScratchAlignment);
    addDeviceEntry(kernel.info.function, kernel.name, kernel.shape, kernel.info.slotCount, kernel.info.scratchBytes);
  }
  return std::move(result);
}

} // namespace nacre::nvptx
