// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of SparseActivation.td, and what other families need to work on entries.
#pragma once

#include "dialects/Nacre/IR/Operator.h"

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/SparseActivation.h.inc"

namespace nacre {

/// The values of the slots in use, 0 in the others.
mlir::Value usedValues(mlir::OpBuilder &builder, const Entries &x);
/// The sum of every row of a sparse value, with a last axis of size 1.
mlir::Value sparseRowSum(mlir::OpBuilder &builder, const Entries &x);
/// A sparse value [.., n] times a dense table [n, d]: [.., d]; work proportional to the entries.
mlir::Value sparseProduct(mlir::OpBuilder &builder, const Entries &x, mlir::Value table);
/// The elements of a dense value at the places of `like`, in the form of its values; a value that is the same along the last axis stays
/// as it is where it still broadcasts.
mlir::Value atEntries(mlir::OpBuilder &builder, const Entries &like, mlir::Value dense);

} // namespace nacre
