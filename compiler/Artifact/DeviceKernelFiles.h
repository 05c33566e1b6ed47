// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The files of a kernel for a GPU: <symbol>.ptx, a description of its launch in <symbol>.json, and <symbol>.c with <symbol>.h, which load and
// launch it through the CUDA driver.
#pragma once

#include "compiler/Artifact/KernelExport.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace nacre {

/// Writes all four into `folder`, or none; returns their paths. Errors are the user's.
llvm::Expected<std::vector<std::string>> writeDeviceKernel(const DeviceKernelExport &kernel, llvm::StringRef folder);

} // namespace nacre
