// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --device of the commands that call a model.
#pragma once

#include "compiler/tools/nacre/LoadedModel.h"

namespace nacre::tool {

extern const Option deviceOption;

/// The words of --device, for nacre_options; nothing without it: then the runtime looks at NACRE_DEVICE.
std::optional<std::string> chosenDevice(const Arguments &arguments);

/// Whether a device is asked for by name, so that a model file has to be compiled for one.
bool asksForDevice(const Arguments &arguments);

/// Says where calls run and why, when the model has code for a device: a line on standard error, for results go to standard output, or
/// {"device": ...}.
void reportDevice(const LoadedModel &model, const nacre_context *context, Console &console);

} // namespace nacre::tool
