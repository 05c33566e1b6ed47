// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the executor needs to know of a kernel.
#pragma once

#include "llvm/IR/Module.h"

namespace nacre::simt {

bool isKernel(const llvm::Function &function);

/// Adds `kernelSymbol(name)` (a KernelInfo, test/simt/executor/Executor.h) and a function that takes the kernel's parameters as
/// cuLaunchKernel does: an array of pointers to them. A parameter by value is passed on as the pointer. The kernel itself becomes an
/// internal function of the C convention.
void addKernelEntry(llvm::Function &kernel, int64_t sharedBytes);

} // namespace nacre::simt
