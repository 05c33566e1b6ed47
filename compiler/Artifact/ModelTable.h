// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The object that makes a library of a compiled model: the constant `nacre_model` table of abi.h and the functions of the
// generated header over it.
//
// Invariant: it exports the symbols of the header alone. Programs, kernels and `nacre_runtime_api` are hidden symbols that
// the linker finds in the compiled module and in the runtime's archive.
#pragma once

#include "compiler/Artifact/Model.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

namespace nacre {

/// An ELF object for x86-64, position-independent. `manifest` becomes nacre_model::manifest.
/// Fails when the model does not fit into the interface (more dims or axes than abi.h has room for, an unknown dim name).
llvm::Expected<llvm::SmallVector<char, 0>> emitModelTable(const ModelDescription &model, llvm::StringRef manifest);

} // namespace nacre
