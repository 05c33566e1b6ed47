// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels emitted once for all levels, and tests of each that run where the machine has the level.
#ifndef NACRE_TEST_COMPILER_CPU_KERNELS_LEVELTEST_H
#define NACRE_TEST_COMPILER_CPU_KERNELS_LEVELTEST_H

#include "compiler/Target/CPU/Levels.h"
#include "test/compiler/cpu-kernels/KernelLoader.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

namespace nacre::cpu {

/// Emits a kernel of the given name and level.
using KernelMaker = std::function<KernelInfo(mlir::ModuleOp, llvm::StringRef name, const Level &)>;

/// All kernels of a test suite on all levels.
class LevelKernels {
public:
  explicit LevelKernels(const std::map<std::string, KernelMaker> &makers) {
    for (const Level &level : levels())
      for (const auto &[name, make] : makers)
        infos[name + level.name.str()] = make(loader.module(), name + level.name.str(), level);
    loader.compile();
  }
  Launch launch(const std::string &name) { return Launch(infos.at(name), loader.find(name)); }

private:
  KernelLoader loader;
  std::map<std::string, KernelInfo> infos;
};

class LevelTest : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    if (!machineSupports(GetParam()))
      GTEST_SKIP() << "this machine lacks the level";
  }
};

#define NACRE_FOR_ALL_LEVELS(suite)                                                                                              \
  INSTANTIATE_TEST_SUITE_P(Levels, suite, testing::Values("v3", "v4"), [](const auto &info) { return info.param; })

} // namespace nacre::cpu

#endif
