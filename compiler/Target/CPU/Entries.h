// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Work on the entries of sparse rows. Entries stand in their rows, values and indices [Rows][K]; or, "listed", they are [K] with a list
// of ascending rows beside them. An index (or a listed row) outside its range marks an unused slot, which reads and adds nothing. A table may be read through any strides: by rows (column stride 1) or as the
// transposed view of a matrix (row stride 1).
#ifndef NACRE_COMPILER_TARGET_CPU_ENTRIES_H
#define NACRE_COMPILER_TARGET_CPU_ENTRIES_H

#include "compiler/Target/CPU/Epilogue.h"
#include "compiler/Target/CPU/KernelInfo.h"

namespace nacre::cpu {

/// out[r][j] = x[r][indices[r][j]], 0 for unused slots.
struct TakeSlots {
  enum : int64_t { X, XRow, Indices, Output, OutputRow, Rows, K, Columns, RowGrain, Count };
};
KernelInfo emitTake(mlir::ModuleOp module, llvm::StringRef name, const Level &level);

/// out[s] = x[rows[s]][indices[s]]. A side of x that repeats has stride 0 and the largest i32 as its size.
struct TakeListedSlots {
  enum : int64_t { X, XRow, XColumn, Indices, RowList, Output, K, Rows, Columns, Count };
};
KernelInfo emitTakeListed(mlir::ModuleOp module, llvm::StringRef name, const Level &level);

/// out[r] = zeros of Columns with values[r][j] added at indices[r][j], j ascending.
struct PlaceSlots {
  enum : int64_t { Values, Indices, Output, OutputRow, Rows, K, Columns, RowGrain, RowList, Count };
};
KernelInfo emitPlace(mlir::ModuleOp module, llvm::StringRef name, const Level &level, bool listed = false);

/// epilogue(sum over j of values[r][j] * table[indices[r][j]][c], extras): one sum an element, j ascending.
struct GatherSumSlots {
  enum : int64_t { Values, Indices, Table, TableRow, TableColumn, TableRows, Rows, K, Width, RowList, TileCount };
};
KernelInfo emitGatherSum(mlir::ModuleOp module, llvm::StringRef name, const Level &level, const EpilogueSpec &spec,
                         bool listed = false);

/// epilogue(sum over c of x[r][c] * table[indices[r][j]][c], extras): c ascending where the table is transposed, else four vectors of
/// partial sums that are added in a fixed tree. Listed, the result is one row [K], and
/// Rows is one more than x has: the last task row takes the slots of no row.
struct SampledSlots {
  enum : int64_t { X, XRow, Indices, Table, TableRow, TableColumn, TableRows, Rows, K, Width, RowList, TileCount };
};
KernelInfo emitSampled(mlir::ModuleOp module, llvm::StringRef name, const Level &level, const EpilogueSpec &spec,
                       bool listed = false);

} // namespace nacre::cpu

#endif
