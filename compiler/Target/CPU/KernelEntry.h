// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The C functions of a kernel that leaves the house: they fill a frame from their arguments and run a program of one launch, in which
// `nacre_launch` walks tasks on the calling thread. The runtime has no part in it but nacre_cpu_supports.
#ifndef NACRE_COMPILER_TARGET_CPU_KERNELENTRY_H
#define NACRE_COMPILER_TARGET_CPU_KERNELENTRY_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <utility>
#include <vector>

namespace nacre::cpu {

struct KernelEntry {
  std::string symbol;                               ///< of the function; prefix of all others
  std::vector<std::pair<int64_t, int64_t>> extents; ///< least and greatest value of each, in the order of nacre_frame::dims
  int64_t inputs = 0, outputs = 0;                  ///< pointers of the program, inputs first
  bool isPacked = false;                            ///< whether <symbol>_packed takes all arguments of <symbol>_run as an array of i64
  int64_t scratchBytes = 0;                         ///< 0: no scratch argument
  std::vector<std::pair<std::string, mlir::func::FuncOp>> levels; ///< name and kernel, ascending
};

/// Defines `nacre_launch` inside `module`, so that a program emitted after it needs no runtime.
void emitTaskWalk(mlir::ModuleOp module);

/// Adds <symbol>, <symbol>_tasks, <symbol>_task, <symbol>_scratch_bytes and <symbol>_level (see compiler/Artifact/KernelHeader.cpp for
/// what they promise) around the program `program`, and makes everything else in `module` internal.
void emitKernelEntry(mlir::ModuleOp module, const KernelEntry &entry, llvm::StringRef program);

} // namespace nacre::cpu

#endif
