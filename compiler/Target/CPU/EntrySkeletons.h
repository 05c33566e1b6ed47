// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The skeletons over entries of sparse rows, as a table: who emits a kernel, and how a launch fills its slots.
#ifndef NACRE_COMPILER_TARGET_CPU_ENTRYSKELETONS_H
#define NACRE_COMPILER_TARGET_CPU_ENTRYSKELETONS_H

#include "compiler/Target/CPU/Selection.h"
#include "compiler/Target/CPU/Skeletons.h"

namespace nacre::cpu {

struct EntrySkeleton {
  llvm::StringRef name;
  KernelInfo (*emit)(mlir::ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel);
  std::vector<Slot> (*fill)(plan::KernelOp kernel, plan::LaunchOp launch);
};

/// Which entries an operator of the skeleton `select` chooses.
SelectSpec selectSpecOf(mlir::Operation &op);

/// The skeleton of that name, or null.
const EntrySkeleton *findEntrySkeleton(llvm::StringRef name);

} // namespace nacre::cpu

#endif
