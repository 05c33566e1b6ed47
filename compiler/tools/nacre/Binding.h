// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the shapes of a call's inputs say about the model's dims, what the dims say about the shapes of its outputs, and
// whether a call may be made in several parts.
#pragma once

#include "compiler/tools/nacre/Array.h"
#include "compiler/tools/nacre/LoadedModel.h"

#include <optional>

namespace nacre::tool {

/// "f32[B, 64]"
std::string portText(const nacre_model &model, const nacre_port &port);

/// The value of every dim, 0 for one that no input mentions. Checks ranks, sizes, bounds and run-time widths.
llvm::Expected<std::vector<int64_t>> bindDims(const nacre_model &model, const nacre_function &function, llvm::ArrayRef<Array> inputs);

/// A zeroed array for each output, of the shape it has at these dims.
llvm::Expected<std::vector<Array>> outputsAt(const nacre_model &model, const nacre_function &function, llvm::ArrayRef<int64_t> dims);

/// Checks and runs one function; `outputs` must have the right shapes. Interventions need a library with taps.
llvm::Error callFunction(const LoadedModel &model, nacre_context *context, const nacre_function &function, llvm::ArrayRef<Array> inputs,
                         std::vector<Array> &outputs, llvm::ArrayRef<nacre_intervention> interventions = {});

/// As above, with the runtime's status and sentence.
nacre_status callFunction(const LoadedModel &model, nacre_context *context, const nacre_function &function, llvm::ArrayRef<Array> inputs,
                          std::vector<Array> &outputs, nacre_error &error);

/// The dim along which a call may be split: the first axis of every output; in inputs the first axis or nothing; mentioned
/// nowhere else. Nothing when there is none.
std::optional<int32_t> rowDim(const nacre_model &model, const nacre_function &function);
/// Whether the first axis of a port is exactly this dim.
bool startsWith(const nacre_port &port, int32_t dim);

} // namespace nacre::tool
