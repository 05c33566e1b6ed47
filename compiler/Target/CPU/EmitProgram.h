// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A plan program as straight-line code: sizes from the call's dims, slots, launches.
#ifndef NACRE_COMPILER_TARGET_CPU_EMITPROGRAM_H
#define NACRE_COMPILER_TARGET_CPU_EMITPROGRAM_H

#include "compiler/Target/CPU/Skeletons.h"

#include "llvm/ADT/StringMap.h"

namespace nacre::cpu {

class VectorBuilder;

/// Fields of nacre_frame, in order; all are pointers but for the number of workers, an i64.
enum Field : int64_t {
  FieldDims, FieldArena, FieldParameters, FieldInputs, FieldOutputs, FieldKernels, FieldWorkers, FieldTaps, FieldWorkerCount, FieldRefusal,
  FieldTrace, FieldPacked, FieldTables, FieldDevice, FieldCount
};

/// What a program refers to.
struct ProgramTables {
  llvm::StringMap<int64_t> dims;             ///< position in nacre_frame::dims
  llvm::StringMap<int64_t> kernels;          ///< position in nacre_frame::kernels
  llvm::StringMap<KernelInfo> infos;         ///< task formulas by kernel
  llvm::StringMap<int64_t> parameterOffsets; ///< bytes in nacre_frame::parameters
  bool traced = false;                       ///< launches go through nacre_trace_launch
};

/// Adds `int32_t symbol(const nacre_frame *)` to `module`. It allocates nothing but its slots on the stack.
void emitProgram(mlir::ModuleOp module, llvm::StringRef symbol, plan::ProgramOp program, const ProgramTables &tables);

/// The address of a text that ends with a zero byte: a private global of `module` whose name begins with `prefix`.
mlir::Value textAddress(VectorBuilder &b, mlir::ModuleOp module, llvm::StringRef prefix, llvm::StringRef text);

} // namespace nacre::cpu

#endif
