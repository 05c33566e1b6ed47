// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the compiler may ask of an operator. No pass names an operator; it asks one of these.
#ifndef NACRE_INTERFACES_TD
#define NACRE_INTERFACES_TD

include "mlir/IR/OpBase.td"

def Nacre_Evaluable : OpInterface<"Evaluable"> {
  let cppNamespace = "::nacre";
  let description = [{The naive meaning in f64, written from the contract and sharing nothing with any lowering.}];
  let methods = [InterfaceMethod<
    "Fills `evaluation.out(i)`; operands are plain arrays even where types are nested (the caller goes width by width).",
    "::llvm::LogicalResult", "evaluate", (ins "::nacre::Evaluation &":$evaluation)>];
}

def Nacre_Differentiable : OpInterface<"Differentiable"> {
  let cppNamespace = "::nacre";
  let description = [{Reverse-mode derivative as operators on forward values and cotangents.}];
  let methods = [InterfaceMethod<[{
      `cotangents` has one value a result, null where nothing flows back. Fills one value an operand, null for none; a value may
      still have the broadcast shape, the caller sums it down to the operand's. Runs on plain tensors.}],
    "::llvm::LogicalResult", "differentiate",
    (ins "::mlir::OpBuilder &":$builder, "::mlir::ValueRange":$cotangents, "::llvm::SmallVectorImpl<::mlir::Value> &":$gradients)>];
}

def Nacre_Composite : OpInterface<"Composite"> {
  let cppNamespace = "::nacre";
  let description = [{An operator that is defined by others. It has a reference of its own, so the definition is tested too.}];
  let methods = [InterfaceMethod<
    "Builds the same values from simpler operators; operands may be nested.",
    "::llvm::LogicalResult", "decompose",
    (ins "::mlir::OpBuilder &":$builder, "::llvm::SmallVectorImpl<::mlir::Value> &":$results)>];
}

def Nacre_OnEntries : OpInterface<"OnEntries"> {
  let cppNamespace = "::nacre";
  let description = [{
    Has a sparse operand or result. Element-wise operators need no rule of their own: they work on the values.
  }];
  let methods = [InterfaceMethod<[{
      The result from entries instead of sparse operands: `operands` has one an operand, dense ones without indices. A sparse result
      has indices, a dense one has none. Fails, with an error, where the operator has no meaning for them.}],
    "::llvm::FailureOr<::nacre::Entries>", "onEntries", (ins "::mlir::OpBuilder &":$builder, "::llvm::ArrayRef<::nacre::Entries>":$operands)>];
}

def Nacre_Pointwise : OpInterface<"Pointwise"> {
  let cppNamespace = "::nacre";
  let description = [{Each result element depends on the operand elements at the same place (after broadcasting).}];
  let methods = [InterfaceMethod<
    "Emits the arithmetic on scalars or equally long vectors of f32, i32 or i1.",
    "void", "emit",
    (ins "::mlir::ImplicitLocOpBuilder &":$builder, "::mlir::ValueRange":$operands, "::llvm::SmallVectorImpl<::mlir::Value> &":$results)>];
}

def Nacre_Reduction : OpInterface<"Reduction"> {
  let cppNamespace = "::nacre";
  let description = [{Folds one axis of operand 0 by an associative step.}];
  let methods = [
    InterfaceMethod<"The axis, counted from 0.", "int64_t", "reducedAxis">,
    InterfaceMethod<"The start value.", "double", "identity">,
    InterfaceMethod<"One step on scalars or vectors of f32.", "::mlir::Value", "combine",
      (ins "::mlir::ImplicitLocOpBuilder &":$builder, "::mlir::Value":$a, "::mlir::Value":$b)>,
    InterfaceMethod<"All lanes of a vector into one scalar, in a fixed tree.", "::mlir::Value", "combineLanes",
      (ins "::mlir::ImplicitLocOpBuilder &":$builder, "::mlir::Value":$vector)>];
}

def Nacre_View : OpInterface<"View"> {
  let cppNamespace = "::nacre";
  let description = [{The result is operand 0 seen through another offset, sizes and strides: no work if the layout allows it.}];
  let methods = [InterfaceMethod<
    "The result's layout over the operand's storage, or failure when the operand must be copied first.",
    "::llvm::FailureOr<::nacre::Layout>", "view", (ins "const ::nacre::Layout &":$source)>];
}

def Nacre_Skeleton : OpInterface<"Skeleton"> {
  let cppNamespace = "::nacre";
  let description = [{An operator that is the heart of a kernel of its own.}];
  let methods = [
    InterfaceMethod<"Which kernel skeleton carries it: `contract`, `attention`, `attention_backward`, `gather`, `scatter`.",
      "::llvm::StringRef", "skeleton">,
    InterfaceMethod<"Floating-point operations for given operand shapes, as a polynomial.", "::nacre::Dim", "operations">,
    InterfaceMethod<"Whether element-wise users of the shape of result 0 may run on each tile of it, before it is stored.", "bool",
      "acceptsEpilogue", (ins), [{}], [{ return false; }]>];
}

def Nacre_RowFold : OpInterface<"RowFold"> {
  let cppNamespace = "::nacre";
  let description = [{
    Keeps a small state of every row of operand 0, taken up column by column in ascending order: tiles of a product can be folded as they
    are computed, and the product is never stored.
  }];
  let methods = [InterfaceMethod<"Entries that the state of a row holds; nothing when that is not a fixed number.",
    "std::optional<int64_t>", "foldedEntries">];
}

def Nacre_Segmented : OpInterface<"Segmented"> {
  let cppNamespace = "::nacre";
  let description = [{Sums entries by index: its kernel takes the entries sorted, and others of the same indices share the sorting.}];
  let methods = [
    InterfaceMethod<"The operand that holds an index an entry.", "::mlir::Value", "segmentIndices">,
    InterfaceMethod<"The operand that holds a row an entry; null when entries stand in their rows.", "::mlir::Value", "segmentRows">,
    InterfaceMethod<"The number of segments; indices outside [0, segments) belong to none.", "::nacre::Dim", "segments">];
}

def Nacre_Coordinate : OpInterface<"Coordinate"> {
  let cppNamespace = "::nacre";
  let description = [{A value without memory: a position along an axis, or a size of the call.}];
  let methods = [
    InterfaceMethod<"Whether it is one number: the layout's offset. Otherwise an element is the dot product of index and strides.", "bool", "isNumber">,
    InterfaceMethod<"Sizes and strides of the positions, or the number as the offset.", "::nacre::Layout", "coordinates">];
}

def Nacre_Indexing : OpInterface<"Indexing"> {
  let cppNamespace = "::nacre";
  let description = [{Reads one operand as positions, which must lie in a range.}];
  let methods = [
    InterfaceMethod<"The operand that holds positions.", "::mlir::Value", "positions">,
    InterfaceMethod<"Positions lie in [0, bound); nothing when the bound is not fixed.", "std::optional<int64_t>", "positionBound">];
}

def Nacre_Contraction : OpInterface<"Contraction"> {
  let cppNamespace = "::nacre";
  let description = [{sum over k of lhs[.., i, k] * rhs[.., k, j].}];
  let methods = [
    InterfaceMethod<"The left operand.", "::mlir::Value", "lhs">,
    InterfaceMethod<"The right operand.", "::mlir::Value", "rhs">,
    InterfaceMethod<"Ascending k at which the sum so far is a result of its own, stacked on axis 0; empty: only the whole sum.",
      "::llvm::ArrayRef<int64_t>", "checkpoints">];
}

def Nacre_Join : OpInterface<"Join"> {
  let cppNamespace = "::nacre";
  let description = [{The result consists of its operands side by side, and zeros where none lies.}];
  let methods = [
    InterfaceMethod<"Where operand `part` lies inside the result.", "::nacre::Layout", "place",
      (ins "unsigned":$part, "const ::nacre::Layout &":$result)>,
    InterfaceMethod<"Whether operands cover the result.", "bool", "isCovered">];
}

def Nacre_Widthwise : OpInterface<"Widthwise"> {
  let cppNamespace = "::nacre";
  let description = [{Can work on all widths at once when a leading axis holds them.}];
  let methods = [InterfaceMethod<[{
      Builds the op on operands that carry the widths on a new axis 0 where `stacked` says so; returns failure when this op cannot.}],
    "::llvm::FailureOr<::mlir::Value>", "buildStacked",
    (ins "::mlir::OpBuilder &":$builder, "::mlir::ValueRange":$operands, "::llvm::ArrayRef<bool>":$stacked)>];
}

#endif
