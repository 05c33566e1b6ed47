// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre functions -> plan programs.
#pragma once

#include "compiler/Transforms/KernelTable.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace nacre {

/// Builds the program of `function` before `anchor`: groups become launches, values become buffers, views cost nothing.
/// Ensures that every result lies in its output buffer, that assigned parameters are written last in place, and that a training
/// step checks its loss before it writes. Fails, naming the operator, on one without a kernel.
mlir::LogicalResult buildProgram(mlir::func::FuncOp function, mlir::Operation *anchor, KernelTable &kernels);

/// All functions of a module, which they leave: kernels first, then programs. Fails on a module without a function.
mlir::LogicalResult buildPrograms(mlir::ModuleOp module);

} // namespace nacre
