// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the plan's products by expert (`grouped`, `grouped_outer`) to the contraction kernel and its slots.
#ifndef NACRE_COMPILER_TARGET_CPU_GROUPEDLAUNCH_H
#define NACRE_COMPILER_TARGET_CPU_GROUPEDLAUNCH_H

#include "compiler/Target/CPU/Skeletons.h"

namespace nacre::cpu {

KernelInfo emitGrouped(mlir::ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel);
std::vector<Slot> fillGrouped(plan::KernelOp kernel, plan::LaunchOp launch);
std::vector<Slot> fillGroupedOuter(plan::KernelOp kernel, plan::LaunchOp launch);

} // namespace nacre::cpu

#endif
