// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention with online softmax: scores are never stored.
#ifndef NACRE_ATTENTION_TD
#define NACRE_ATTENTION_TD

include "dialects/Nacre/IR/NacreBase.td"

def Nacre_AttentionOp : Nacre_CompositeOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "softmax(scale * q k^T + bias, masked) v for q: [B, H, T, d], k and v: [B, Hk, Tk, d]";
  let description = [{
    score = scale * q.k (default 1 / sqrt(d)), then soft-cap, then bias, then mask, then softmax, then the weighted sum of v.
    Query head h reads key head floor(h * Hk / H). `causal` allows j <= i + (Tk - Tq); `window` (with causal) i - w < j <= i;
    `prefix` j <= i or j < n; `lengths: i32[B]` j < lengths[b]. A row with nothing allowed gives 0.
  }];
  let arguments = (ins Nacre_Value:$q, Nacre_Value:$k, Nacre_Value:$v, Optional<Nacre_Value>:$lengths, Optional<Nacre_Value>:$bias,
                       OptionalAttr<F64Attr>:$scale, DefaultValuedAttr<BoolAttr, "false">:$causal,
                       DefaultValuedAttr<I64Attr, "0">:$window, DefaultValuedAttr<I64Attr, "0">:$prefix,
                       DefaultValuedAttr<F64Attr, "0.0">:$softcap);
  let results = (outs Nacre_Value:$result);
}
/// The forward that kernels run: also the log-sum-exp of every row, which the backward needs.
def Nacre_AttentionForwardOp : Nacre_Op<"attention_forward", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<Nacre_Differentiable>, DeclareOpInterfaceMethods<Nacre_Skeleton>]> {
  let summary = "attention and the log-sum-exp of its rows";
  let arguments = (ins Nacre_Value:$q, Nacre_Value:$k, Nacre_Value:$v, Optional<Nacre_Value>:$lengths, Optional<Nacre_Value>:$bias,
                       F64Attr:$scale, BoolAttr:$causal, I64Attr:$window, I64Attr:$prefix, F64Attr:$softcap);
  let results = (outs Nacre_Value:$result, Nacre_Value:$lse);
  let builtin = 0;
}
def Nacre_AttentionBackwardOp : Nacre_Op<"attention_backward", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<Nacre_Skeleton>]> {
  let summary = "the gradients of q, k and v from the output, its cotangent and the log-sum-exp";
  let arguments = (ins Nacre_Value:$q, Nacre_Value:$k, Nacre_Value:$v, Optional<Nacre_Value>:$lengths, Optional<Nacre_Value>:$bias,
                       Nacre_Value:$output, Nacre_Value:$cotangent, Nacre_Value:$lse,
                       F64Attr:$scale, BoolAttr:$causal, I64Attr:$window, I64Attr:$prefix, F64Attr:$softcap);
  let results = (outs Nacre_Value:$dq, Nacre_Value:$dk, Nacre_Value:$dv);
  let builtin = 0;
}

#endif
