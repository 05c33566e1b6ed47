// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How tiles of a factor come from global into shared memory: copied while the threads compute, or through registers, rounded on the
// way. What is outside the factor comes as 0 and is not read. Not for users of the kernel.
#ifndef NACRE_COMPILER_TARGET_NVPTX_CONTRACTFEED_H
#define NACRE_COMPILER_TARGET_NVPTX_CONTRACTFEED_H

#include "compiler/Target/NVPTX/ContractTile.h"

namespace nacre::nvptx::contract {

/// Whether quads of a factor, along its runs of k or of i, lie at multiples of 16 bytes from step `begin` on (an i1).
Value hasWholeQuads(WarpBuilder &b, const Factor &factor, bool byStep, Value begin);

/// Where a thread begins in a factor's tiles, and how it goes on from one piece to its next. All that a thread keeps of a factor: what a
/// loop would have to hold for every piece is computed along the way.
struct Walk {
  Value source;                   // global memory, the first piece of a tile whose steps begin at k = 0
  Value place;                    // bytes from where a tile begins in shared memory
  Value left;                     // i64: how many i there are from the piece's own on
  Value step;                     // i64: its k in the tile
  Value nextSource;               // elements
  Value nextPlace;                // bytes
  Value nextLeft, nextStep;       // i64
};

/// Pieces of four elements side by side, or of one; in those neighbouring threads take neighbours in memory.
Walk walkQuads(WarpBuilder &b, const Factor &factor, const SharedTile &tile);
Walk walkElements(WarpBuilder &b, const Factor &factor, const SharedTile &tile);

/// Asynchronous copies of f32. A tile of runs of i takes a factor of any strides, one of runs of k those with a step of 1.
class AsyncFeed {
public:
  AsyncFeed(WarpBuilder &b, const Factor &factor, const SharedTile &tile, Value begin);
  /// Begins to copy steps k.. to `place`; steps from `end` on are 0.
  void issue(Value k, Value end, Value place);

private:
  void copyQuad(Value source, Value place, Value left, Value steps);

  WarpBuilder &b;
  Factor factor;
  SharedTile tile;
  Value whole; // i1
  Walk walk;
};

/// f32 quads that a thread holds until they are stored as bf16.
class RoundingFeed {
public:
  RoundingFeed(WarpBuilder &b, const Factor &factor, const SharedTile &tile, Value begin);
  /// The thread's quads of steps k..; there is at least one k, before `end` or not.
  Values load(Value k, Value end);
  void store(llvm::ArrayRef<Value> quads, Value place);

private:
  int64_t quads() const { return tile.extent * tile.depth / 4 / kThreads; }
  Value loadPart(Value source, Value left, Value steps);

  WarpBuilder &b;
  Factor factor;
  SharedTile tile;
  Value whole;
  Walk walk;
};

} // namespace nacre::nvptx::contract

#endif
