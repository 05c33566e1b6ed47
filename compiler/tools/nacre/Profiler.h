// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs one function over and over with tracing and keeps what each launch took.
#pragma once

#include "compiler/tools/nacre/Array.h"
#include "compiler/tools/nacre/Cost.h"
#include "compiler/tools/nacre/LoadedModel.h"
#include "compiler/tools/nacre/MachineLimits.h"

#include <optional>

namespace nacre::tool {

/// One call of the function.
struct ProfiledCall {
  std::vector<nacre_trace_event> events;
  double seconds = 0;     ///< of the whole call
  int64_t lostEvents = 0; ///< that did not fit
};

struct Profile {
  std::string model, function;
  DimValues dims;
  int32_t threads = 1, rounds = 0;
  double callSeconds = 0;                     ///< median of all rounds
  std::vector<LaunchCost> launches;           ///< in order
  std::vector<std::optional<double>> seconds; ///< median of each launch; nothing for one that a condition skipped
  ProfiledCall typical;                       ///< the call whose time is the median
  MachineLimits machine;
};

/// Calls `function` twice to warm up and then `rounds` times. The model must have been opened with tracing. Fails when a call does, and
/// when the library cannot be traced.
llvm::Expected<Profile> profileFunction(const LoadedModel &model, const nacre_function &function, llvm::ArrayRef<Array> inputs,
                                        nacre_parameters *parameters, const Arguments &arguments, int32_t rounds);

} // namespace nacre::tool
