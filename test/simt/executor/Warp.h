// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where lanes of a warp meet: every lane that a mask names must come to the same call before any goes on.
#pragma once

#include <cstdint>

namespace nacre::simt {

/// A call of an intrinsic in device code; its address is its identity. Laid out by the tool (IntrinsicCalls.cpp).
struct Site {
  const char *intrinsic;
  const char *function;
  int64_t number; ///< among the module's calls
};

class Block;
class Barrier;

class Warp {
public:
  static constexpr uint32_t kAll = ~0u;

  /// All lanes of `lanes` live, none waits.
  void reset(Block &block, uint32_t first, uint32_t lanes);
  /// Lane `lane` of the running thread comes to `site` and shows `frame` to the others. True: it was the last of `mask`, acts on the
  /// frames of all and then calls `release`. False: another one has done so. Fails the launch when the lanes cannot meet any more.
  bool arrive(uint32_t lane, uint32_t mask, const Site &site, void *frame);
  /// The lanes of `mask` but `self` may go on.
  void release(uint32_t mask, uint32_t self);
  /// The running thread has ended.
  void leave(uint32_t lane);

  template <typename Frame>
  Frame &frame(uint32_t lane) const {
    return *static_cast<Frame *>(frames[lane]);
  }
  /// The first lane that waits, or -1, and for which lanes it does.
  int firstWaiting(uint32_t &missing, const Site *&site) const;

  /// The barrier that lanes of this warp came to last, its round, and by which call.
  const Barrier *barrier = nullptr;
  uint64_t barrierRound = 0;
  const Site *barrierSite = nullptr;

private:
  struct Meeting {
    const Site *site;
    uint32_t mask, arrived;
  };
  Meeting *find(uint32_t lane, uint32_t mask, const Site &site);

  Block *block = nullptr;
  uint32_t first = 0; ///< thread of lane 0
  uint32_t live = 0;
  uint32_t meetingCount = 0;
  Meeting meetings[32];
  void *frames[32];
};

/// The running thread meets the lanes of `mask` at `site`; the last one calls act(warp) for all of them.
template <typename Act>
void meet(uint32_t mask, const Site *site, void *frame, Act act);

/// Calls act(lane) for each lane of a mask, ascending.
template <typename Act>
void forLanes(uint32_t mask, Act act) {
  for (; mask; mask &= mask - 1)
    act(uint32_t(__builtin_ctz(mask)));
}

} // namespace nacre::simt
