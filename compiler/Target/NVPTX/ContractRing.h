// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The ring of shared tiles through which both factors are fed by asynchronous copies. Not for users of the kernel.
#ifndef NACRE_COMPILER_TARGET_NVPTX_CONTRACTRING_H
#define NACRE_COMPILER_TARGET_NVPTX_CONTRACTRING_H

#include "compiler/Target/NVPTX/ContractFeed.h"

namespace nacre::nvptx::contract {

/// Tiles of both factors, side by side in each stage of the ring.
struct RingShape {
  SharedTile left, right;
  int64_t stages; // a power of two
  int64_t stageBytes() const { return left.bytes() + right.bytes(); }
  int64_t bytes() const { return stages * stageBytes(); }
};

/// Where stage `step mod stages` begins.
Value stageOf(WarpBuilder &b, const RingShape &ring, Value step);

/// What one stage adds to the sums, its tiles given.
using StageBody = llvm::function_ref<Values(Value left, Value right, llvm::ArrayRef<Value> sums)>;

/// Visits k in [begin, end) tile by tile, `stages - 1` tiles ahead under way: one barrier a tile.
Values emitRing(WarpBuilder &b, const RingShape &ring, const Factor &left, const Factor &right, Value begin, Value end,
                llvm::ArrayRef<Value> sums, StageBody body);

/// The same through registers, with rounding: two stages, the next tile in registers while this one is used.
Values emitRoundingRing(WarpBuilder &b, const RingShape &ring, const Factor &left, const Factor &right, Value begin, Value end,
                        llvm::ArrayRef<Value> sums, StageBody body);

} // namespace nacre::nvptx::contract

#endif
