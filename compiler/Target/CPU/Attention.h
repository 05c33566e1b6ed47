// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention without a stored score matrix.
//
//   score(i, j) = scale * q_i . k_j, then soft-cap, then bias, then mask;  o_i = sum over j of softmax(score)(i, j) v_j
//
// q [B, H, Tq, d], k and v [B, Hk, Tk, d], all with run-time strides for batch, head and row and unit stride along d; query head
// h uses key head floor(h * Hk / H). With i' = i + (Tk - Tq), key j is allowed when j < lengths[b] and, if causal,
// when j <= i' (window: also i' - window < j) or j < prefix[b]. A row with nothing allowed gives 0, log-sum-exp -inf, gradient 0.
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
  bool lengths = false;  // i32 [B]
  bool causal = false;
  bool window = false;   // needs causal
  bool prefix = false;   // i32 [B], needs causal
  int64_t fixedPrefix = 0; // with prefix: one number for all instead; 0: none
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
    ForwardCount,
    DO = ForwardCount, DQ, DK, DV,               // pointers: gradient of O, and the results
    DOBatch, DOHead, DORow, DQBatch, DQHead, DQRow, DKBatch, DKHead, DKRow, DVBatch, DVHead, DVRow,
    BackwardCount
  };
};

/// Adds the forward kernel: one task for each batch, head and block of queries.
KernelInfo emitAttention(mlir::ModuleOp module, llvm::StringRef name, const Level &level, const AttentionSpec &spec);

/// Adds the backward kernel: one task for each batch and key head, which takes its query heads in order, so that no sum is shared.
/// Reads Q, K, V, O, DO and LogSumExp; writes DQ, DK and DV whole. No output may overlap an input.
KernelInfo emitAttentionBackward(mlir::ModuleOp module, llvm::StringRef name, const Level &level, const AttentionSpec &spec);

} // namespace nacre::cpu

#endif
