// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the LLVM dialect to machine code: translation, LLVM's -O3 pipeline, code generation for baseline x86-64 in which each
// function brings its own level ("target-cpu"). Nothing depends on the machine that compiles.
#ifndef NACRE_COMPILER_TARGET_CPU_EMITOBJECT_H
#define NACRE_COMPILER_TARGET_CPU_EMITOBJECT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/Timing.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace nacre::cpu {

enum class EmitKind { Object, Assembly, LLVMIR };

/// Writes `module` (LLVM dialect only; left as it is) to `stream`, position-independent. Errors name the stage that failed.
/// Its context must know how kernels become LLVM IR (registerKernelDialects). Several threads may do this with different modules of one
/// context. The steps are timed below `timing`.
llvm::Error emitObject(mlir::ModuleOp module, llvm::raw_pwrite_stream &stream, EmitKind kind, mlir::TimingScope *timing = nullptr);

} // namespace nacre::cpu

#endif
