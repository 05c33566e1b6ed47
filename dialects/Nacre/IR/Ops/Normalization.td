// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Along the last axis, in one pass over a row that stays in cache.
#ifndef NACRE_NORMALIZATION_TD
#define NACRE_NORMALIZATION_TD

include "dialects/Nacre/IR/NacreBase.td"

class Nacre_RowOp<string mnemonic, list<Trait> traits = []> : Nacre_CompositeOp<mnemonic, traits> {
  let results = (outs Nacre_Value:$result);
}
def Nacre_SoftmaxOp : Nacre_RowOp<"softmax", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "exp(x) / sum(exp(x)) along the last axis, without overflow";
  let arguments = (ins Nacre_Value:$x);
}
def Nacre_LogSoftmaxOp : Nacre_RowOp<"log_softmax", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "x - logsumexp(x) along the last axis";
  let arguments = (ins Nacre_Value:$x);
}
def Nacre_LayerNormOp : Nacre_RowOp<"layer_norm", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "(x - mean) / sqrt(variance + eps) * gamma + beta along the last axis (Ba et al. 2016)";
  let description = [{The variance is the biased one. `gamma` and `beta` are optional and of shape [D].}];
  let arguments = (ins Nacre_Value:$x, Optional<Nacre_Value>:$gamma, Optional<Nacre_Value>:$beta,
                       DefaultValuedAttr<F64Attr, "1e-5">:$eps);
}
def Nacre_RmsNormOp : Nacre_RowOp<"rms_norm"> {
  let summary = "x / sqrt(mean(x^2) + eps) * gamma along the last axis (Zhang and Sennrich 2019)";
  let arguments = (ins Nacre_Value:$x, Optional<Nacre_Value>:$gamma, DefaultValuedAttr<F64Attr, "1e-6">:$eps);
}
def Nacre_NormalizeOp : Nacre_RowOp<"normalize"> {
  let summary = "x / max(norm, eps) along an axis; a zero row stays zero";
  let arguments = (ins Nacre_Value:$x, DefaultValuedAttr<I64Attr, "-1">:$axis, DefaultValuedAttr<F64Attr, "1e-12">:$eps);
}
def Nacre_GroupNormOp : Nacre_RowOp<"group_norm", [AttrSizedOperandSegments]> {
  let summary = "x: [B, C, S..] standardised over each of `groups` groups of channels and all S, times gamma: [C], plus beta: [C] (Wu and He 2018)";
  let arguments = (ins Nacre_Value:$x, Optional<Nacre_Value>:$gamma, Optional<Nacre_Value>:$beta, I64Attr:$groups,
                       DefaultValuedAttr<F64Attr, "1e-5">:$eps);
}
def Nacre_BatchNormOp : Nacre_RowOp<"batch_norm", [AttrSizedOperandSegments]> {
  let summary = "x: [B, C, S..] standardised over B and S, times gamma: [C], plus beta: [C] (Ioffe and Szegedy 2015)";
  let description = [{
    With `mean` and `variance`: [C], those are used instead of the batch's: the form for inference. The variance is the biased one.
  }];
  let arguments = (ins Nacre_Value:$x, Optional<Nacre_Value>:$gamma, Optional<Nacre_Value>:$beta, Optional<Nacre_Value>:$mean,
                       Optional<Nacre_Value>:$variance, DefaultValuedAttr<F64Attr, "1e-5">:$eps);
}

#endif
