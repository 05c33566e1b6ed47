// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sparse values: which entries of a row stay, and arithmetic on those alone.
//
// The primitives work on entries (IR/Entries.h): values and indices of the same shape [.., k], along an axis of n. A slot whose index
// lies outside [0, n) is unused and contributes nothing; unused slots come last. With `rows`, values, indices and rows are [c]: slot s
// belongs to row rows[s] instead of to the row where it stands; rows ascend, and a slot whose row lies outside is unused too.
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
def Nacre_NonzeroEntriesOp : Nacre_EntriesOp<"nonzero_entries", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "the entries of x [rows, n] that are not 0, by row, then index: three lists of `limit`, and how many there are";
  let description = [{
    A call in which there are more ends with an error. Unused slots hold value 0, index n and row `rows`. NaN is not 0.
  }];
  let arguments = (ins Nacre_Value:$x, StrAttr:$limit, StrAttr:$expects, StrAttr:$unit);
  let results = (outs Nacre_Value:$values, Nacre_Value:$indices, Nacre_Value:$rows, Nacre_Value:$report);
}
def Nacre_TakeOp : Nacre_EntriesOp<"take", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "x[.., indices]: entries of the last axis; 0 for unused slots; leading axes of x broadcast, with rows: x[rows, indices]";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$indices, Optional<Nacre_Value>:$rows);
  let hasCanonicalizer = 1;
  let results = (outs Nacre_Value:$result);
}
def Nacre_PlaceOp : Nacre_EntriesOp<"place", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "zeros of a last axis of `size` with values added at indices, in the order of the slots; with rows: [count, size]";
  let arguments = (ins Nacre_Value:$values, Nacre_Value:$indices, Optional<Nacre_Value>:$rows, StrAttr:$size,
                       DefaultValuedAttr<StrAttr, "\"\"">:$count);
  let hasCanonicalizer = 1;
  let results = (outs Nacre_Value:$result);
}
def Nacre_GatherRowsSumOp : Nacre_TiledEntriesOp<"gather_rows_sum", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "sum over slots j of values[.., j] * table[indices[.., j], :], in the order of the slots; table: [n, d]; with rows: [count, d]";
  let arguments = (ins Nacre_Value:$values, Nacre_Value:$indices, Nacre_Value:$table, Optional<Nacre_Value>:$rows,
                       DefaultValuedAttr<StrAttr, "\"\"">:$count);
  let results = (outs Nacre_Value:$result);
}
def Nacre_SampledProductOp : Nacre_TiledEntriesOp<"sampled_product", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "x[.., :] . table[indices[.., j], :] for every slot j; 0 for unused ones; table: [n, d]; x[rows, :] with rows";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$table, Nacre_Value:$indices, Optional<Nacre_Value>:$rows);
  let results = (outs Nacre_Value:$result);
}
def Nacre_SegmentOuterOp : Nacre_TiledEntriesOp<"segment_outer", [DeclareOpInterfaceMethods<Nacre_Segmented>]> {
  let summary = "row i: the sum of values[m, j] * x[m, :] over all slots with indices[m, j] = i, in ascending order; [segments, d]";
  let arguments = (ins Nacre_Value:$values, Nacre_Value:$indices, Nacre_Value:$x, Optional<Nacre_Value>:$rows, StrAttr:$segments);
  let results = (outs Nacre_Value:$result);
}
def Nacre_SegmentSumOp : Nacre_EntriesOp<"segment_sum", [DeclareOpInterfaceMethods<Nacre_Segmented>, DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "element i: the sum of values[m, j] over all slots with indices[m, j] = i, in ascending order; [segments]";
  let arguments = (ins Nacre_Value:$values, Nacre_Value:$indices, StrAttr:$segments);
  let results = (outs Nacre_Value:$result);
}
/// Products by expert: entries [.., k] name the matrix of their row. x has the shape of the entries and an axis more, of which the axis of k
/// may be 1: one row for all of its entries. An entry whose index lies outside [0, E) has no expert.
def Nacre_GroupedProductOp : Nacre_TiledEntriesOp<"grouped_product",
    [DeclareOpInterfaceMethods<Nacre_Segmented>, DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "x[.., j, :] @ w[experts[.., j]] for every entry j, 0 for those without an expert; w: [E, d, f]; [.., k, f]";
  let description = [{With `partial`, entries without an expert are left unwritten.}];
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$w, Nacre_Value:$experts, UnitAttr:$partial);
  let results = (outs Nacre_Value:$result);
}
def Nacre_GroupedOuterOp : Nacre_TiledEntriesOp<"grouped_outer", [DeclareOpInterfaceMethods<Nacre_Segmented>]> {
  let summary = "matrix i: the sum of x[m, :]^T y[m, :] over all entries m with experts[m] = i, in ascending order; y: [.., k, f]; [count, d, f]";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$y, Nacre_Value:$experts, StrAttr:$count);
  let results = (outs Nacre_Value:$result);
}
/// The row and the column of positions in a flattened [.., divisor]; the number of rows need not be known.
def Nacre_SplitIndexOp : Nacre_Op<"split_index", [DeclareOpInterfaceMethods<Nacre_Pointwise>]> {
  let summary = "position / divisor and position % divisor";
  let arguments = (ins Nacre_Value:$positions, I64Attr:$divisor);
  let results = (outs Nacre_Value:$rows, Nacre_Value:$columns);
  let builtin = 0;
}
/// Between the primitives and the sparse type; expand-sparse removes it.
def Nacre_SparseOfOp : Nacre_Op<"sparse_of", [DeclareOpInterfaceMethods<Nacre_OnEntries>]> {
  let summary = "the sparse value of shape `shape` that consists of entries";
  let arguments = (ins Nacre_Value:$values, Nacre_Value:$indices, Optional<Nacre_Value>:$rows, ArrayAttr:$shape, StrAttr:$limit);
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}

//===-- what the language calls ---------------------------------------------------------------------------------------------------===//

class Nacre_TopKOp<string mnemonic, string order, string where> : Nacre_CompositeOp<mnemonic> {
  let summary = "the k entries of " # order # " of " # where # ", 0 elsewhere, as a sparse value";
  let description = [{
    Among equal entries the lowest index stays. An entry that is exactly 0 is not held, so a row may have fewer. The gradient flows to
    the entries that stay (Makhzani and Frey 2014).
  }];
  let arguments = (ins Nacre_Value:$x, I64Attr:$k);
  let results = (outs Nacre_Value:$result);
}
def Nacre_TopkOp : Nacre_TopKOp<"topk", "largest value", "every row">;
def Nacre_AbsTopkOp : Nacre_TopKOp<"abs_topk", "largest magnitude", "every row">;
def Nacre_BatchTopkOp : Nacre_TopKOp<"batch_topk", "largest value for each row", "all rows together"> {
  let description = [{
    The k * rows largest entries of all rows together (Bussmann et al. 2024), so rows differ in count. Among equal entries the first stays;
    an entry that is exactly 0 is not held. The gradient flows to the entries that stay.
  }];
}
def Nacre_SparsifyOp : Nacre_CompositeOp<"sparsify"> {
  let summary = "a dense value as a sparse one of at most k entries a row on average: sparse[<=k * rows]";
  let description = [{
    What is not 0 is held, so rows may differ in count: codes of `relu` or `jumprelu`. With more than k * rows entries the call ends with
    an error, and the reference likewise; nothing is cut off. The gradient flows to the entries that are held.
  }];
  let arguments = (ins Nacre_Value:$x, I64Attr:$k);
  let results = (outs Nacre_Value:$result);
}
def Nacre_MatchingPursuitOp : Nacre_CompositeOp<"matching_pursuit"> {
  let summary = "greedy sparse code of x [.., d] over the rows of W [n, d], one atom a step: sparse[steps] [.., n]";
  let description = [{
    r = x; `steps` times: j = argmax of r W^T (the lowest among equals), z_j += r . w_j, r -= (r . w_j) w_j (Mallat and Zhang 1993;
    Costa et al. 2025). The gradient is that of the unrolled steps, through the chosen atoms. The rest is x - linear(z, W).
  }];
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$W, I64Attr:$steps);
  let results = (outs Nacre_Value:$result);
}
def Nacre_GroupedLinearOp : Nacre_CompositeOp<"grouped_linear"> {
  let summary = "x @ w[e] + b[e], where every row has its own expert e: w [E, d, f], b [E, f]; work proportional to the rows";
  let description = [{
    x [.., d] with `experts` [..], an expert for each row: [.., f]; or with `experts` [.., k], k experts for each row: [.., k, f]. A row
    whose expert lies outside [0, E), as unused slots of `indices` do, costs nothing and gives zeros. Rows are sorted by expert, then there
    is one product for each expert over its rows (Gale et al. 2023); all rows of all experts never exist. Gradients likewise.
  }];
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$w, Nacre_Value:$experts, Optional<Nacre_Value>:$b);
  let results = (outs Nacre_Value:$result);
  let codes = 1;
}
def Nacre_CombineExpertsOp : Nacre_CompositeOp<"combine_experts"> {
  let summary = "sum over j of weights[.., j] * y[.., j, :]: the results of the k experts of a row as one, [.., f]";
  let arguments = (ins Nacre_Value:$y, Nacre_Value:$weights);
  let results = (outs Nacre_Value:$result);
}
def Nacre_PositionInExpertOp : Nacre_Op<"position_in_expert",
    [DeclareOpInterfaceMethods<Nacre_Skeleton>, DeclareOpInterfaceMethods<Nacre_Segmented>]> {
  let summary = "how many entries before this one, in row-major order, chose the same expert of `count`; 0 for those without an expert";
  let description = [{With an expert's capacity c, those at c and beyond overflow (Lepikhin et al. 2021). Discrete.}];
  let arguments = (ins Nacre_Value:$experts, I64Attr:$count);
  let results = (outs Nacre_Value:$result);
  let codes = 1;
}
def Nacre_WithinCapacityOp : Nacre_CompositeOp<"within_capacity"> {
  let summary = "the experts of the first `capacity` entries of each, in row-major order; `count`, which is no expert, for the others";
  let description = [{
    What overflows gives zeros in `grouped_linear`, so a token keeps what goes round the experts (Fedus et al. 2022). Discrete.
  }];
  let arguments = (ins Nacre_Value:$experts, I64Attr:$count, I64Attr:$capacity);
  let results = (outs Nacre_Value:$result);
  let codes = 1;
}
def Nacre_DensifyOp : Nacre_Op<"densify", [DeclareOpInterfaceMethods<Nacre_OnEntries>]> {
  let summary = "a sparse value as a dense one";
  let arguments = (ins Nacre_Value:$x);
  let results = (outs Nacre_Value:$result);
  let sparse = "Own";
}
def Nacre_MinNonzeroOp : Nacre_Op<"min_nonzero", [DeclareOpInterfaceMethods<Nacre_OnEntries>]> {
  let summary = "the least of all non-zeros of a sparse value, one number; 0 when there is none";
  let description = [{
    Of `batch_topk` the threshold of the batch: a running mean of it, kept as a state, decides alone at inference (Bussmann et al. 2024).
    Discrete.
  }];
  let arguments = (ins Nacre_Value:$x);
  let results = (outs Nacre_Value:$result);
  let sparse = "Own";
}
def Nacre_ValuesOp : Nacre_Op<"values", [DeclareOpInterfaceMethods<Nacre_OnEntries>]> {
  let summary = "the non-zeros of a sparse[k] value in the order of their indices, [.., k]; 0 in unused slots, which come last";
  let arguments = (ins Nacre_Value:$x);
  let results = (outs Nacre_Value:$result);
  let sparse = "Own";
}
def Nacre_IndicesOp : Nacre_Op<"indices", [DeclareOpInterfaceMethods<Nacre_OnEntries>]> {
  let summary = "the indices of the non-zeros of a sparse[k] value, ascending, [.., k]; the size of the axis in unused slots";
  let arguments = (ins Nacre_Value:$x);
  let results = (outs Nacre_Value:$result);
  let sparse = "Own";
}

#endif
