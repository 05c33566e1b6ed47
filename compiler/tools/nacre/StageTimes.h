// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --timing: where the time of a compilation goes, stage by stage and pass by pass.
#pragma once

#include "compiler/tools/nacre/Console.h"
#include "compiler/tools/nacre/Options.h"

#include "mlir/Support/Timing.h"

namespace nacre::tool {

/// Reports when it ends, if the command line has --timing: to standard error, or as {"timing": [...]} with --json.
class StageTimes {
public:
  StageTimes(const Arguments &arguments, Console &console);
  ~StageTimes();
  StageTimes(const StageTimes &) = delete;
  StageTimes &operator=(const StageTimes &) = delete;

  /// What stages are timed below. Times nothing without --timing.
  mlir::TimingScope &whole() { return root; }

private:
  Console &console;
  std::string text; ///< what the manager printed
  llvm::raw_string_ostream stream{text};
  mlir::DefaultTimingManager manager;
  mlir::TimingScope root;
  bool isWanted;
};

extern const Option timingOption;

} // namespace nacre::tool
