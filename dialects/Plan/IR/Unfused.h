// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions that are compiled for a few calls alone, as tests of many programs do.
#pragma once

#include "llvm/ADT/StringRef.h"

namespace nacre::plan {

/// On a function: every operator has a kernel of its own, so that many functions share few kernels. On its program too: the code that
/// launches them is not optimised.
inline constexpr llvm::StringLiteral kUnfused = "plan.unfused";

} // namespace nacre::plan
