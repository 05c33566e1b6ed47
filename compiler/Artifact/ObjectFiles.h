// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Steps on object files that every artefact takes. What fails here without the user's doing is a plain error too: callers name the stage.
#pragma once

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace nacre {

/// Writes a file; a plain error of the user's when it cannot, which names `shown`: the path that the user knows, where that is another.
llvm::Error writeFile(const std::string &path, llvm::StringRef content, llvm::StringRef shown = "");

/// Turns every hidden symbol of the object `input` into a local one, so that two archives never clash.
llvm::Error localizeHidden(const std::string &input, const std::string &output);

/// A static library of one object, the same bytes for the same object.
llvm::Error archiveObject(const std::string &object, const std::string &output);

} // namespace nacre
