// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random well-typed programs. A step is drawn from the table of forms and kept when the dialect's own inference accepts it.
#pragma once

#include "test/random/RandomProgram.h"

#include "llvm/ADT/ArrayRef.h"

namespace nacre::test {

/// Seeds that share a palette of operators (and are compiled together): few kernels serve them all.
inline constexpr uint64_t kSeedsPerBatch = 200;

/// The programs of some seeds, each the same wherever and with whichever others it is made: its function is `random_<seed>`. All values
/// are finite and below 1e4.
std::vector<RandomProgram> generatePrograms(llvm::ArrayRef<uint64_t> seeds);
inline RandomProgram generateProgram(uint64_t seed) { return generatePrograms(seed)[0]; }

} // namespace nacre::test
