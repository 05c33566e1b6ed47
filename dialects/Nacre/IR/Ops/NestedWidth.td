// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One value at several widths: making, picking, folding; and the product that yields every prefix in one pass.
#ifndef NACRE_NESTEDWIDTH_TD
#define NACRE_NESTEDWIDTH_TD

include "dialects/Nacre/IR/NacreBase.td"

def Nacre_PrefixesOp : Nacre_Op<"prefixes"> {
  let summary = "the first `width` entries of an axis, for every width of a list";
  let arguments = (ins Nacre_Value:$x, DenseI64ArrayAttr:$widths, DefaultValuedAttr<I64Attr, "-1">:$axis);
  let results = (outs Nacre_Value:$result);
  let widthwise = 0;
}
def Nacre_NestOp : Nacre_Op<"nest"> {
  let summary = "a nested value from one tensor for each width, as heads that are not tied (MRL)";
  let description = [{
    Axes that have the same size in all parts keep it; an axis that has each part's width there becomes `width`:
    linear(prefixes(z, [2, 4]), nest(a, b, widths = [2, 4])) for a: [2, 10] and b: [4, 10] is nested, [.., 10].
  }];
  let arguments = (ins Variadic<Nacre_Value>:$parts, DenseI64ArrayAttr:$widths);
  let results = (outs Nacre_Value:$result);
  let widthwise = 0;
}
def Nacre_PickOp : Nacre_Op<"pick"> {
  let summary = "the member of a nested value at one width: a number of the list, or a run-time choice";
  let arguments = (ins Nacre_Value:$x, StrAttr:$width);
  let results = (outs Nacre_Value:$result);
  let widthwise = 0;
  let builtin = 0; // the language writes y[16]
}
def Nacre_StackOp : Nacre_Op<"stack"> {
  let summary = "the members of a nested value along a new first axis";
  let arguments = (ins Nacre_Value:$x);
  let results = (outs Nacre_Value:$result);
  let widthwise = 0;
}
def Nacre_NestedLinearOp : Nacre_CompositeOp<"nested_linear"> {
  let summary = "linear(prefixes(x), prefixes(w, axis = 0), b): one head tied over all widths (MRL-E)";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$w, Optional<Nacre_Value>:$b, DenseI64ArrayAttr:$widths);
  let results = (outs Nacre_Value:$result);
  let widthwise = 0;
}

/// y[i] = x[.., :m_i] @ w[:m_i, :], all widths stacked on a new axis 0, by checkpoints of one accumulator.
def Nacre_NestedMatmulOp : Nacre_Op<"nested_matmul", [DeclareOpInterfaceMethods<Nacre_Differentiable>, DeclareOpInterfaceMethods<Nacre_Skeleton, ["acceptsEpilogue"]>,
    DeclareOpInterfaceMethods<Nacre_Contraction>]> {
  let summary = "every prefix product of x: [.., D] and w: [D, N] in one pass, stacked on axis 0";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$w, DenseI64ArrayAttr:$widths);
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}

def Nacre_BlockNestedLinearOp : Nacre_CompositeOp<"block_nested_linear", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "x @ w + b in which the first m outputs read the first m inputs alone, for every m of `widths`";
  let description = [{
    w: [D, D], D the last width; entries that the form does not use (below the staircase) are neither read nor given a gradient. One
    product a segment of outputs: the work is that of the staircase, forward and backward. A slice [:m, :m] of w is the model of width m.
  }];
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$w, Optional<Nacre_Value>:$b, DenseI64ArrayAttr:$widths);
  let results = (outs Nacre_Value:$result);
}
def Nacre_SimplexHeadOp : Nacre_CompositeOp<"simplex_head"> {
  let summary = "d + 1 fixed logits of x: [.., d]: x itself and alpha * sum of x, alpha = (1 - sqrt(d + 1)) / d";
  let description = [{The inner products with the vertices of a regular simplex, e_1 .. e_d and alpha (1 .. 1) (Pernici et al. 2021).}];
  let arguments = (ins Nacre_Value:$x);
  let results = (outs Nacre_Value:$result);
}

/// Parameters of one model made into those of a smaller or a larger one (Zou et al. 2024, multi-level training).
def Nacre_CoalesceOp : Nacre_CompositeOp<"coalesce"> {
  let summary = "each `factor` neighbours of an axis as one: their mean, or with `sum = true` their sum";
  let description = [{
    The mean for axes of outputs, the sum for axes of inputs: then a layer whose neighbours are equal computes the same. Inverse of decoalesce.
  }];
  let arguments = (ins Nacre_Value:$w, DefaultValuedAttr<I64Attr, "-1">:$axis, DefaultValuedAttr<I64Attr, "2">:$factor,
                       DefaultValuedAttr<BoolAttr, "false">:$sum);
  let results = (outs Nacre_Value:$result);
}
def Nacre_DecoalesceOp : Nacre_CompositeOp<"decoalesce"> {
  let summary = "each entry of an axis `factor` times, with `divide = true` divided by the factor";
  let description = [{Repeated for axes of outputs, repeated and divided for axes of inputs: the wider layers compute the same.}];
  let arguments = (ins Nacre_Value:$w, DefaultValuedAttr<I64Attr, "-1">:$axis, DefaultValuedAttr<I64Attr, "2">:$factor,
                       DefaultValuedAttr<BoolAttr, "false">:$divide);
  let results = (outs Nacre_Value:$result);
}
def Nacre_InterpolateOp : Nacre_CompositeOp<"interpolate"> {
  let summary = "(1 - t) * a + t * b";
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b, F64Attr:$t);
  let results = (outs Nacre_Value:$result);
}

def Nacre_NestedRetrievalOp : Nacre_CompositeOp<"nested_retrieval"> {
  let summary = "the k best rows of a gallery [N, d] for each query [.., d], found on short prefixes first: indices or scores, best first";
  let description = [{
    All rows are scored on the first of `widths`; the `shortlist` best are scored again on the next, and so on; the last width gives the
    k best (Kusupati et al. 2022, funnel retrieval). `shortlist` has one number for each width but the last, or one for all. `metric`:
    inner_product (scores are products, descending) or l2 (scores are squared distances, ascending). `returns`: indices (i32) or scores.
    The scores of the whole gallery are never stored. Among equal scores the lower index comes first in the first pass. Discrete.
  }];
  let arguments = (ins Nacre_Value:$q, Nacre_Value:$gallery, DenseI64ArrayAttr:$widths, DenseI64ArrayAttr:$shortlist, I64Attr:$k,
                       DefaultValuedAttr<StrAttr, "\"inner_product\"">:$metric, DefaultValuedAttr<StrAttr, "\"indices\"">:$returns);
  let results = (outs Nacre_Value:$result);
}

#endif
