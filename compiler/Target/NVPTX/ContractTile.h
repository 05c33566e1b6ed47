// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parts of a block's tile that the files of the device contraction share. Not for users of the kernel.
//
// A block computes a tile of the result: eight warps in two rows of four. Tiles of both factors pass through shared memory.
#ifndef NACRE_COMPILER_TARGET_NVPTX_CONTRACTTILE_H
#define NACRE_COMPILER_TARGET_NVPTX_CONTRACTTILE_H

#include "compiler/Target/NVPTX/WarpBuilder.h"

#include <memory>

namespace nacre::nvptx::contract {

inline constexpr int64_t kThreads = 256, kWarpRows = 2, kWarpColumns = 4;
inline constexpr int64_t kWarps = kThreads / kWarpThreads;
inline constexpr int64_t kRowGroup = 8; // blocks of rows that are visited together, so that the columns they read stay in L2; not measured

/// Rows and columns of a block's tile.
struct BlockTile {
  int64_t rows, columns;
  int64_t warpRows() const { return rows / kWarpRows; }
  int64_t warpColumns() const { return columns / kWarpColumns; }
};

/// A factor of the product as a block sees it: element (i, k), i a row of A or a column of B, lies `i * along + k * step` elements
/// from `pointer`, which points to global memory. The tile has i from `first` on; those from `count` on count as 0.
struct Factor {
  Value pointer;
  Value along, step;
  Value first, count;
  int64_t extent; // of the tile
};

/// Some steps of k of a factor's tile in shared memory. Either runs of k lie side by side, in rows of 64 bytes whose chunks of 16 bytes
/// are exchanged so that a column of chunks touches all banks; or runs of i do, in rows `pitch` bytes apart.
struct SharedTile {
  int64_t extent, depth, elementBytes, pitch;
  bool byStep;  // runs of k
  int64_t bytes() const { return byStep ? extent * depth * elementBytes : depth * pitch; }
};
inline constexpr int64_t kStepRowBytes = 64, kChunkBytes = 16;

/// The offset of chunk `chunk` of row i in a tile of runs of k.
Value chunkOfRow(WarpBuilder &b, Value i, Value chunk);

/// Where a thread's sums stand in the tile: `width` sums side by side from each place on, in the order of the sums.
struct SumPlaces {
  int64_t width;
  llvm::SmallVector<std::pair<int64_t, int64_t>> places; // from the thread's own
  Value row, column;                                     // the thread's own; rows count from its row of warps on
};

/// How sums are computed. All threads of a block call everything together; shared memory is free before and after each call.
class Product {
public:
  virtual ~Product() = default;
  virtual Values begin() = 0;
  /// Goes on over k in [begin, end), which may be empty.
  virtual Values add(Value begin, Value end, llvm::ArrayRef<Value> sums) = 0;
  virtual SumPlaces places() = 0;
  virtual int64_t sharedBytes() const = 0;
};

/// f32, one sum an element, k ascending, fused multiply-add. With `words` the number of differing bits stands for the product.
std::unique_ptr<Product> createFusedProduct(WarpBuilder &b, const BlockTile &tile, const Factor &left, const Factor &right, bool words);
/// Operands rounded to tf32 or bf16, f32 sums in the order of the tensor cores.
std::unique_ptr<Product> createTensorProduct(WarpBuilder &b, const BlockTile &tile, const Factor &left, const Factor &right,
                                             TensorNumber number);

} // namespace nacre::nvptx::contract

#endif
