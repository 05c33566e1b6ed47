// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --memory-limit of the commands that compile.
#pragma once

#include "compiler/Pipelines/MemoryLimit.h"
#include "compiler/tools/nacre/Console.h"
#include "compiler/tools/nacre/Options.h"

namespace nacre::tool {

extern const Option memoryLimitOption;

/// Bytes of "512MB", "2GB", "64KB" (powers of 1000) or "1000000"; nothing when the option is not given. An error says what is expected.
llvm::Expected<std::optional<int64_t>> parseMemoryLimit(const Arguments &arguments);

/// Says what every function takes, before anything runs.
void reportMemory(Console &console, llvm::ArrayRef<MemoryReport> reports);

} // namespace nacre::tool
