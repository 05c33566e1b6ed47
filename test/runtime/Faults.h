// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Makes the runtime's calls to the system fail on purpose, and counts its allocations. The linker routes the calls here.
#pragma once

#include <cstdint>
#include <functional>

namespace faults {

enum class Call { Allocate, Map, Thread, Read, Write, Sync, Rename };

/// From now on the calls numbered `position` (from 0) of this kind fails, once.
void failOnce(Call call, int64_t position);
/// Nothing fails any more.
void clear();
/// How often the runtime has asked for memory in any way.
int64_t allocations();

/// Runs `attempt` with the first call of a kind failing, then the second, and so on, until it succeeds.
/// Returns how many calls of that kind it makes.
int64_t failEach(Call call, const std::function<bool()> &attempt);

} // namespace faults
