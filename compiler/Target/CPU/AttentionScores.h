// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which keys a query may see and how its raw scores are changed: what the forward and the backward kernel of attention share.
// Score vectors run along queries: one key, `lanes` consecutive queries.
#ifndef NACRE_COMPILER_TARGET_CPU_ATTENTIONSCORES_H
#define NACRE_COMPILER_TARGET_CPU_ATTENTIONSCORES_H

#include "compiler/Target/CPU/Attention.h"

namespace nacre::cpu::attention {

/// Score of a forbidden pair; far below `lowestMaximum`, so that its exponential is exactly 0 in any row.
constexpr double forbidden = -1e30;
/// Where a running maximum starts; scores are expected above it.
constexpr double lowestMaximum = -1e20;
constexpr double log2OfE = 1.4426950408889634, logOf2 = 0.6931471805599453;

/// One head of one batch entry.
class Scores {
public:
  Scores(VectorBuilder &b, Value slots, const AttentionSpec &spec, Value batch, Value head);

  /// Whether raw scores must pass through `adjust` at all.
  bool needAdjusting() const { return spec.softCap != 0 || spec.bias || spec.relative || spec.alibi || spec.mask || spec.causal; }
  /// What q . k is multiplied with before `adjust`.
  double rawScale() const { return spec.softCap != 0 ? spec.scale : spec.scale * log2OfE; }

  /// Keys that exist, at most Tk.
  Value count() const { return length; }
  struct Range {
    Value begin, end;
  };
  /// Keys that some query of [first, last] may see; a superset of the allowed ones.
  Range keys(Value first, Value last);
  /// Raw scores of key `key` and queries from `query` on -> scores in units of log2, `forbidden` where not allowed.
  /// Bias of queries beyond `lastQuery` is that of `lastQuery`. `capSlope`, if given, becomes the derivative of the soft-cap.
  Value adjust(Value raw, Value key, Value query, Value lastQuery, Value *capSlope = nullptr);
  /// Factors of the weights of key `key` and queries from `query` on; those beyond `lastQuery` are 0. Requires spec.factors.
  Value factor(Value key, Value query, Value lastQuery) { return loadStrip(factors, key, query, lastQuery); }

private:
  Value gather(Value pointer, Value rowStride, Type element, Value query, Value lastQuery);
  Value loadStrip(Value strip, Value key, Value query, Value lastQuery);
  Value lag(Value key, Value query);
  Value inReach(Value key, Value query);
  Value isAllowed(Value key, Value query, Value lastQuery);

  VectorBuilder &b;
  const AttentionSpec &spec;
  Value allKeys; // Tk
  Value length;  // keys that exist
  Value shift;   // Tk - Tq
  Value window, prefix;
  Value bias, biasRow, biasColumn;
  Value mask, maskRow, maskColumn;
  Value relative, factors; // strips of the head
  Value slope;             // of ALiBi, in units of log2
};

/// Pointer to (batch, head) of a tensor whose pointer, batch stride and head stride are in the given slots.
Value headPointer(VectorBuilder &b, Value slots, int64_t pointer, int64_t strides, Value batch, Value head);

} // namespace nacre::cpu::attention

#endif
