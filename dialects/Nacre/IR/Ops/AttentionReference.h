// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention by its formula in f64, row by row: the reference of all operators of the family. Shares nothing with any lowering.
#pragma once

#include "dialects/Nacre/Reference/Array.h"

namespace nacre {

/// What turns q.k into weights; arrays that are absent are null.
struct AttentionRule {
  double scale = 1, softcap = 0;
  bool causal = false, alibi = false;
  int64_t window = 0, prefix = 0;
  const Array *q = nullptr, *k = nullptr, *lengths = nullptr, *bias = nullptr, *mask = nullptr, *relative = nullptr, *factors = nullptr;

  int64_t queries() const { return q->shape[2]; }
  int64_t keys() const { return k->shape[2]; }
  int64_t keyHead(int64_t head) const { return head * k->shape[1] / q->shape[1]; }
  bool allows(int64_t b, int64_t h, int64_t i, int64_t j) const;
  /// 1 without factors.
  double factor(int64_t h, int64_t i, int64_t j) const;
};

/// One row of scores and what follows from it.
struct AttentionRow {
  std::vector<double> weights;  ///< softmax of the scores, before factors
  std::vector<double> capSlopes; ///< derivative of the soft-cap
  double logSumExp;             ///< -inf when nothing is allowed; then all weights are 0
};
AttentionRow attentionRow(const AttentionRule &rule, int64_t b, int64_t h, int64_t i);

/// y [B, H, T, d] and the log-sum-exp [B, H, T].
void evaluateAttention(const AttentionRule &rule, const Array &v, Array &y, Array &logSumExp);

/// The cotangents of everything that a gradient reaches, each of its operand's shape; those of absent operands are empty.
struct AttentionGradients {
  Array q, k, v, bias, relative, factors;
};
AttentionGradients differentiateAttention(const AttentionRule &rule, const Array &v, const Array &cotangent);

} // namespace nacre
