// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The same elements in another order or shape. Most are views: they cost nothing where the layout allows it.
#ifndef NACRE_LAYOUT_TD
#define NACRE_LAYOUT_TD

include "dialects/Nacre/IR/NacreBase.td"

class Nacre_ViewOp<string mnemonic, list<Trait> traits = []>
    : Nacre_Op<mnemonic, !listconcat([DeclareOpInterfaceMethods<Nacre_View>, DeclareOpInterfaceMethods<Nacre_Differentiable>,
        DeclareOpInterfaceMethods<Nacre_Widthwise>], traits)> {
  let results = (outs Nacre_Value:$result);
}

def Nacre_ReshapeOp : Nacre_ViewOp<"reshape", [DeclareOpInterfaceMethods<Nacre_OnEntries>]> {
  let summary = "the same elements in row-major order with other sizes; the last axis of a sparse value stays";
  let sparse = "Own";
  let codes = 1;
  let arguments = (ins Nacre_Value:$x, ArrayAttr:$shape);
  let builtin = 0; // its sizes are polynomials; the language has heads, merge and friends
}
def Nacre_PermuteOp : Nacre_ViewOp<"permute"> {
  let summary = "axes in another order: axis i of the result is axis `order[i]` of the operand";
  let codes = 1;
  let arguments = (ins Nacre_Value:$x, DenseI64ArrayAttr:$order);
}
def Nacre_SliceOp : Nacre_ViewOp<"slice", [DeclareOpInterfaceMethods<Nacre_OnEntries>]> {
  let summary = "a contiguous part of one axis, by start and size; of a sparse value, the first entries of the last axis";
  let sparse = "Own";
  let codes = 1;
  let arguments = (ins Nacre_Value:$x, I64Attr:$axis, StrAttr:$start, StrAttr:$size);
  let builtin = 0; // the language writes x[a:b]
}
def Nacre_BroadcastOp : Nacre_ViewOp<"broadcast"> {
  let summary = "repeats axes of size 1 and adds leading axes";
  let arguments = (ins Nacre_Value:$x, ArrayAttr:$shape);
  let builtin = 0;
}

def Nacre_TransposeOp : Nacre_CompositeOp<"transpose"> {
  let summary = "exchanges the last two axes";
  let codes = 1;
  let arguments = (ins Nacre_Value:$x);
  let results = (outs Nacre_Value:$result);
}
def Nacre_HeadsOp : Nacre_CompositeOp<"heads"> {
  let summary = "[.., T, D] to [.., H, T, D / H]: the last axis cut into `count` heads";
  let arguments = (ins Nacre_Value:$x, I64Attr:$count);
  let results = (outs Nacre_Value:$result);
}
def Nacre_MergeOp : Nacre_CompositeOp<"merge"> {
  let summary = "[.., H, T, d] to [.., T, H * d]: the inverse of heads";
  let arguments = (ins Nacre_Value:$x);
  let results = (outs Nacre_Value:$result);
}
def Nacre_FlattenOp : Nacre_CompositeOp<"flatten"> {
  let summary = "all axes but the first into one";
  let codes = 1;
  let arguments = (ins Nacre_Value:$x);
  let results = (outs Nacre_Value:$result);
}

/// 0, 1, 2 ... along one axis of a shape: the only value that knows its own place.
def Nacre_IotaOp : Nacre_Op<"iota", [DeclareOpInterfaceMethods<Nacre_Coordinate>]> {
  let summary = "the position along `axis`, as f32, in a tensor of the given shape";
  let arguments = (ins ArrayAttr:$shape, I64Attr:$axis);
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}

/// A size of the call as a number, for means over symbolic axes.
def Nacre_SizeOp : Nacre_Op<"size", [DeclareOpInterfaceMethods<Nacre_Coordinate>]> {
  let summary = "the value of a size polynomial, as f32";
  let arguments = (ins StrAttr:$size);
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}

/// Places `x` into zeros of a larger axis: the derivative of slice.
def Nacre_PadOp : Nacre_Op<"pad", [DeclareOpInterfaceMethods<Nacre_Differentiable>, DeclareOpInterfaceMethods<Nacre_Join>]> {
  let summary = "x at `start` of an axis of `size`, zeros elsewhere";
  let arguments = (ins Nacre_Value:$x, I64Attr:$axis, StrAttr:$start, StrAttr:$size);
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}
def Nacre_ConcatOp : Nacre_Op<"concat", [DeclareOpInterfaceMethods<Nacre_Differentiable>, DeclareOpInterfaceMethods<Nacre_Join>]> {
  let summary = "joins tensors, or codes below one count, along an axis";
  let codes = 1;
  let arguments = (ins Variadic<Nacre_Value>:$parts, DefaultValuedAttr<I64Attr, "-1">:$axis);
  let results = (outs Nacre_Value:$result);
}

def Nacre_EmbeddingOp : Nacre_Op<"embedding", [DeclareOpInterfaceMethods<Nacre_Indexing>, DeclareOpInterfaceMethods<Nacre_Differentiable>, DeclareOpInterfaceMethods<Nacre_Skeleton>]> {
  let summary = "row `ids` of a table; ids outside [0, rows) are refused at the call, computed ones are clamped";
  let arguments = (ins Nacre_Value:$table, Nacre_Value:$ids);
  let results = (outs Nacre_Value:$result);
}
def Nacre_GatherRowsOp : Nacre_CompositeOp<"gather_rows"> {
  let summary = "rows indices[.., j] of x [.., T, D]: [.., k, D]; indices outside [0, T) are brought into range";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$indices);
  let results = (outs Nacre_Value:$result);
}

#endif
