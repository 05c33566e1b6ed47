// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One program of the zoo, compiled for this machine, and the numbers that its checks ask for.
#pragma once

#include "test/harness/CompiledProgram.h"
#include "test/harness/TestProgram.h"
#include "test/zoo/ZooFile.h"

namespace nacre::test {

/// The worst number of a check, compiled and, without training, by the reference.
struct ZooMeasure {
  double compiled = 0;
  std::optional<double> reference;
};

class ZooSystem {
public:
  /// Null on failure, with a reason.
  static std::unique_ptr<ZooSystem> make(const ZooFile &file, std::string &messages);
  /// Parameters are drawn anew for each check, but for those after equally many steps of training. Nothing on failure, with a reason.
  std::optional<ZooMeasure> measure(const ZooCheck &check, std::string &messages);

private:
  explicit ZooSystem(const ZooFile &file) : file(file) {}

  bool restart(std::string &messages);
  bool train(int64_t steps, std::string &messages);
  bool takeStep(int64_t step, int64_t steps, std::string &messages);
  std::optional<double> worstOfCompiled(const ZooCheck &check, uint64_t key, std::string &messages);
  std::optional<double> worstOfReference(const ZooCheck &check, uint64_t key, std::string &messages);
  std::optional<std::vector<Array>> inputs(llvm::StringRef function, uint64_t key, int64_t call, std::string &messages);
  std::optional<Array> input(mlir::func::FuncOp function, unsigned index, uint64_t key, int64_t call, std::string &messages);
  llvm::StringMap<int64_t> sizes(mlir::func::FuncOp function, uint64_t key, int64_t call);
  int64_t calls(const ZooCheck &check);

  const ZooFile &file;
  std::unique_ptr<TestProgram> program;
  std::unique_ptr<CompiledProgram> compiled;
  int64_t trainedSteps = 0;
};

} // namespace nacre::test
