// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a dense array holds, as a list whose length is known only at run time; and integers that must lie in a range. Both report a
// number that the program checks; neither writes beyond its outputs.
#ifndef NACRE_COMPILER_TARGET_CPU_NONZEROS_H
#define NACRE_COMPILER_TARGET_CPU_NONZEROS_H

#include "compiler/Target/CPU/KernelInfo.h"
#include "compiler/Target/CPU/VectorBuilder.h"

namespace nacre::cpu {

/// The non-zeros of x[Rows][Columns] by row, then column: values, columns and rows, each [Limit]; slots that stay empty hold 0, Columns
/// and Rows. Report: how many there are, also when that is more than Limit; then the lists hold no more than their first ones.
/// One task: every row's place depends on those before, and one pass takes about as long as reading x.
struct NonzerosSlots {
  enum : int64_t { X, XRow, Rows, Columns, Values, Indices, RowList, Limit, Report, One, Count };
};
KernelInfo emitNonzeros(mlir::ModuleOp module, llvm::StringRef name, const Level &level);

/// Output: Ids brought into [0, Limit]. Report: one that was outside, else 0. One task.
struct CheckedIdsSlots {
  enum : int64_t { Ids, Length, Limit, Output, Report, One, Count };
};
KernelInfo emitCheckedIds(mlir::ModuleOp module, llvm::StringRef name, const Level &level);

} // namespace nacre::cpu

#endif
