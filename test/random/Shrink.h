// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A failing program made small: steps replaced by inputs or by their operands, one binding of the dims, small sizes.
#pragma once

#include "test/random/RandomProgram.h"

namespace nacre::test {

/// What is wrong with a program, checked in a process of its own; empty when nothing is or nothing can be decided.
std::string failureOf(const RandomProgram &program, const std::string &level);

/// The smallest program found that still fails; requires that `program` does. Takes seconds to minutes.
RandomProgram shrink(RandomProgram program, const std::string &level);

} // namespace nacre::test
