// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Schedules in a file: JSON, one entry a line.
//
//   {"nacre_schedules": 1, "version": "0.1.0", "cpu": "znver5", "entries": [
//     {"skeleton": "contract", "class": "rows=many,k=long,n=wide", "level": "all", "rows": 192},
//     {"skeleton": "contract", "class": "rows=many,k=long,n=wide", "level": "v4", "depth": 512}
//   ]}
//
// `version` is the compiler's: another one may mean something else by a parameter, and is refused. `cpu` says where the figures come from;
// whoever passes the file decides that they fit.
#ifndef NACRE_COMPILER_TARGET_CPU_SCHEDULEFILE_H
#define NACRE_COMPILER_TARGET_CPU_SCHEDULEFILE_H

#include "compiler/Target/CPU/Schedules.h"

namespace nacre::cpu {

struct ScheduleFile {
  std::string version, cpu;
  std::vector<ScheduleEntry> entries;
};

/// Errors begin with the line: "4: expected 'rows' to be a multiple of 8 from 8 to 1536, but got 7".
llvm::Expected<ScheduleFile> parseSchedules(llvm::StringRef text, llvm::StringRef version);
/// The text that the above reads; the same bytes for the same entries.
std::string printSchedules(const ScheduleFile &file);

} // namespace nacre::cpu

#endif
