// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products: matmul is the primitive, linear what people write.
#ifndef NACRE_CONTRACTION_TD
#define NACRE_CONTRACTION_TD

include "dialects/Nacre/IR/NacreBase.td"

def Nacre_MatmulOp : Nacre_Op<"matmul", [DeclareOpInterfaceMethods<Nacre_Differentiable>, DeclareOpInterfaceMethods<Nacre_Skeleton, ["acceptsEpilogue"]>, DeclareOpInterfaceMethods<Nacre_Contraction>,
    DeclareOpInterfaceMethods<Nacre_Widthwise>, DeclareOpInterfaceMethods<Nacre_OnEntries>]> {
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

#endif
