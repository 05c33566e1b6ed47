// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of Elementwise.td, and what their generated parts call.
#pragma once

#include "dialects/Nacre/IR/Operator.h"

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Elementwise.h.inc"

namespace nacre {

mlir::LogicalResult inferBinary(InferContext &context, mlir::Value a, mlir::Value b, llvm::SmallVectorImpl<mlir::Type> &results);
mlir::LogicalResult inferCompare(InferContext &context, mlir::Value a, mlir::Value b, llvm::SmallVectorImpl<mlir::Type> &results);
mlir::LogicalResult evaluateUnary(Evaluation &evaluation, llvm::function_ref<double(double)> f);
mlir::LogicalResult evaluateBinary(Evaluation &evaluation, llvm::function_ref<double(double, double)> f);

/// The same op on stacked operands: a stacked operand of lower rank gets axes of size 1 after axis 0, so that trailing axes align.
mlir::FailureOr<mlir::Value> rebuildStackedPointwise(mlir::OpBuilder &builder, mlir::Operation *op, mlir::ValueRange operands,
                                                     llvm::ArrayRef<bool> stacked);
/// Creates a copy of `op` on other operands, with inferred result types.
mlir::Operation *rebuild(mlir::OpBuilder &builder, mlir::Operation *op, mlir::ValueRange operands);

} // namespace nacre
