// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention with online softmax: scores are never stored. And what knows positions: rotary, distances, buckets.
#ifndef NACRE_ATTENTION_TD
#define NACRE_ATTENTION_TD

include "dialects/Nacre/IR/NacreBase.td"
include "dialects/Nacre/IR/RowInterfaces.td"

/// What changes scores and weights, in the order of the operands.
defvar ScoreOperands = (ins Optional<Nacre_Value>:$lengths, Optional<Nacre_Value>:$bias, Optional<Nacre_Value>:$mask,
                            Optional<Nacre_Value>:$relative, Optional<Nacre_Value>:$factors);
/// The options as people write them: absent means that there is none.
defvar ScoreOptions = (ins OptionalAttr<F64Attr>:$scale, DefaultValuedAttr<BoolAttr, "false">:$causal, OptionalAttr<I64Attr>:$window,
                           OptionalAttr<I64Attr>:$prefix, OptionalAttr<F64Attr>:$softcap, DefaultValuedAttr<BoolAttr, "false">:$alibi);
/// The same resolved, as kernels take them. 0: no window, no prefix, no soft-cap. `width` bounds d and with it a kernel's scratch.
defvar KernelOptions = (ins F64Attr:$scale, BoolAttr:$causal, I64Attr:$window, I64Attr:$prefix, F64Attr:$softcap, BoolAttr:$alibi,
                            I64Attr:$width);

def Nacre_AttentionOp : Nacre_CompositeOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "softmax(scale * q k^T + bias, masked) v for q: [B, H, T, d], k and v: [B, Hk, Tk, d]";
  let description = [{
    score = scale * q.k (default 1 / sqrt(d)), then soft-cap, then biases, then masks, then softmax, then factors, then the weighted
    sum of v; scores and weights are never stored, neither are they for the gradient. Query head h reads key head floor(h * Hk / H).
    Masks, all of which must allow a pair (i, j): `lengths: i32[B]` j < lengths[b]; `mask: bool` broadcasts to [B, H, T, Tk];
    `causal` j <= i' with i' = i + (Tk - T), with `window = w` also j > i' - w; `prefix = n` is causal or j < n. A row with
    nothing allowed gives 0, and its gradient is 0.
    Biases, added up: `bias` broadcasts to [B, H, T, Tk]; `relative: [H, T + Tk - 1]` holds one number a distance, entry
    i - j + Tk - 1 for the pair (i, j) (Toeplitz; learned positions, T5 buckets); `alibi = true` adds -2^(-8 (h + 1) / H) (i' - j)
    (Press et al. 2022). `softcap = c` makes c * tanh(score / c) of a score.
    `factors: [H, T + Tk - 1]` multiplies the weight of (i, j) by entry i - j + Tk - 1 (URPE, Luo et al. 2022).
    Gradients reach q, k, v, bias, relative and factors; sums are taken in one order, whatever the number of threads.
    One new token against a ring of carried keys: T = 1 and `lengths` (the filled part), or `mask` and `bias` made from the positions
    that the ring's entries hold, [.., 1, Tk] each: without terms of position the order of the entries does not matter.
  }];
  let arguments = !con((ins Nacre_Value:$q, Nacre_Value:$k, Nacre_Value:$v), ScoreOperands, ScoreOptions);
  let results = (outs Nacre_Value:$result);
}
def Nacre_AttentionWeightsOp : Nacre_CompositeOp<"attention_weights", [AttrSizedOperandSegments]> {
  let summary = "the weights [B, H, T, Tk] by which attention sums values, with the same options";
  let description = [{For pointers and for looking at heads. It stores what `attention` never does: the weights and their gradient.}];
  let arguments = !con((ins Nacre_Value:$q, Nacre_Value:$k), ScoreOperands, ScoreOptions);
  let results = (outs Nacre_Value:$result);
}

/// The forward that kernels run: also the log-sum-exp of every row, which the backward needs.
def Nacre_AttentionForwardOp : Nacre_Op<"attention_forward", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<Nacre_Differentiable>, DeclareOpInterfaceMethods<Nacre_Skeleton>, DeclareOpInterfaceMethods<Nacre_RowByRow>]> {
  let summary = "attention and the log-sum-exp of its rows; with `partial` those of queries at or beyond their length are left unwritten";
  let arguments = !con((ins Nacre_Value:$q, Nacre_Value:$k, Nacre_Value:$v), ScoreOperands, KernelOptions, (ins UnitAttr:$partial));
  let results = (outs Nacre_Value:$result, Nacre_Value:$lse);
  let builtin = 0;
}
defvar BackwardOperands = (ins Nacre_Value:$output, Nacre_Value:$cotangent, Nacre_Value:$lse);
def Nacre_AttentionBackwardOp : Nacre_Op<"attention_backward", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<Nacre_Skeleton>]> {
  let summary = "the gradients of q, k and v from the output, its cotangent and the log-sum-exp";
  let arguments = !con((ins Nacre_Value:$q, Nacre_Value:$k, Nacre_Value:$v), ScoreOperands, BackwardOperands, KernelOptions);
  let results = (outs Nacre_Value:$dq, Nacre_Value:$dk, Nacre_Value:$dv);
  let builtin = 0;
}
def Nacre_AttentionBiasBackwardOp : Nacre_Op<"attention_bias_backward", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<Nacre_Skeleton>]> {
  let summary = "the gradient of `bias`, `relative` or `factors`, of that operand's shape";
  let description = [{A kernel of its own: its tasks own parts of the result, so that batches and heads that share an entry are summed in
    order.}];
  let arguments = !con((ins Nacre_Value:$q, Nacre_Value:$k, Nacre_Value:$v), ScoreOperands, BackwardOperands, KernelOptions,
                       (ins StrAttr:$of));
  let results = (outs Nacre_Value:$gradient);
  let builtin = 0;
}

def Nacre_RotaryOp : Nacre_CompositeOp<"rotary", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "rotary position embedding of x: [.., T, d]: pairs of columns turned by position * base^(-2 t / d) (Su et al. 2021)";
  let description = [{
    Pair t < d / 2 turns (a, b) into (a cos - b sin, a sin + b cos). `pairs = "interleaved"` takes columns 2 t and 2 t + 1, "halves" t and
    t + d / 2. `positions`, f32 or i32, [T] or [B, T] (B the first axis of x), default to 0, 1, 2 ...
    `grid = w` makes position p the place (p / w, p mod w) of a picture of w columns: even pairs turn by the row, odd ones by the column,
    pair t by base^(-4 floor(t / 2) / d). `inverse = true` turns back, which is also the gradient.
  }];
  let arguments = (ins Nacre_Value:$x, Optional<Nacre_Value>:$positions, DefaultValuedAttr<F64Attr, "10000.0">:$base,
                       DefaultValuedAttr<StrAttr, "\"interleaved\"">:$pairs, OptionalAttr<I64Attr>:$grid,
                       DefaultValuedAttr<BoolAttr, "false">:$inverse);
  let results = (outs Nacre_Value:$result);
}
/// Half of a rotation, as one operator so that it is one kernel.
def Nacre_TurnOp : Nacre_Op<"turn", [DeclareOpInterfaceMethods<Nacre_Pointwise>]> {
  let summary = "a * cosine - b * sine, element by element";
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b, Nacre_Value:$cosine, Nacre_Value:$sine);
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}
def Nacre_PositionsOp : Nacre_CompositeOp<"positions"> {
  let summary = "0, 1, 2 ... along an axis of x, as f32[n]";
  let arguments = (ins Nacre_Value:$x, DefaultValuedAttr<I64Attr, "-2">:$axis);
  let results = (outs Nacre_Value:$result);
}
def Nacre_DistancesOp : Nacre_CompositeOp<"distances"> {
  let summary = "i - j of query i and key j as f32[T + Tk - 1], entry i - j + Tk - 1, for q: [.., T, d] and k: [.., Tk, d]";
  let description = [{One entry for each entry of `relative`: transpose(embedding(table, to_int(distances(q, k) + 8))) is a learned one,
    clipped.}];
  let arguments = (ins Nacre_Value:$q, Nacre_Value:$k);
  let results = (outs Nacre_Value:$result);
}
def Nacre_T5BucketsOp : Nacre_CompositeOp<"t5_buckets"> {
  let summary = "the bucket, as i32, of distances i - j (Raffel et al. 2020)";
  let description = [{
    With rel = j - i: `bidirectional` gives the upper half of the buckets to rel > 0 and goes on with abs(rel) and half as many; otherwise
    rel > 0 counts as 0. Of n buckets then left the first e = n / 2 hold one distance each, the others are
    e + floor(log(abs(rel) / e) / log(max_distance / e) * (n - e)), at most n - 1.
    relative = transpose(embedding(table, t5_buckets(distances(q, k)))) for a table: [buckets, H].
  }];
  let arguments = (ins Nacre_Value:$distance, DefaultValuedAttr<I64Attr, "32">:$buckets, DefaultValuedAttr<I64Attr, "128">:$max_distance,
                       DefaultValuedAttr<BoolAttr, "true">:$bidirectional);
  let results = (outs Nacre_Value:$result);
}

/// What an operator with lengths reads of its operand; Transforms/SkipPadding removes it again.
def Nacre_ReadRowsOp : Nacre_Op<"read_rows", [DeclareOpInterfaceMethods<Nacre_Differentiable>, DeclareOpInterfaceMethods<Nacre_RowLimit>]> {
  let summary = "x, of which only places below lengths[b] along `axis` are read; b counts axis 0";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$lengths, I64Attr:$axis);
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}

#endif
