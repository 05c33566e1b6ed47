// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products: matmul is the primitive, linear what people write. And folds of a product's rows, for products that are never stored.
#ifndef NACRE_CONTRACTION_TD
#define NACRE_CONTRACTION_TD

include "dialects/Nacre/IR/NacreBase.td"
include "dialects/Nacre/IR/RowInterfaces.td"

def Nacre_MatmulOp : Nacre_Op<"matmul", [DeclareOpInterfaceMethods<Nacre_Differentiable>, DeclareOpInterfaceMethods<Nacre_Skeleton, ["acceptsEpilogue"]>, DeclareOpInterfaceMethods<Nacre_Contraction>,
    DeclareOpInterfaceMethods<Nacre_Widthwise>, DeclareOpInterfaceMethods<Nacre_OnEntries>, DeclareOpInterfaceMethods<Nacre_RowByRow>]> {
  let sparse = "Own";
  let summary = "sum over k of a[.., i, k] * b[.., k, j]; leading axes broadcast";
  let description = [{One f32 accumulator an element, k ascending, so the bits depend on the values alone.}];
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b);
  let results = (outs Nacre_Value:$result);
}
def Nacre_LinearOp : Nacre_CompositeOp<"linear"> {
  let summary = "x @ w + b, with w: [in, out] and b: [out]; x may be sparse";
  let sparse = "Own";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$w, Optional<Nacre_Value>:$b);
  let results = (outs Nacre_Value:$result);
}

/// As a product, with the number of differing bits in place of a * b.
def Nacre_DifferingBitsOp : Nacre_Op<"differing_bits", [DeclareOpInterfaceMethods<Nacre_Skeleton, ["acceptsEpilogue"]>,
    DeclareOpInterfaceMethods<Nacre_Contraction>]> {
  let summary = "sum over k of the bits in which a[.., i, k] and b[.., k, j] differ, both i32, as f32";
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b);
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}

/// A fold that is also defined by simpler operators: it is carried by the kernel of the product whose rows it folds. Where there is no such
/// product, or others want it too and it cannot be computed again, its definition takes its place (Transforms/IsolateFolds).
class Nacre_FoldOfRowsOp<string mnemonic> : Nacre_CompositeOp<mnemonic, [DeclareOpInterfaceMethods<Nacre_RowFold>,
    DeclareOpInterfaceMethods<Nacre_Skeleton>]> {
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}
def Nacre_RowLogSumExpOp : Nacre_FoldOfRowsOp<"row_logsumexp"> {
  let summary = "log(sum over j of exp(x[.., j])): [.., 1]; -inf for a row of -inf";
  let arguments = (ins Nacre_Value:$x);
}
def Nacre_WeightedSumOp : Nacre_FoldOfRowsOp<"weighted_sum"> {
  let summary = "sum over j of weights[i, j] * rows[j, :], j ascending: [N, d] for weights: [N, M], rows: [M, d]";
  let arguments = (ins Nacre_Value:$weights, Nacre_Value:$rows);
}

#endif
