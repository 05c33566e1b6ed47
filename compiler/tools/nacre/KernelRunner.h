// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs exported kernels on memory of the tool's own: for measuring variants of one kernel against each other.
#pragma once

#include "compiler/Pipelines/ExportKernel.h"
#include "compiler/tools/nacre/Cost.h"

#include <memory>

namespace nacre::tool {

/// A kernel that was compiled with KernelRequest::isPacked, loaded into the process until its destruction.
class LoadedKernel {
public:
  /// Links it inside `folder`.
  static llvm::Expected<std::unique_ptr<LoadedKernel>> load(const CompiledKernel &kernel, llvm::StringRef folder);
  ~LoadedKernel();

  const KernelExport description;
  int64_t (*const packed)(const int64_t *values);

private:
  LoadedKernel(const KernelExport &description, void *library, int64_t (*packed)(const int64_t *))
      : description(description), packed(packed), library(library) {}
  void *library;
};

/// Operands of a kernel at given dims: numbers in [-0.5, 0.5), indices within their bound, the same in every object for one kernel.
class KernelOperands {
public:
  KernelOperands(const KernelExport &kernel, const DimValues &dims);

  /// Runs all tasks on the calling thread. Requires a variant of the kernel that the operands were made for.
  void run(const LoadedKernel &kernel);
  /// What the kernel has written, all operands after each other.
  std::vector<char> written() const;

private:
  std::vector<int64_t> extents;
  std::vector<std::vector<char>> memory; ///< of the operands; each begins on the next multiple of 64 bytes
  std::vector<bool> isWritten;
  std::vector<char> scratch;
};

} // namespace nacre::tool
