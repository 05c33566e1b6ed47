// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compiles a module of kernels in this process and finds them by name: emission, lowering and code generation as in a
// library, then LLVM's in-memory linker.
#ifndef NACRE_TEST_COMPILER_CPU_KERNELS_KERNELLOADER_H
#define NACRE_TEST_COMPILER_CPU_KERNELS_KERNELLOADER_H

#include "compiler/Target/CPU/KernelInfo.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "nacre/abi.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

#include <memory>
#include <string>
#include <vector>

namespace nacre::cpu {

class KernelLoader {
public:
  KernelLoader();

  /// Kernels are added here before `compile`.
  mlir::ModuleOp module() { return *moduleOp; }

  /// Stops the process with a message on failure: there is nothing to test then. Call once.
  void compile();

  nacre_kernel find(llvm::StringRef name);
  size_t objectBytes() const { return bytes; }

private:
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> moduleOp;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  size_t bytes = 0;
};

/// Whether this machine runs kernels of the level.
bool machineSupports(llvm::StringRef levelName);

/// Slots, a scratch and a launch on this thread, as the runtime does it.
class Launch {
public:
  Launch(const KernelInfo &info, nacre_kernel kernel);

  void set(int64_t slot, int64_t value) { slots[slot] = value; }
  void set(int64_t slot, const void *pointer) { slots[slot] = reinterpret_cast<int64_t>(pointer); }
  int64_t tasks() const;
  /// Runs all tasks, `grain` at a time, last ones first if `backwards`.
  void run(int64_t grain = INT64_MAX, bool backwards = false);

private:
  const KernelInfo &info;
  nacre_kernel kernel;
  std::vector<int64_t> slots;
  std::vector<char> scratch;
  char *scratchStart;
};

} // namespace nacre::cpu

#endif
