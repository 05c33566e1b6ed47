// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Device kernels with their entries (func, arith, math, vector, scf, NVVM and the LLVM dialect) to the LLVM dialect.
#ifndef NACRE_COMPILER_TARGET_NVPTX_LOWERDEVICE_H
#define NACRE_COMPILER_TARGET_NVPTX_LOWERDEVICE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/Timing.h"

namespace nacre::nvptx {

/// Registers what device code is written in beyond the dialects of CPU kernels, and how it becomes LLVM IR.
void registerDeviceDialects(mlir::DialectRegistry &registry);

/// Ensures that every function of `module` is in the LLVM dialect and calls no function of a mathematical library: sine, cosine and
/// log1p are polynomials too (largest absolute error 1.5e-6 for |x| < 1000). Fails with a diagnostic on what has no lowering.
llvm::LogicalResult lowerDeviceToLLVM(mlir::ModuleOp module, mlir::TimingScope *timing = nullptr);

} // namespace nacre::nvptx

#endif
