// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of entries by index. Entries are sorted by index once; then every segment is one task's, its entries in ascending order: no
// atomics, and the same bits for any number of threads.
#ifndef NACRE_COMPILER_TARGET_CPU_SEGMENTS_H
#define NACRE_COMPILER_TARGET_CPU_SEGMENTS_H

#include "compiler/Target/CPU/Epilogue.h"
#include "compiler/Target/CPU/KernelInfo.h"

namespace nacre::cpu {

/// Counting sort of Rows * K indices. Entry e stands in row e / K; or, listed, K entries name their rows, which must lie in [0, Rows).
/// order: the entries with an index in [0, Segments), by index and then
/// in their order; rows: their rows; ends[i]: where segment i ends, and i + 1 begins. All other entries
/// make up one segment more, Segments, so there are Segments + 1 ends.
/// One task: the sort is short beside the work that it serves.
struct SegmentOrderSlots {
  enum : int64_t { Indices, Order, EntryRows, Ends, Rows, K, Segments, One, RowList, Count };
};
KernelInfo emitSegmentOrder(mlir::ModuleOp module, llvm::StringRef name, const Level &level, bool listed = false);

/// Where segment `i` begins and ends.
std::pair<Value, Value> emitSegmentBounds(VectorBuilder &b, Value ends, Value i);

/// out[order[s]] = the place of s within its segment; 0 for entries of none. Segments counts that of those too.
struct SegmentPositionSlots {
  enum : int64_t { Order, Ends, Output, Segments, Count };
};
KernelInfo emitSegmentPosition(mlir::ModuleOp module, llvm::StringRef name, const Level &level);

/// out[i] = sum of values[order[s]] over segment i.
struct SegmentSumSlots {
  enum : int64_t { Values, Order, Ends, Output, Segments, Count };
};
KernelInfo emitSegmentSum(mlir::ModuleOp module, llvm::StringRef name, const Level &level);

/// epilogue(sum over segment i of values[order[s]] * x[rows[s]][c], extras) for every segment i and column c < Width.
struct SegmentSpec : EpilogueSpec {
  /// Extras and outputs lie column by column: their "rows" are the columns c, and segments lie side by side.
  bool transposed = false;
};
struct SegmentSlots {
  enum : int64_t { Values, Order, EntryRows, Ends, X, XRow, Segments, Width, TileCount };
};
KernelInfo emitSegment(mlir::ModuleOp module, llvm::StringRef name, const Level &level, const SegmentSpec &spec);

} // namespace nacre::cpu

#endif
