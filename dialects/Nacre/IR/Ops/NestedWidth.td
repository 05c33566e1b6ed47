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
  let summary = "a nested value from one tensor a width";
  let arguments = (ins Variadic<Nacre_Value>:$parts, DenseI64ArrayAttr:$widths, TypeAttr:$element);
  let results = (outs Nacre_Value:$result);
  let widthwise = 0;
  let builtin = 0;
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
#endif
