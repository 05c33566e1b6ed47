// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The element-wise operators of a plan kernel as an epilogue, and its launch's views.
#ifndef NACRE_COMPILER_TARGET_CPU_KERNELEPILOGUE_H
#define NACRE_COMPILER_TARGET_CPU_KERNELEPILOGUE_H

#include "compiler/Target/CPU/Epilogue.h"
#include "compiler/Target/CPU/Skeletons.h"

namespace nacre::cpu {

/// The epilogue of a kernel whose heart has `heartOperands` operands, which stand before the extras. Its outputs are what the kernel
/// yields, or what a fold at its end reads.
EpilogueSpec epilogueOf(plan::KernelOp kernel, int64_t heartOperands);

std::vector<plan::ViewAttr> viewsOf(plan::LaunchOp launch);
inline Slot pointerTo(plan::ViewAttr view) { return Slot::pointer(view.getBuffer(), plan::layoutOf(view).offset); }

} // namespace nacre::cpu

#endif
