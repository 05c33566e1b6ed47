// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One call of a function with arrays from files: inputs by name or in order, the call as a whole or in parts, the outputs.
#pragma once

#include "compiler/tools/nacre/Array.h"
#include "compiler/tools/nacre/LoadedModel.h"

#include <optional>

namespace nacre::tool {

/// `nacre run`; all borrowed.
class Runner {
public:
  Runner(const LoadedModel &model, const Arguments &arguments, Console &console) : model(model), arguments(arguments), console(console) {}
  /// Reads, calls, writes or prints. Fails before anything is written.
  llvm::Error run();

private:
  llvm::Error chooseFunction();
  llvm::Error readInputs();
  llvm::Error prepare();
  llvm::Error callWhole();
  llvm::Error callInParts(int32_t dim);
  std::vector<Array> part(int32_t dim, int64_t begin, int64_t end) const;
  llvm::Error write();
  llvm::Error save();

  const LoadedModel &model;
  const Arguments &arguments;
  Console &console;
  const nacre_function *function = nullptr;
  std::vector<Array> inputs, outputs;
  std::optional<int64_t> width; ///< still to be applied to the outputs
  int64_t rows = 0;
  ParametersPtr parameters{nullptr, {nullptr}};
};

} // namespace nacre::tool
