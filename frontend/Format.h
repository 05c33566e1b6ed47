// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `nacre fmt`: the same tokens and comments in the one layout of the language.
//
// Kept: every token, every comment, line breaks, single blank lines. Decided here: indentation and the space between tokens.
// Invariant: formatting twice gives the same text as formatting once, and the tree does not change.
#pragma once

#include "frontend/Diagnostics.h"

#include <optional>

namespace nacre {

/// The text of one buffer in canonical layout; nothing, and errors, when it does not parse.
std::optional<std::string> format(llvm::StringRef text, Diagnostics &diagnostics);

} // namespace nacre
