// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Codes: what is looked up by index, hashes, packed bits, and quantisers that round each dimension for itself.
#ifndef NACRE_CODEBOOK_TD
#define NACRE_CODEBOOK_TD

include "dialects/Nacre/IR/NacreBase.td"

/// Between indices that an operator made and the code type; expand-sparse removes it.
def Nacre_CodeOfOp : Nacre_Op<"code_of", [DeclareOpInterfaceMethods<Nacre_OnEntries>]> {
  let summary = "indices that are known to lie in [0, count) as codes";
  let arguments = (ins Nacre_Value:$ids, I64Attr:$count);
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}
def Nacre_AsCodeOp : Nacre_Op<"as_code", [DeclareOpInterfaceMethods<Nacre_OnEntries>, DeclareOpInterfaceMethods<Nacre_Indexing>]> {
  let summary = "integers as codes below count: a call with others ends with an error";
  let arguments = (ins Nacre_Value:$ids, I64Attr:$count);
  let results = (outs Nacre_Value:$result);
}
/// What as_code becomes for computed ids.
def Nacre_CheckedIdsOp : Nacre_Op<"checked_ids", [DeclareOpInterfaceMethods<Nacre_Skeleton>]> {
  let summary = "ids brought into [0, limit], and the first that was outside, else 0; a call in which one was ends with an error";
  let arguments = (ins Nacre_Value:$ids, StrAttr:$limit, StrAttr:$expects, StrAttr:$unit);
  let results = (outs Nacre_Value:$result, Nacre_Value:$report);
  let builtin = 0;
}
def Nacre_IdsOp : Nacre_Op<"ids", [DeclareOpInterfaceMethods<Nacre_OnEntries>]> {
  let summary = "codes as plain integers";
  let arguments = (ins Nacre_Value:$codes);
  let results = (outs Nacre_Value:$result);
  let codes = 1;
}
def Nacre_NearestCodeOp : Nacre_CompositeOp<"nearest_code"> {
  let summary = "the row of E [K, d] nearest to each row of x [.., d], as code[K]; with k: the k nearest, nearest first, [.., k]";
  let description = [{
    One codebook for each head: x [.., H, d] with E [H, K, d]. `metric`: l2 or cosine. Among equally near rows the lowest index is taken. The distances are never stored; for l2 they are compared
    as x.e - |e|^2/2 after both were moved by the mean of E, so that a codebook far from 0 keeps its order in f32. Discrete.
  }];
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$E, DefaultValuedAttr<StrAttr, "\"l2\"">:$metric, DefaultValuedAttr<I64Attr, "0">:$k);
  let results = (outs Nacre_Value:$result);
}
def Nacre_LookupOp : Nacre_CompositeOp<"lookup"> {
  let summary = "rows of a table [K, d] by codes [..]: [.., d]; one table for each head: [H, K, d] by codes [.., H]";
  let arguments = (ins Nacre_Value:$table, Nacre_Value:$codes);
  let results = (outs Nacre_Value:$result);
  let codes = 1;
}
def Nacre_OneHotOp : Nacre_CompositeOp<"one_hot"> {
  let summary = "1 at each code, 0 elsewhere: [.., K]; the sum over rows counts them";
  let arguments = (ins Nacre_Value:$codes);
  let results = (outs Nacre_Value:$result);
  let codes = 1;
}

/// Codes that need no table of vectors.
class Nacre_CodeOp<string mnemonic> : Nacre_CompositeOp<mnemonic> { let results = (outs Nacre_Value:$result); }

def Nacre_HashCodeOp : Nacre_CodeOp<"hash_code"> {
  let summary = "`lookups` rows of a table of `rows` for each (feature, token), on a new last axis (Unified Embedding, Coleman et al. 2023)";
  let description = [{
    Lookup i is the splitmix64 finaliser (Steele et al. 2014) of token + 0x9E3779B97F4A7C15 * (feature * 64 + i + 1), modulo rows, in
    64-bit arithmetic; negative ids are extended by their sign.
  }];
  let arguments = (ins Nacre_Value:$feature, Nacre_Value:$token, I64Attr:$rows, DefaultValuedAttr<I64Attr, "1">:$lookups);
}
def Nacre_PackBitsOp : Nacre_CodeOp<"pack_bits"> {
  let summary = "[.., D] to i32[.., ceil(D / 32)]: bit d % 32 of word d / 32 is whether x_d > 0";
  let arguments = (ins Nacre_Value:$x);
}
def Nacre_HammingDistanceOp : Nacre_CodeOp<"hamming_distance"> {
  let summary = "i32[Q, N]: in how many bits each row of a: i32[Q, W] differs from each row of b: i32[N, W]";
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b);
}
def Nacre_HammingTopkOp : Nacre_CodeOp<"hamming_topk"> {
  let summary = "i32[Q, k]: the rows of b: i32[N, W] nearest to each row of a: i32[Q, W], nearest first; among equals the lowest";
  let description = [{`returns`: indices, or the distances in the same order.}];
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b, I64Attr:$k, DefaultValuedAttr<StrAttr, "\"indices\"">:$returns);
}

def Nacre_BinarizeOp : Nacre_CodeOp<"binarize"> {
  let summary = "1 where x > 0, else -1, straight-through";
  let arguments = (ins Nacre_Value:$x);
}
def Nacre_LookupFreeQuantizeOp : Nacre_CodeOp<"lookup_free_quantize"> {
  let summary = "1 where x > 0, else -1, straight-through (Yu et al. 2024); pack_bits(x) is the code";
  let arguments = (ins Nacre_Value:$x);
}
def Nacre_FiniteScalarQuantizeOp : Nacre_CodeOp<"finite_scalar_quantize"> {
  let summary = "round(h tanh(x)) / h with h = (levels_d - 1) / 2, straight-through in h tanh(x) (Mentzer et al. 2023)";
  let description = [{One level or one a dimension of the last axis. Halves round up.}];
  let arguments = (ins Nacre_Value:$x, DenseI64ArrayAttr:$levels);
}
def Nacre_FiniteScalarCodeOp : Nacre_CodeOp<"finite_scalar_code"> {
  let summary = "the index of finite_scalar_quantize(x): digits round(h tanh(x)) + (levels_d - 1) / 2, the first dimension fastest";
  let arguments = (ins Nacre_Value:$x, DenseI64ArrayAttr:$levels);
}
def Nacre_ScalarCodeOp : Nacre_CodeOp<"scalar_code"> {
  let summary = "the nearest of the values v[d, :] to x_d, for x: [.., D] and v: [D, n]; among equals the lowest (QLAE, Hsu et al. 2023)";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$v);
}
def Nacre_ScalarQuantizeOp : Nacre_CodeOp<"scalar_quantize"> {
  let summary = "v[d, scalar_code(x, v)_d]: its gradient goes to v; straight_through(scalar_quantize(x, v), x) sends it to x";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$v);
}
def Nacre_CommitmentOp : Nacre_CodeOp<"commitment"> {
  let summary = "mean of (x - e)^2 with a gradient to x alone (van den Oord et al. 2017)";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$e);
}
def Nacre_CodebookLossOp : Nacre_CodeOp<"codebook_loss"> {
  let summary = "mean of (stop(x) - e)^2 + beta * mean of (x - stop(e))^2 (van den Oord et al. 2017)";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$e, DefaultValuedAttr<F64Attr, "0.25">:$beta);
}

#endif
