// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs golden cases: each by the reference at every stage, all together as one compiled library on every CPU level.
#pragma once

#include "test/golden/CaseTable.h"
#include "test/harness/CompiledProgram.h"

namespace nacre::test {

/// A case on its way; `failures` collects what went wrong, in words.
struct GoldenRun {
  GoldenCase golden;
  const CaseForm *form = nullptr;
  std::string text; ///< the program, functions named after outputs
  std::vector<std::string> failures;

  void fail(const llvm::Twine &what, llvm::StringRef why) {
    if (!why.empty())
      failures.push_back((what + ": " + why).str());
  }
};

/// f64 against f64, and f32 against f64 for results and gradients (README.md).
inline constexpr double kReferenceTolerance = 1e-10, kForwardTolerance = 2e-5, kGradientTolerance = 1e-4;

/// What the case expects of the function named after an output: out.y, or out.y0, out.y1 ... one after the other. `kind` is out or cot.
std::optional<Array> goldenValues(const GoldenCase &golden, llvm::StringRef kind, llvm::StringRef output);

/// Compiles for what the cases run on: the CPU levels, or after `runOnDevice` the device code as well.
std::unique_ptr<CompiledProgram> compileCase(mlir::ModuleOp module, std::string &messages);
void runOnDevice();

/// Cases whose programs are functions.
void runFunctions(std::vector<GoldenRun *> runs);
/// A case whose program is a model with a train block.
void runTraining(GoldenRun &run);
/// A case whose program is a model with states that its function updates.
void runStates(GoldenRun &run);

} // namespace nacre::test
