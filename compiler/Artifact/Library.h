// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes the artefact of a compiled model: lib<model>.so, lib<model>.a, <model>.h, <model>.json and the headers in nacre/.
//
// Invariant: the shared library and the archive are made from one relocatable object in which everything but the functions of
// the header is local, so two models live in one process, linked either way.
#pragma once

#include "compiler/Artifact/Model.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace nacre {

struct LibraryFiles {
  std::string shared, archive, header, manifest;
};

/// Writes all files of the artefact into `folder`, or none. `objects` hold the programs and kernels that `model` names.
/// Plain errors are the user's (folder, linker); an InternalFailure is ours.
llvm::Expected<LibraryFiles> writeLibrary(const ModelDescription &model, llvm::ArrayRef<llvm::StringRef> objects,
                                          llvm::StringRef folder);

/// Writes the shared library alone and returns its path: for running a model at once.
llvm::Expected<std::string> writeSharedLibrary(const ModelDescription &model, llvm::ArrayRef<llvm::StringRef> objects,
                                               llvm::StringRef folder);

} // namespace nacre
