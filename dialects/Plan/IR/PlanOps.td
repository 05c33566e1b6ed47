// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// When and where: kernels, buffers, and launches in a fixed order.
#ifndef PLAN_OPS_TD
#define PLAN_OPS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"

def Plan_Dialect : Dialect {
  let name = "plan";
  let summary = "when and where a model runs: kernels, buffers at fixed offsets, launches in a fixed order";
  let cppNamespace = "::nacre::plan";
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
}

def Plan_BufferType : TypeDef<Plan_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "memory that a launch reads or writes";
}

def Plan_ViewAttr : AttrDef<Plan_Dialect, "View"> {
  let mnemonic = "view";
  let summary = "how a launch sees one operand";
  let description = [{
    `buffer` is the position among the launch's buffers; -1 stands for a value made from the place itself (the dot product of index
    and strides), -2 for the number `offset`. Offset and strides count elements; all are polynomials in canonical text.
  }];
  let parameters = (ins "int64_t":$buffer, "::mlir::StringAttr":$offset, "::mlir::ArrayAttr":$sizes, "::mlir::ArrayAttr":$strides);
  let assemblyFormat = "`<` $buffer `,` $offset `,` $sizes `,` $strides `>`";
}

class Plan_Op<string mnemonic, list<Trait> traits = []> : Op<Plan_Dialect, mnemonic, traits>;

def Plan_KernelOp : Plan_Op<"kernel", [Symbol, IsolatedFromAbove, SingleBlock]> {
  let summary = "one kernel, described by the nacre operators that it carries out";
  let description = [{
    The block's arguments are what it reads, `plan.yield` names what it writes. Its identity is the skeleton, the operators and how
    each operand is walked, never an extent: the types inside are those of the first launch.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$skeleton, I64Attr:$outer, StrArrayAttr:$access);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name $skeleton attr-dict-with-keyword $body";
}

def Plan_YieldOp : Plan_Op<"yield", [Terminator]> {
  let summary = "the values that a kernel writes";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "$values attr-dict `:` type($values)";
}

def Plan_ProgramOp : Plan_Op<"program", [Symbol, SingleBlock, NoTerminator]> {
  let summary = "one function of the model as launches in order";
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<StrAttr>:$arena);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
}

def Plan_BufferOp : Plan_Op<"buffer"> {
  let summary = "memory: an input, an output, a parameter, or a part of the arena";
  let description = [{`offset` (bytes) is given to arena buffers by plan-buffers; `index` counts inputs or outputs.}];
  let arguments = (ins StrAttr:$space, StrAttr:$name, I64Attr:$index, ArrayAttr:$shape, TypeAttr:$element, OptionalAttr<StrAttr>:$offset);
  let results = (outs Plan_BufferType:$buffer);
  let assemblyFormat = "$space $name attr-dict";
}

def Plan_LaunchOp : Plan_Op<"launch", [AttrSizedOperandSegments]> {
  let summary = "runs a kernel over its operands; the last `writes` views are written";
  let description = [{Skipped unless every number in `guards` is as `taken` says: not 0 where true, 0 where false.}];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Plan_BufferType>:$buffers, ArrayAttr:$views, I64Attr:$writes,
                       StrAttr:$operations, Variadic<Plan_BufferType>:$guards, DefaultValuedAttr<DenseBoolArrayAttr, "{}">:$taken);
  let assemblyFormat = "$kernel `(` $buffers `)` (`if` `(` $guards^ `)`)? attr-dict";
  let hasVerifier = 1;
}

def Plan_TapOp : Plan_Op<"tap"> {
  let summary = "lets the call's interventions at this tap read and change a buffer";
  let description = [{`index` counts the taps of the program. Guarded like a launch.}];
  let arguments = (ins StrAttr:$name, I64Attr:$index, Plan_BufferType:$buffer, Variadic<Plan_BufferType>:$guards,
                       DefaultValuedAttr<DenseBoolArrayAttr, "{}">:$taken);
  let assemblyFormat = "$name $buffer (`if` `(` $guards^ `)`)? attr-dict";
}

def Plan_CheckRangeOp : Plan_Op<"check_range"> {
  let summary = "ends the program with an error when an integer lies outside [0, limit]: \"EXPECTS LIMIT UNIT, but got N\"";
  let description = [{Guarded like a launch. `limit` is a polynomial in canonical text.}];
  let arguments = (ins Plan_BufferType:$buffer, StrAttr:$limit, StrAttr:$expects, StrAttr:$unit, Variadic<Plan_BufferType>:$guards,
                       DefaultValuedAttr<DenseBoolArrayAttr, "{}">:$taken);
  let assemblyFormat = "$buffer (`if` `(` $guards^ `)`)? attr-dict";
}

def Plan_CheckFiniteOp : Plan_Op<"check_finite"> {
  let summary = "ends the program with an error, before anything is kept, when a number is not finite";
  let arguments = (ins Plan_BufferType:$buffer);
  let assemblyFormat = "$buffer attr-dict";
}

#endif
