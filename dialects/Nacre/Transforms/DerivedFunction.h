// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copies of functions with their parameters at hand. All work on plain functions of one block.
#pragma once

#include "dialects/Nacre/IR/Ops/Program.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"

namespace nacre {

/// By parameter, in order of first use.
using ParameterReads = llvm::MapVector<mlir::StringAttr, ReadOp>;
/// What parameters become, in order of assignment.
using Assignments = llvm::MapVector<mlir::StringAttr, mlir::Value>;

/// The one read of every parameter that a function uses, moved to its begin; later reads are folded into it.
ParameterReads uniqueReads(mlir::func::FuncOp function);
/// A copy behind the function.
mlir::func::FuncOp cloneAs(mlir::func::FuncOp function, const llvm::Twine &name);
/// Removes the assignments from a function.
Assignments takeAssignments(mlir::func::FuncOp function);

} // namespace nacre
