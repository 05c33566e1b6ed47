// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The k best of a list: exact, by bisection on integer keys, the same for any number of threads. Shared by the kernel that selects
// from a stored row and by the fold that selects from tiles of a product.
//
// NaN counts as -inf, both zeros are equal, and among equal ones the first wins.
#ifndef NACRE_COMPILER_TARGET_CPU_SELECTION_H
#define NACRE_COMPILER_TARGET_CPU_SELECTION_H

#include "compiler/Target/CPU/KernelInfo.h"
#include "compiler/Target/CPU/VectorBuilder.h"

namespace nacre::cpu {

/// An i32 that orders as the f32 does, or as its magnitude; scalar or vector.
Value emitKey(VectorBuilder &b, Value x, bool byMagnitude);

/// The value (or magnitude) of a key: a scalar i32 -> f32.
Value emitValueOfKey(VectorBuilder &b, Value key);

/// A list of `count` values, `indices` (null: their positions) beside them. `count` is an i64.
struct Candidates {
  Value values, indices, count;
  bool byMagnitude;
};

/// What stays: keys above `key`, and those equal to it up to position `last`.
struct Cut {
  Value key;  // i32
  Value last; // i64
};

/// The cut that leaves exactly k, 1 <= k <= count.
Cut emitCut(VectorBuilder &b, const Candidates &list, Value k);

/// Stores what stays, in order; with `dropZeros` without zeros. Source and target may be the same memory. Returns how many.
Value emitKept(VectorBuilder &b, const Candidates &list, const Cut &cut, bool dropZeros, Value values, Value indices);

/// The best first, among equal ones the lower index.
void emitRank(VectorBuilder &b, Value values, Value indices, Value count, bool byMagnitude);

/// Value 0 and index `unused` from slot `first` up to slot `end`.
void emitUnused(VectorBuilder &b, Value values, Value indices, Value first, Value end, Value unused);

/// How the chosen entries of a row are ordered: by index, zeros dropped; or the best first.
struct SelectSpec {
  bool byMagnitude = false;
  bool rank = false;
};

/// The k best of every row of x[Rows][Columns] as values and indices; slots that stay empty hold 0 and Columns.
struct SelectSlots {
  enum : int64_t { X, XRow, Rows, Columns, K, Values, ValuesRow, Indices, IndicesRow, RowGrain, Count };
};
KernelInfo emitSelect(mlir::ModuleOp module, llvm::StringRef name, const Level &level, const SelectSpec &spec);

} // namespace nacre::cpu

#endif
