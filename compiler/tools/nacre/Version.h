// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "llvm/ADT/StringRef.h"

namespace nacre::tool {

/// The project's version, from CMake: "0.1.0".
inline llvm::StringRef version() { return NACRE_VERSION; }

} // namespace nacre::tool
