// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Folds of a block's tiles: a contraction that keeps a small state of every row and stores nothing else.
//
// The product is the block's; its rows, staged in shared memory, are folded by warps, as generic kernels do it: a warp has a share of the
// tile's rows and their states in its part of the block's scratch. So columns of a row come in ascending order, ties are the CPU's.
#ifndef NACRE_COMPILER_TARGET_NVPTX_CONTRACTFOLD_H
#define NACRE_COMPILER_TARGET_NVPTX_CONTRACTFOLD_H

#include "compiler/Target/NVPTX/Contract.h"
#include "compiler/Target/NVPTX/ContractTile.h"

namespace nacre::nvptx {

/// What a warp does with its rows, as functions in the manner of CPU kernels: (begin, end, slots, scratch) are the rows [begin, end) of a
/// matrix, the launch's slots, and the rows' states. Each takes the matrix' number, too. They hold vectors of 32 lanes until
/// `distributeVectors` and `synchronizeWarps` have seen them.
struct WarpFold {
  mlir::func::FuncOp begin;  // (..., matrix)
  mlir::func::FuncOp take;   // (..., matrix, column, columns, sums): from `column` on, of row `begin` first; rows a tile's pitch apart
  mlir::func::FuncOp finish; // (..., matrix)
  int64_t bytes = 0;         // of a warp's states
};

/// Adds them to `module` as `name` + "_begin" and so on. Requires a fold in `spec`.
WarpFold emitWarpFold(mlir::ModuleOp module, llvm::StringRef name, const cpu::ContractSpec &spec, const contract::BlockTile &tile);

} // namespace nacre::nvptx

#endif
