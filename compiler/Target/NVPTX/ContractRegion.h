// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Element-wise work on a tile's sums: they pass through shared memory, so that a warp has a row at a time and its accesses to extras
// and outputs are side by side, whatever threads computed the sums. Not for users of the kernel.
#ifndef NACRE_COMPILER_TARGET_NVPTX_CONTRACTREGION_H
#define NACRE_COMPILER_TARGET_NVPTX_CONTRACTREGION_H

#include "compiler/Target/CPU/Epilogue.h"
#include "compiler/Target/NVPTX/ContractTile.h"

namespace nacre::nvptx::contract {

/// Where a block's tile stands, and what meets it. Pointers of matrices are global.
struct Region {
  Value row, rows, column, columns; // first ones of the tile, and numbers of those that exist from there on, at least 1
  llvm::ArrayRef<cpu::TileMatrix> extras, outputs;
  Value checkpoint = nullptr; // its number; null without checkpoints
};

/// Floats between rows of staged sums: four lanes' rows of quads then start in different banks.
inline int64_t stagedPitch(const BlockTile &tile) { return tile.columns + 4; }
/// Bytes of shared memory that so many rows of sums take.
inline int64_t stagedBytes(const BlockTile &tile, int64_t rows) { return rows * stagedPitch(tile) * 4; }

/// Writes a thread's sums to shared memory, its row of warps from row `firstRow` on.
void stageSums(WarpBuilder &b, const BlockTile &tile, const SumPlaces &places, llvm::ArrayRef<Value> sums, Value firstRow);

/// Stores the outputs of a tile, half of it at a time. Shared memory is free before and after.
void emitRegion(WarpBuilder &b, const BlockTile &tile, const cpu::EpilogueSpec &spec, const SumPlaces &places, llvm::ArrayRef<Value> sums,
                const Region &region);

} // namespace nacre::nvptx::contract

#endif
