// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parameters of a model: declared once, read by value, assigned at the end of a training step. Values that the outside may look at
// and change, and values that a run-time scalar chooses.
#ifndef NACRE_PROGRAM_TD
#define NACRE_PROGRAM_TD

include "dialects/Nacre/IR/NacreBase.td"
include "mlir/IR/SymbolInterfaces.td"

def Nacre_ParameterOp : Op<Nacre_Dialect, "parameter", [Symbol]> {
  let summary = "a tensor that lives in the parameter block, not in the program";
  let description = [{`role` is param, state, optimizer or stream, which lives in the context of a caller and in no file; `init` names an initialiser of the runtime's ABI.}];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttr:$type, StrAttr:$role, StrAttr:$init, F64Attr:$init_value,
                       StrAttr:$source, BoolAttr:$source_transposed);
  let assemblyFormat = "$sym_name `:` $type attr-dict";
}
def Nacre_ReadOp : Op<Nacre_Dialect, "read", [Pure]> {
  let summary = "the value of a parameter at the start of the call";
  let arguments = (ins FlatSymbolRefAttr:$parameter);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$parameter attr-dict `:` type($result)";
}
def Nacre_AssignOp : Op<Nacre_Dialect, "assign"> {
  let summary = "a parameter's value from here on; after every read, and only when the loss is finite";
  let arguments = (ins FlatSymbolRefAttr:$parameter, AnyRankedTensor:$value);
  let assemblyFormat = "$parameter `,` $value attr-dict `:` type($value)";
}
def Nacre_TapOp : Op<Nacre_Dialect, "tap", [AllTypesMatch<["x", "result"]>, DeclareOpInterfaceMethods<InferTypeOpInterface>,
    DeclareOpInterfaceMethods<Nacre_Evaluable>, DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "x, as a buffer that a call may read and change; without taps in the library, x itself";
  let description = [{Has an effect, so that a tap that nothing reads is kept. Integers can only be looked at: nothing reads their tap.}];
  let arguments = (ins Nacre_Value:$x, StrAttr:$name);
  let results = (outs Nacre_Value:$result);
  let assemblyFormat = "$name $x attr-dict `:` type($x)";
}
def Nacre_CondOp : Op<Nacre_Dialect, "cond", [Pure, AllTypesMatch<["a", "b", "result"]>, DeclareOpInterfaceMethods<InferTypeOpInterface>,
    DeclareOpInterfaceMethods<Nacre_Evaluable>, DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "a where the number `condition` is not 0, else b; work that only the other one needs is not run";
  let description = [{
    Nothing but a choice between values, so operators stay in one block; what a value is needed for is found by `Demand`.
  }];
  let arguments = (ins AnyRankedTensor:$condition, Nacre_Value:$a, Nacre_Value:$b);
  let results = (outs Nacre_Value:$result);
  let assemblyFormat = "$condition `,` $a `,` $b attr-dict `:` type($condition) `,` type($a)";
}

#endif
