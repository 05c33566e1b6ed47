// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The page of `nacre explain --html`: Explain.html, which is carried inside the tool, with the numbers put in.
#pragma once

#include "llvm/Support/JSON.h"

#include <string>

namespace nacre::tool {

/// One file that needs no other and no network.
std::string explainPage(llvm::json::Object data);

} // namespace nacre::tool
