// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the inputs of one call come from: files and numbers of the command line, or draws.
#pragma once

#include "compiler/tools/nacre/Array.h"
#include "compiler/tools/nacre/Cost.h"
#include "compiler/tools/nacre/LoadedModel.h"

#include <optional>

namespace nacre::tool {

/// The function of --fn; needless when the model has one. Fails with the names there are.
llvm::Expected<const nacre_function *> chooseFunction(const LoadedModel &model, const Arguments &arguments);

/// A number on the command line, for an input of rank 0.
llvm::Expected<Array> numberFor(const nacre_port &port, llvm::StringRef text);

/// One entry an input; those that no word of --in gives are empty. A word is NAME=FILE, NAME=NUMBER, or FILE for the first input that is
/// still without one.
llvm::Expected<std::vector<std::optional<Array>>> readInputs(const nacre_function &function, llvm::ArrayRef<llvm::StringRef> words);

/// Fills the inputs that are not given, at the sizes `dims`: real numbers from the standard normal distribution, integers evenly below
/// their bound (1 where there is none), run-time widths as large as they can be; the same draws in every run.
llvm::Expected<std::vector<Array>> drawInputs(const LoadedModel &model, const nacre_function &function,
                                              std::vector<std::optional<Array>> given, const DimValues &dims);

} // namespace nacre::tool
