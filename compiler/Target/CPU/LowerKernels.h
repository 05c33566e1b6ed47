// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The one pass pipeline that brings kernels (func, arith, math, vector, scf and the LLVM dialect) to the LLVM dialect.
#ifndef NACRE_COMPILER_TARGET_CPU_LOWERKERNELS_H
#define NACRE_COMPILER_TARGET_CPU_LOWERKERNELS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/Timing.h"

namespace nacre::cpu {

/// Registers the dialects that kernels are written in, and how they become LLVM IR.
void registerKernelDialects(mlir::DialectRegistry &registry);

/// Ensures that every function of `module` is in the LLVM dialect. Keeps an element's bits (ExpandMath.h). Fails with a
/// diagnostic on an operation that has no lowering. Modules inside `module`, where it has any, are lowered side by side. Passes are timed
/// below `timing`.
llvm::LogicalResult lowerKernelsToLLVM(mlir::ModuleOp module, mlir::TimingScope *timing = nullptr);

} // namespace nacre::cpu

#endif
