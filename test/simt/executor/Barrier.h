// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A barrier of a block: threads wait until all live ones, or a given number of them, have come.
#pragma once

#include "test/simt/executor/Warp.h"

#include <vector>

namespace nacre::simt {

/// What a barrier that reduces has seen of the threads' conditions.
struct BarrierVotes {
  uint32_t count = 0; ///< threads that came
  uint32_t yes = 0;
};

class Barrier {
public:
  static constexpr uint32_t kLiveThreads = 0; ///< as `expected`: as many as have not ended

  void reset();
  /// The running thread comes; all threads of a warp must come to the same site. Returns when all have come, with what they voted.
  BarrierVotes wait(Block &block, uint32_t expected, bool vote, const Site &site);
  /// Counts the running thread, which goes on.
  void arrive(Block &block, uint32_t expected);
  /// A thread has ended: fewer are needed.
  void recount(Block &block);
  uint32_t waitingCount() const { return uint32_t(waiting.size()); }

private:
  struct Waiting {
    uint32_t thread;
    BarrierVotes *votes;
  };
  bool isComplete(const Block &block) const;
  void release(Block &block);
  void checkAligned(Block &block, const Site &site);

  uint32_t arrived = 0, needed = 0;
  uint64_t round = 0;
  BarrierVotes seen;
  std::vector<Waiting> waiting;
};

} // namespace nacre::simt
