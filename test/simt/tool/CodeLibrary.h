// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From device IR to a shared library that the executor runs.
#pragma once

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace nacre::simt {

/// Turns the text of an optimised NVPTX module, the very one that becomes PTX, into host code for this machine and links it against the
/// executor of this process. Writes `output`. Fails on text that is no module, and on intrinsics that the executor does not know.
llvm::Error writeCodeLibrary(llvm::StringRef deviceIR, const std::string &output);

} // namespace nacre::simt
