// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Element-wise work and reductions along the last axis, as one kernel over rows.
//
// A row is walked once for every reduction that others wait for: values of the row are recomputed in each pass rather than stored, so a
// row of any length needs no scratch. A reduction keeps one vector of partial results and folds its lanes at the end of the row.
#ifndef NACRE_COMPILER_TARGET_CPU_ROWS_H
#define NACRE_COMPILER_TARGET_CPU_ROWS_H

#include "compiler/Target/CPU/KernelInfo.h"
#include "compiler/Target/CPU/VectorBuilder.h"
#include "dialects/Plan/IR/PlanOps.h"

namespace nacre::cpu {

/// The slots of a rows kernel: counts, then the outer sizes, then for each operand its pointer (or number, or first position) and one
/// stride an axis.
struct RowsSlots {
  int64_t outer; ///< axes before the last one
  enum Fixed : int64_t { Rows, Columns, RowGrain, ColumnGrain, FixedCount };
  int64_t outerSize(int64_t axis) const { return FixedCount + axis; }
  int64_t operand(int64_t index) const { return FixedCount + outer + index * (2 + outer); }
  int64_t stride(int64_t index, int64_t axis) const { return operand(index) + 1 + axis; }
  int64_t count(int64_t operands) const { return operand(operands); }
};

/// Adds the kernel for `level` to `module`. Results depend on the level alone, not on how rows are split.
KernelInfo emitRows(mlir::ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel);

} // namespace nacre::cpu

#endif
