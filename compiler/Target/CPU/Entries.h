// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Work on the entries of sparse rows: values and indices [Rows][K], one row after the other. An index outside its range marks an
// unused slot, which reads nothing and adds nothing. A table may be read through any strides: by rows (column stride 1) or as the
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

/// out[r] = zeros of Columns with values[r][j] added at indices[r][j], j ascending.
struct PlaceSlots {
  enum : int64_t { Values, Indices, Output, OutputRow, Rows, K, Columns, RowGrain, Count };
};
KernelInfo emitPlace(mlir::ModuleOp module, llvm::StringRef name, const Level &level);

/// epilogue(sum over j of values[r][j] * table[indices[r][j]][c], extras): one sum an element, j ascending.
struct GatherSumSlots {
  enum : int64_t { Values, Indices, Table, TableRow, TableColumn, TableRows, Rows, K, Width, TileCount };
};
KernelInfo emitGatherSum(mlir::ModuleOp module, llvm::StringRef name, const Level &level, const EpilogueSpec &spec);

/// epilogue(sum over c of x[r][c] * table[indices[r][j]][c], extras): c ascending where the table is transposed, else four vectors of
/// partial sums that are added in a fixed tree.
struct SampledSlots {
  enum : int64_t { X, XRow, Indices, Table, TableRow, TableColumn, TableRows, Rows, K, Width, TileCount };
};
KernelInfo emitSampled(mlir::ModuleOp module, llvm::StringRef name, const Level &level, const EpilogueSpec &spec);

} // namespace nacre::cpu

#endif
