// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention without a stored score matrix.
//
//   score(i, j) = scale * q_i . k_j, then soft-cap, then biases, then masks;  o_i = sum over j of softmax(score)(i, j) c(i, j) v_j
//
// q [B, H, Tq, d], k and v [B, Hk, Tk, d], all with run-time strides for batch, head and row and unit stride along d; query head
// h uses key head floor(h * Hk / H). With i' = i + (Tk - Tq), key j is allowed when j < lengths[b] and, if causal,
// when j <= i' (window: also i' - window < j) or j < prefix[b]; a mask must allow it as well. A row with nothing allowed gives 0,
// log-sum-exp -inf, gradient 0. A strip [H, Tq + Tk - 1] holds a number for each distance: entry i - j + Tk - 1 for the pair (i, j).
//
// Numerics: f32; scores are kept in units of log2, exponentials by the polynomial exp2 of ExpandMath.h; online maximum over
// blocks of keys that are fixed by the schedule. Bits depend on neither tasks nor threads.
#ifndef NACRE_COMPILER_TARGET_CPU_ATTENTION_H
#define NACRE_COMPILER_TARGET_CPU_ATTENTION_H

#include "compiler/Target/CPU/KernelInfo.h"
#include "compiler/Target/CPU/VectorBuilder.h"

namespace nacre::cpu {

struct AttentionSpec {
  double scale = 1;
  double softCap = 0;    // score -> softCap * tanh(score / softCap); 0: none
  bool bias = false;     // added to the score; may hold -inf
  bool relative = false; // a strip, added to the score
  bool alibi = false;    // 2^(-8 (h + 1) / H) * (j - i') is added to the score
  bool mask = false;     // i32, not 0: allowed
  bool factors = false;  // a strip that multiplies the weights: c(i, j); default 1
  bool lengths = false;  // i32 [B]
  bool causal = false;
  bool window = false;   // needs causal
  bool prefix = false;   // i32 [B], needs causal
  int64_t fixedPrefix = 0; // with prefix: one number for all instead; 0: none
  bool partial = false;   // forward, with lengths: rows of queries at or beyond lengths[b] are left unwritten
  bool logSumExp = false; // forward: also written, natural logarithm
  int64_t widthBound = 128; // d never exceeds it; scratch grows with it
};

/// Slots of both kernels. Strides count elements. What a specification does not use may stay unset.
struct AttentionSlots {
  enum Slot : int64_t {
    Q, K, V, O,                                  // pointers; O is an output of the forward kernel, an input of the backward one
    LogSumExp,                                   // pointer to contiguous [B, H, Tq]
    Batch, Heads, KeyHeads, Queries, Keys, Width, // extents B, H, Hk, Tq, Tk, d
    QBatch, QHead, QRow, KBatch, KHead, KRow, VBatch, VHead, VRow, OBatch, OHead, ORow,
    Lengths, Prefix,                             // pointers to i32 [B]
    Window,                                      // >= 1
    Bias, BiasBatch, BiasHead, BiasRow, BiasColumn, // pointer and strides, 0 allowed
    Mask, MaskBatch, MaskHead, MaskRow, MaskColumn, // likewise
    Relative, RelativeHead, Factors, FactorsHead, // strips: pointer and stride of a head, 0 allowed
    ForwardCount,
    DO = ForwardCount, DQ, DK, DV,               // pointers: gradient of O, and the results
    DOBatch, DOHead, DORow, DQBatch, DQHead, DQRow, DKBatch, DKHead, DKRow, DVBatch, DVHead, DVRow,
    BackwardCount,
    DBias = BackwardCount,                       // pointer: the result of the kernel for biases
    DBiasBatch, DBiasHead, DBiasRow, DBiasColumn, // its strides, 0 where entries are shared; a strip has row 1 and column -1
    DBiasBatches, DBiasHeads, DBiasRows, DBiasColumns, // its extents; a strip has one row of Tq + Tk - 1 columns
    BiasBackwardCount
  };
};

/// Whose gradient the kernel for biases computes.
enum class BiasGradient { Bias, Relative, Factors };

/// Adds the forward kernel: one task for each batch, head and block of queries.
KernelInfo emitAttention(mlir::ModuleOp module, llvm::StringRef name, const Level &level, const AttentionSpec &spec);

/// Adds the backward kernel: one task for each batch and key head, which takes its query heads in order, so that no sum is shared.
/// Reads Q, K, V, O, DO and LogSumExp; writes DQ, DK and DV whole. No output may overlap an input.
KernelInfo emitAttentionBackward(mlir::ModuleOp module, llvm::StringRef name, const Level &level, const AttentionSpec &spec);

/// Adds the kernel that writes DBias whole: scores are recomputed, and every task owns a batch, a head and a block of rows of the
/// result, over which it sums whatever shares them in order. Reads what the backward kernel reads.
KernelInfo emitAttentionBiasBackward(mlir::ModuleOp module, llvm::StringRef name, const Level &level, const AttentionSpec &spec,
                                     BiasGradient of);

} // namespace nacre::cpu

#endif
