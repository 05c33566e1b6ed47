// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The C header of an exported kernel: prototypes, and in words all that a caller must know.
#pragma once

#include "compiler/Artifact/KernelExport.h"

namespace nacre {

/// Includes <stdint.h> alone; good C99 and C++.
std::string kernelHeaderText(const KernelExport &kernel);

/// The lines of a comment that say what a kernel computes and how its operands and extents are; each begins with " * ".
void printContract(llvm::raw_ostream &out, const KernelExport &kernel);

} // namespace nacre
