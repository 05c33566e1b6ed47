// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What Transforms/SkipPadding asks: which rows of a padded batch are read, and who can leave out the others.
#ifndef NACRE_ROWINTERFACES_TD
#define NACRE_ROWINTERFACES_TD

include "mlir/IR/OpBase.td"

def Nacre_RowLimit : OpInterface<"RowLimit"> {
  let cppNamespace = "::nacre";
  let description = [{Stands for operand 0, of which only the places below `lengths` along an axis are read.}];
  let methods = [
    InterfaceMethod<"One number for each entry of axis 0, i32 [B].", "::mlir::Value", "limits">,
    InterfaceMethod<"The limited axis, counted from 0.", "int64_t", "limitedAxis">];
}

def Nacre_RowByRow : OpInterface<"RowByRow"> {
  let cppNamespace = "::nacre";
  let description = [{
    Row t of result 0 takes row t of one operand and no other of it; rows lie along the last axis but one of both, batches along axis 0.
  }];
  let methods = [
    InterfaceMethod<"The operand that is read row by row.", "::mlir::Value", "rowOperand">,
    InterfaceMethod<[{
        Builds the same without work for the rows at or beyond lengths[b], which are left unwritten. Fails where there is no such form.}],
      "::llvm::FailureOr<::mlir::Value>", "limitRows", (ins "::mlir::OpBuilder &":$builder, "::mlir::Value":$lengths)>];
}

#endif
