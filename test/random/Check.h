// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What every random program must fulfil: four evaluations of one function agree, and so do those of its gradient.
#pragma once

#include "test/random/RandomProgram.h"

#include "llvm/ADT/ArrayRef.h"

#include <optional>

namespace nacre::test {

/// Undecided: a choice (a kink, a near tie) or a badly conditioned step turns rounding into differences above what a comparison could see.
enum class Outcome { Clean, Undecided, Failed };

struct Verdict {
  Outcome outcome = Outcome::Clean;
  std::string why; ///< of what is not clean
};

/// Of each program, whether all its values are finite and of moderate size; not fit either is one that the frontend refuses, which is then
/// said on stderr.
std::vector<bool> areFit(llvm::ArrayRef<RandomProgram> programs);

/// Parses `text`, compiles all functions together for one CPU level and checks those of `calls`. Nothing, with a reason, when the
/// text does not get as far as a library. With an empty level it needs to get as far as a plan alone, and the reference is checked: that
/// is five times as fast.
std::optional<std::vector<Verdict>> checkPrograms(llvm::StringRef text, llvm::ArrayRef<Calls> calls, const std::string &level,
                                                  std::string &problem);

} // namespace nacre::test
