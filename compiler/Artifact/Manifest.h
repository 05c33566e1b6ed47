// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The manifest of a compiled model: what it holds and how it runs, as JSON for people's tools and for ours.
// Sizes are polynomials in the canonical text of `Dim`; the same text goes into the library and into `<model>.json`.
#pragma once

#include "compiler/Artifact/Model.h"

namespace nacre {

/// The JSON text, indented by two, ending in a line feed.
std::string manifestText(const ModelDescription &model);

/// The sum of all buffers of a function: what the arena would take without reuse.
Dim bufferBytes(const FunctionDescription &function);

} // namespace nacre
