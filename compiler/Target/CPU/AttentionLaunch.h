// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the plan's attention kernels (`attention`, `attention_backward`, `attention_bias_backward`) to CPU code and its slots.
#ifndef NACRE_COMPILER_TARGET_CPU_ATTENTIONLAUNCH_H
#define NACRE_COMPILER_TARGET_CPU_ATTENTIONLAUNCH_H

#include "compiler/Target/CPU/Skeletons.h"

namespace nacre::cpu {

KernelInfo emitAttentionKernel(mlir::ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel);
std::vector<Slot> fillAttention(plan::KernelOp kernel, plan::LaunchOp launch);

} // namespace nacre::cpu

#endif
