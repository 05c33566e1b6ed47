// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All programs of a range of seeds, a batch a library, in child processes.
#pragma once

#include "test/random/Check.h"

#include <map>

namespace nacre::test {

struct SeedRange {
  uint64_t first = 0, last = 1999; ///< both ends in
};

struct RunReport {
  uint64_t programs = 0, undecided = 0;
  std::map<std::string, uint64_t> operators;    ///< how many steps of each kind the programs have
  std::map<uint64_t, std::string> open, failed; ///< by seed: what was found
};

/// "a..b"; nothing when malformed or empty.
std::optional<SeedRange> parseSeeds(llvm::StringRef text);

/// The CPU level that a seed's batch is compiled for: both are tried in turn where the machine has both.
std::string levelOf(uint64_t seed);

/// With `referenceOnly` no machine code is made; see checkPrograms.
RunReport runSeeds(const SeedRange &range, bool referenceOnly);

} // namespace nacre::test
