// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Codes: hashes, packed bits, and what is looked up by index.
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
  let summary = "integers as codes below count: an input's are checked at the call, computed ones are brought into range";
  let arguments = (ins Nacre_Value:$ids, I64Attr:$count);
  let results = (outs Nacre_Value:$result);
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
    `metric`: l2 or cosine. Among equally near rows the lowest index is taken. The distances are never stored; for l2 they are compared
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

#endif
