// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Work in child processes: a compiler that crashes or hangs is a finding, not the end of the run; and two processors work at once.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace nacre::test {

/// Runs every task in a process of its own, `processes` at a time, and returns what each returned; nothing for those that crashed or took
/// more than `seconds`. The caller must have no threads.
std::vector<std::optional<std::string>> runIsolated(const std::vector<std::function<std::string()>> &tasks, int processes, unsigned seconds);

} // namespace nacre::test
