// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes the files of an exported kernel: <symbol>.o, lib<symbol>.a and <symbol>.h.
//
// Invariant: the object defines the functions of the header, and refers to the C library (and libm where a kernel does) alone.
#pragma once

#include "compiler/Artifact/KernelExport.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace nacre {

struct KernelFiles {
  std::string object, archive, header;
};

/// Writes all three into `folder`, or none. `object` defines the functions of `kernel`'s header.
/// Plain errors are the user's (folder, linker); an InternalFailure is ours.
llvm::Expected<KernelFiles> writeKernel(const KernelExport &kernel, llvm::ArrayRef<char> object, llvm::StringRef folder);

/// Writes lib<symbol>.so alone into `folder` and returns its path: for running a kernel at once.
llvm::Expected<std::string> writeSharedKernel(const KernelExport &kernel, llvm::ArrayRef<char> object, llvm::StringRef folder);

} // namespace nacre
