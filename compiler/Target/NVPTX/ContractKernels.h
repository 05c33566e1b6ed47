// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which of the plan's kernels are contractions of a block (Contract.h), and with what tiles.
#ifndef NACRE_COMPILER_TARGET_NVPTX_CONTRACTKERNELS_H
#define NACRE_COMPILER_TARGET_NVPTX_CONTRACTKERNELS_H

#include "compiler/Target/NVPTX/ContractFold.h"
#include "dialects/Plan/IR/PlanOps.h"

namespace nacre::nvptx {

/// Whether emitContractKernel serves the kernel.
bool isContractKernel(plan::KernelOp kernel);

/// The parts of the kernel's fold that warps do; nothing when it has none. To be distributed before emitContractKernel.
std::optional<WarpFold> emitContractFold(mlir::ModuleOp module, llvm::StringRef name, plan::KernelOp kernel);

/// Adds the kernel `name` to `module`. Tiles are large where the products of all launches, at the bounds of the plan's dims, have enough
/// of them to fill a device.
BlockKernelInfo emitContractKernel(mlir::ModuleOp module, llvm::StringRef name, plan::KernelOp kernel, plan::Precision precision,
                                   const std::optional<WarpFold> &fold);

} // namespace nacre::nvptx

#endif
