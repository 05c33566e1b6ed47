// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What both backward kernels of attention begin with: weights and slopes of a block of queries and a block of keys, recomputed in
// scratch from the log-sum-exp and kept transposed as in the forward kernel.
#ifndef NACRE_COMPILER_TARGET_CPU_ATTENTIONBLOCKS_H
#define NACRE_COMPILER_TARGET_CPU_ATTENTIONBLOCKS_H

#include "compiler/Target/CPU/AttentionScores.h"

namespace nacre::cpu::attention {

/// A tensor of one head: pointer and row stride.
struct Rows {
  Value pointer, stride;
};

/// What the slopes D of a pair become; with dP = c (v . dO) and delta_i = o_i . dO_i.
enum class Slopes {
  Scores,  ///< P (dP - delta) * scale * slope of the soft-cap: of q . k
  Biases,  ///< P (dP - delta)
  Factors, ///< P (v . dO)
};

class ScoreBlocks {
public:
  static constexpr int64_t queryBlock = 192; // long sums for dK and dV; a multiple of lanes and tallRows on every level
  static constexpr int64_t keyBlock = 120;   // a multiple of tileRows and tallRows on every level; P and D take 190 KiB

  ScoreBlocks(VectorBuilder &builder, const Kernel &kernel, const AttentionSpec &spec, Slopes slopes);

  /// A worker's scratch, in elements.
  int64_t rowWidth;                                                    // of a row: d in whole vectors
  int64_t block() const { return rowWidth * queryBlock; }
  int64_t queryPanel() const { return 0; }                             // [d][queryBlock], scaled
  int64_t gradientPanel() const { return block(); }                    // [d][queryBlock] of dO, scaled
  int64_t weights() const { return 2 * block(); }                      // P times factors [keyBlock][queryBlock]
  int64_t slopes() const { return weights() + keyBlock * queryBlock; } // D [keyBlock][queryBlock]
  int64_t logs() const { return slopes() + keyBlock * queryBlock; }    // -log-sum-exp in units of log2 [queryBlock]
  int64_t deltas() const { return logs() + queryBlock; }               // -delta, scaled [queryBlock]
  int64_t end() const { return deltas() + queryBlock; }                // where a kernel may keep more

  Value slot(int64_t index) { return b.slotInteger(kernel.slots, index); }
  Value scratch(int64_t offset) { return b.at(kernel.scratch, offset); }
  /// Tensor rows of a head of the batch at hand.
  Rows head(int64_t pointer, int64_t strides, Value number);

  /// Moves to a batch and a key head.
  void enter(Value batch, Value keyHead);
  /// Packs queries [first, first + queryBlock) of a head; Q, O, DO and LogSumExp are read.
  void enterQueries(Value head, Value first, double rawScale);
  /// Emits `body` for every block of keys that the queries may see, after its P and D.
  void forKeys(Scores &scores, llvm::function_ref<void(Value firstKey, Value count)> body);

  Value batch, width;
  Rows k, v;
  Value firstQuery, rows, lastQuery, reach; // of the block of queries; reach: rows in whole tiles
  Rows q, dO;                               // of the head at hand

private:
  double gradientScale() const { return kind == Slopes::Scores ? spec.scale : 1; }
  void packQueries(double rawScale);
  void loadLogs(Value head);
  void computeDeltas(const Rows &o);
  void emitProducts(Scores &scores, Value firstKey, Value count);
  void emitWeights(Scores &scores, Value firstKey, Value count);
  Value slopeOf(Value product, Value weight, Value factor, Value capSlope, Value column);

  VectorBuilder &b;
  const Kernel &kernel;
  const AttentionSpec &spec;
  Slopes kind;
};

} // namespace nacre::cpu::attention

#endif
