// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Device IR inside a test: made into code once, its kernels launched in any order of threads.
#pragma once

#include "test/simt/executor/Executor.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <memory>
#include <string>
#include <vector>

namespace nacre::simt {

/// Every program is tried under these: both directions, both times of asynchronous copies, two shuffles.
inline constexpr int kOrders[] = {0, 1, 2, 3, 4};

class DeviceModule {
public:
  /// Null on failure, which is then in `messages`.
  static std::unique_ptr<DeviceModule> build(llvm::StringRef deviceIR, std::string &messages);
  ~DeviceModule();

  /// `parameters`: pointers to them. Fails the launch when there is no such kernel.
  Failure launch(const std::string &kernel, Dim grid, Dim block, llvm::ArrayRef<const void *> parameters, int order,
                 int64_t dynamicSharedBytes = 0, unsigned threads = 1);
  /// The code library, for the stand-in driver. Lives as long as this.
  const std::string &path() const { return file; }

private:
  DeviceModule() = default;

  std::string file;
  void *library = nullptr;
};

} // namespace nacre::simt
