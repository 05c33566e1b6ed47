// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Work in child processes: a compiler that crashes or hangs is a finding, not the end of the run; and two processors work at once.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace nacre::test {

/// Runs every task in a process of its own, `processes` at a time, and returns what each returned; nothing for those that crashed or took
/// more than `seconds`. `finished`, if given, hears of each result as soon as it is there. The caller must have no threads.
using TaskResult = std::optional<std::string>;
std::vector<TaskResult> runIsolated(const std::vector<std::function<std::string()>> &tasks, int processes, unsigned seconds,
                                    const std::function<void(size_t, const TaskResult &)> &finished = {});

} // namespace nacre::test
