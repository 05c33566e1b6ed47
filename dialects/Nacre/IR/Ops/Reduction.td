// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums, means and maxima over an axis, over everything, or over the widths of a nested value.
#ifndef NACRE_REDUCTION_TD
#define NACRE_REDUCTION_TD

include "dialects/Nacre/IR/NacreBase.td"

/// The primitive: one axis, which stays with size 1.
class Nacre_ReduceOp<string mnemonic, list<Trait> traits = []>
    : Nacre_Op<mnemonic, !listconcat([DeclareOpInterfaceMethods<Nacre_Reduction>, DeclareOpInterfaceMethods<Nacre_Differentiable>,
        DeclareOpInterfaceMethods<Nacre_Widthwise>], traits)> {
  let arguments = (ins Nacre_Value:$x, I64Attr:$axis);
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}
def Nacre_ReduceSumOp : Nacre_ReduceOp<"reduce_sum", [DeclareOpInterfaceMethods<Nacre_OnEntries>]> {
  let summary = "sum along one axis, which stays with size 1";
  let sparse = "Own";
}
def Nacre_ReduceMaxOp : Nacre_ReduceOp<"reduce_max"> {
  let summary = "maximum along one axis, which stays with size 1; elements that equal it share the gradient";
}

/// What the language calls: any axis or all, `over = widths`, optional lengths.
class Nacre_FoldOp<string mnemonic> : Nacre_CompositeOp<mnemonic> {
  let arguments = (ins Nacre_Value:$x, Optional<Nacre_Value>:$lengths, OptionalAttr<I64Attr>:$axis, OptionalAttr<StrAttr>:$over,
                       DefaultValuedAttr<BoolAttr, "false">:$keep);
  let results = (outs Nacre_Value:$result);
  let widthwise = 0;
  let description = [{
    Without `axis` the result is one number. `over = widths` folds the members of a nested value. `lengths: i32[B]` counts only
    the first `lengths[b]` entries of `axis`, which must follow the batch axis. `keep = true` leaves the axis with size 1.
  }];
}
def Nacre_SumOp : Nacre_FoldOp<"sum"> {
  let summary = "sum over an axis, over everything, or over widths";
  let sparse = "Own";
}
def Nacre_MeanOp : Nacre_FoldOp<"mean"> {
  let summary = "mean over an axis, over everything, or over widths";
  let sparse = "Own";
}
def Nacre_MaxOp : Nacre_FoldOp<"max"> { let summary = "maximum over an axis, over everything, or over widths"; }

def Nacre_LogSumExpOp : Nacre_CompositeOp<"logsumexp"> {
  let summary = "log(sum(exp(x))) along an axis, without overflow; the axis stays when keep is true";
  let arguments = (ins Nacre_Value:$x, DefaultValuedAttr<I64Attr, "-1">:$axis, DefaultValuedAttr<BoolAttr, "false">:$keep);
  let results = (outs Nacre_Value:$result);
}

def Nacre_ArgmaxOp : Nacre_CompositeOp<"argmax"> {
  let summary = "position of the maximum of the last axis; among equal values the lowest";
  let arguments = (ins Nacre_Value:$x);
  let results = (outs Nacre_Value:$result);
}

#endif
