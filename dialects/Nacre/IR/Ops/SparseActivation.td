// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sparse values: which entries of a row stay, and arithmetic on those alone.
//
// The primitives work on entries: values and indices of the same shape [.., k], along an axis of n. A slot whose index lies outside
// [0, n) is unused and contributes nothing; unused slots come last.
#ifndef NACRE_SPARSE_ACTIVATION_TD
#define NACRE_SPARSE_ACTIVATION_TD

include "dialects/Nacre/IR/NacreBase.td"

class Nacre_EntriesOp<string mnemonic, list<Trait> traits = []>
    : Nacre_Op<mnemonic, !listconcat([DeclareOpInterfaceMethods<Nacre_Skeleton>], traits)> {
  let builtin = 0;
}

/// One whose tiles take an epilogue.
class Nacre_TiledEntriesOp<string mnemonic, list<Trait> traits = []>
    : Nacre_Op<mnemonic, !listconcat([DeclareOpInterfaceMethods<Nacre_Skeleton, ["acceptsEpilogue"]>], traits)> {
  let builtin = 0;
}

def Nacre_TopEntriesOp : Nacre_EntriesOp<"top_entries",
    [DeclareOpInterfaceMethods<Nacre_Differentiable>, DeclareOpInterfaceMethods<Nacre_RowFold>]> {
  let summary = "the k largest entries of the last axis; among equal ones the lowest index";
  let description = [{
    `k` is a size, such as "32" or "32*B"; `by` is value or abs. `order = index`: ascending indices, and a chosen entry that is exactly 0
    counts as unused (value 0, index n, last). `order = rank`: the best first. NaN counts as -inf, k must not exceed n.
  }];
  let arguments = (ins Nacre_Value:$x, StrAttr:$k, DefaultValuedAttr<StrAttr, "\"value\"">:$by, DefaultValuedAttr<StrAttr, "\"index\"">:$order);
  let results = (outs Nacre_Value:$values, Nacre_Value:$indices);
}
def Nacre_TakeOp : Nacre_EntriesOp<"take", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "x[.., indices]: entries of the last axis; 0 for unused slots; leading axes of x broadcast";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$indices);
  let results = (outs Nacre_Value:$result);
}
def Nacre_PlaceOp : Nacre_EntriesOp<"place", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "zeros of a last axis of `size` with values added at indices, in the order of the slots";
  let arguments = (ins Nacre_Value:$values, Nacre_Value:$indices, StrAttr:$size);
  let results = (outs Nacre_Value:$result);
}
def Nacre_GatherRowsSumOp : Nacre_TiledEntriesOp<"gather_rows_sum", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "sum over slots j of values[.., j] * table[indices[.., j], :], in the order of the slots; table: [n, d]";
  let arguments = (ins Nacre_Value:$values, Nacre_Value:$indices, Nacre_Value:$table);
  let results = (outs Nacre_Value:$result);
}
def Nacre_SampledProductOp : Nacre_TiledEntriesOp<"sampled_product", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "x[.., :] . table[indices[.., j], :] for every slot j; 0 for unused ones; table: [n, d]";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$table, Nacre_Value:$indices);
  let results = (outs Nacre_Value:$result);
}
def Nacre_SegmentOuterOp : Nacre_TiledEntriesOp<"segment_outer", [DeclareOpInterfaceMethods<Nacre_Segmented>]> {
  let summary = "row i: the sum of values[m, j] * x[m, :] over all slots with indices[m, j] = i, in ascending order; [rows, d]";
  let arguments = (ins Nacre_Value:$values, Nacre_Value:$indices, Nacre_Value:$x, StrAttr:$rows);
  let results = (outs Nacre_Value:$result);
}
def Nacre_SegmentSumOp : Nacre_EntriesOp<"segment_sum", [DeclareOpInterfaceMethods<Nacre_Segmented>]> {
  let summary = "element i: the sum of values[m, j] over all slots with indices[m, j] = i, in ascending order; [rows]";
  let arguments = (ins Nacre_Value:$values, Nacre_Value:$indices, StrAttr:$rows);
  let results = (outs Nacre_Value:$result);
}

#endif
