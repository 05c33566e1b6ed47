// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random well-typed programs. A step is drawn from the table of forms and kept when the dialect's own inference accepts it.
#pragma once

#include "test/random/RandomProgram.h"

namespace nacre::test {

/// Seeds that share a palette of operators (and are compiled together): few kernels serve them all.
inline constexpr uint64_t kSeedsPerBatch = 200;

/// The program of a seed, the same everywhere: its function is `random_<seed>`. All its values are finite and below 1e4.
RandomProgram generateProgram(uint64_t seed);

} // namespace nacre::test
