// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The manifest of whatever the user calls a model.
#pragma once

#include "compiler/tools/nacre/Console.h"
#include "compiler/tools/nacre/Options.h"

#include <optional>

namespace nacre::tool {

/// The manifest of a model file (compiled as far as its plan), a library or a manifest file; an object with "functions". Nothing after a
/// report, with `status` set.
std::optional<llvm::json::Value> readManifest(llvm::StringRef path, const Arguments &arguments, Console &console, int &status);

} // namespace nacre::tool
