// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A profile as a table, as JSON and as a trace for Perfetto or chrome://tracing.
#pragma once

#include "compiler/tools/nacre/Profiler.h"

namespace nacre::tool {

/// Launches of one kernel that one line of the model asks for.
struct ProfileRow {
  std::string kernel, place;
  std::vector<std::string> operators;
  int64_t launches = 0, skipped = 0; ///< those that ran; those that a condition skipped
  int64_t operations = 0, bytes = 0; ///< of all launches that ran
  double seconds = 0;
};

/// The longest first; rows of equal time in the order of the launches.
std::vector<ProfileRow> rowsOf(const Profile &profile);

/// "matmul, add, gelu"; runs of one operator as "mul x3", and at most `limit` characters.
std::string operatorsText(llvm::ArrayRef<std::string> operators, size_t limit);

void printProfile(const Profile &profile, llvm::raw_ostream &out);

/// What --json prints, and what `nacre explain --profile` reads.
llvm::json::Object profileJson(const Profile &profile);

/// Trace events of the typical call: a track of launches, and one of shares a thread.
llvm::json::Object traceJson(const Profile &profile);

} // namespace nacre::tool
