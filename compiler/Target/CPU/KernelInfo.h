// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a launch site must know about an emitted kernel.
#ifndef NACRE_COMPILER_TARGET_CPU_KERNELINFO_H
#define NACRE_COMPILER_TARGET_CPU_KERNELINFO_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace nacre::cpu {

/// ceil(slots[slot] / block), where `blockSlot`, when given, holds the block instead.
struct TaskFactor {
  int64_t slot;
  int64_t block;
  int64_t blockSlot = -1;
};

struct KernelInfo {
  mlir::func::FuncOp function;
  llvm::SmallVector<TaskFactor> tasks; // their product is the number of tasks of a launch
  int64_t slotCount = 0;
  int64_t scratchBytes = 0; // of one worker
  int64_t mostRows = 0;     // of a task, where a launch may choose fewer (Slot::FoldRows)

  /// One launch serves all levels of a kernel, so all must count tasks alike.
  bool hasSameTasks(const KernelInfo &other) const {
    return llvm::equal(tasks, other.tasks, [](const TaskFactor &a, const TaskFactor &b) {
      return a.slot == b.slot && a.block == b.block && a.blockSlot == b.blockSlot;
    });
  }
};

} // namespace nacre::cpu

#endif
