// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the plan's kernels to device code: which builder carries a skeleton, and what a launch must know about the result.
#ifndef NACRE_COMPILER_TARGET_NVPTX_DEVICEKERNELS_H
#define NACRE_COMPILER_TARGET_NVPTX_DEVICEKERNELS_H

#include "compiler/Target/CPU/KernelInfo.h"
#include "compiler/Target/NVPTX/DeviceEntry.h"
#include "dialects/Plan/IR/Packing.h"
#include "dialects/Plan/IR/PlanOps.h"

#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace nacre::nvptx {

struct DeviceKernel {
  std::string name; ///< its entry
  BlockShape shape;
  cpu::KernelInfo info; ///< tasks, slots and scratch; its function is the part without the entry
};

/// The kernel that checks have in common. Slots: the value's address, its number among the program's checks, and the largest integer
/// that is allowed, or kFinite: then it is an f32 that must be finite. It writes the call's status {code, check, found}.
inline constexpr llvm::StringLiteral kCheckKernel = "check";
inline constexpr int64_t kFinite = -1;
enum CheckSlot : int64_t { CheckedValue, CheckNumber, CheckLimit, CheckSlotCount };

struct DeviceModule {
  mlir::OwningOpRef<mlir::ModuleOp> code; ///< kernels with their entries, before lowering
  std::vector<DeviceKernel> kernels;      ///< those of the plan in order, then the check
};

/// Every kernel of `plan` for the device; entries are called `prefix` + "_" + the kernel's name. `precision` is that of products
/// that blocks compute; int8 is f32 there.
mlir::FailureOr<DeviceModule> emitDeviceKernels(mlir::ModuleOp plan, llvm::StringRef prefix,
                                                plan::Precision precision = plan::Precision::F32);

} // namespace nacre::nvptx

#endif
