// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A kernel of blocks on the executor, launched as the runtime would.
#ifndef NACRE_TEST_COMPILER_DEVICE_KERNELS_DEVICEKERNEL_H
#define NACRE_TEST_COMPILER_DEVICE_KERNELS_DEVICEKERNEL_H

#include "compiler/Target/NVPTX/Contract.h"
#include "test/simt/DeviceModule.h"

#include <functional>

namespace nacre::nvptx {

/// The slots of a launch.
class Slots {
public:
  explicit Slots(int64_t count) : words(static_cast<size_t>(count)) {}
  void set(int64_t slot, int64_t value) { words[static_cast<size_t>(slot)] = value; }
  void set(int64_t slot, const void *pointer) { set(slot, reinterpret_cast<int64_t>(pointer)); }
  const std::vector<int64_t> &all() const { return words; }

private:
  std::vector<int64_t> words;
};

class DeviceKernel {
public:
  using Emit = std::function<BlockKernelInfo(mlir::ModuleOp module, llvm::StringRef name)>;
  /// Emits, lowers and compiles; on failure `error()` says why.
  explicit DeviceKernel(const Emit &emit);
  const std::string &error() const { return message; }
  const std::string &ptx() const { return text; }
  /// The number of tasks follows from the slots. Up to three blocks share them. Returns what failed.
  std::string run(const Slots &slots, int order);

private:
  BlockKernelInfo info;
  std::string message, text;
  std::unique_ptr<simt::DeviceModule> code;
};

} // namespace nacre::nvptx

#endif
