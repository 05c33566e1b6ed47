// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A reduction along an axis that is not the last: sums over the batch, means over tokens.
#ifndef NACRE_COMPILER_TARGET_CPU_COLUMNS_H
#define NACRE_COMPILER_TARGET_CPU_COLUMNS_H

#include "compiler/Target/CPU/KernelInfo.h"
#include "compiler/Target/CPU/VectorBuilder.h"
#include "dialects/Plan/IR/PlanOps.h"

namespace nacre::cpu {

/// y[o][i] = fold over r of x[o][r][i], elements of i next to each other.
struct ColumnsSlots {
  enum : int64_t { Input, Output, Outer, Reduced, Inner, InputOuter, InputReduced, OutputOuter, Count };
};

/// Rows are folded in ascending order, so the bits depend on the shapes alone. Tasks = outer * blocks of columns.
KernelInfo emitColumns(mlir::ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel);

} // namespace nacre::cpu

#endif
