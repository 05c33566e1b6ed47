// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Folds of a product's tiles: a contraction that keeps a small state of every row and stores nothing else. Not for users of the kernel.
//
// Columns of a row come in ascending order and the sums are those of the stored form, so a choice is the same, ties included.
#ifndef NACRE_COMPILER_TARGET_CPU_CONTRACTFOLD_H
#define NACRE_COMPILER_TARGET_CPU_CONTRACTFOLD_H

#include "compiler/Target/CPU/ContractBlock.h"

#include <memory>

namespace nacre::cpu::contract {

/// Emits the parts of a fold. State lies in a worker's scratch, one part for each row of a block.
class TileFold {
public:
  virtual ~TileFold() = default;
  /// Bytes of state for a block of rows.
  virtual int64_t bytes() const = 0;
  /// The states of the block's rows, before anything was seen.
  virtual void begin(VectorBuilder &b, Value state, const Block &block) = 0;
  /// The next columns of some rows of a block that begins at row `block.row`: the epilogue's result is folded.
  virtual void take(VectorBuilder &b, Value state, const Block &block, const EpilogueRegion &region) = 0;
  /// Writes the results of the block's rows; `columns` is the length of a row of the product.
  virtual void finish(VectorBuilder &b, Value state, const Block &block, Value columns) = 0;
};

/// The fold for a spec that has one. The best of a row is kept lane by lane; of the k best a threshold and a buffer that is cut down
/// whenever it is full; of a log-sum-exp maximum and sum, lane by lane; a weighted sum grows in its place.
std::unique_ptr<TileFold> createFold(const ContractSpec &spec, const Level &level);

} // namespace nacre::cpu::contract

#endif
