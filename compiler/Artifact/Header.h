// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The generated C header of a compiled model.
#pragma once

#include "compiler/Artifact/Model.h"

namespace nacre {

/// The text of `<model>.h`: typed functions with the model's own docs and shapes, for C11 and C++. Includes "nacre/runtime.h".
std::string headerText(const ModelDescription &model);

/// Text that may stand inside a C comment, on one line.
std::string commentText(llvm::StringRef text);

} // namespace nacre
