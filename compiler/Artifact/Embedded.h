// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files that the compiler carries inside itself, so that it needs none beside it: the runtime that goes into each library and
// the headers that the generated header includes.
#pragma once

#include "llvm/ADT/StringRef.h"

namespace nacre {

/// libnacre_runtime_embed.a: the runtime with hidden symbols.
llvm::StringRef runtimeArchive();
/// nacre/abi.h
llvm::StringRef abiHeader();
/// nacre/runtime.h
llvm::StringRef runtimeHeader();

} // namespace nacre
