// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/executor/Block.h"

using namespace nacre::simt;

void Warp::reset(Block &owner, uint32_t firstThread, uint32_t lanes) {
  block = &owner;
  first = firstThread;
  live = lanes;
  meetingCount = 0;
  barrier = nullptr;
}

static std::string describe(const Site &site) {
  return std::string(site.intrinsic) + " (call " + std::to_string(site.number) + " of the module, in '" + site.function + "')";
}

/// The meeting that a lane comes to. Two lanes that wait for each other at different places never meet: divergence. A lane may well wait
/// for one that meets others first.
Warp::Meeting *Warp::find(uint32_t lane, uint32_t mask, const Site &site) {
  Meeting *found = nullptr;
  for (uint32_t i = 0; i < meetingCount; ++i) {
    Meeting &open = meetings[i];
    if (open.site == &site && open.mask == mask)
      found = &open;
    else if ((open.mask >> lane & 1) && (open.arrived & mask))
      block->fail(Failure::IllegalUse, "divergence: it is at " + describe(site) + ", but lane " +
                                           std::to_string(__builtin_ctz(open.arrived & mask)) + " of its warp waits for it at " +
                                           describe(*open.site) + (open.site == &site ? " with another mask" : ""));
  }
  if (!found) {
    meetings[meetingCount] = {&site, mask, 0};
    found = &meetings[meetingCount++];
  }
  return found;
}

bool Warp::arrive(uint32_t lane, uint32_t mask, const Site &site, void *frame) {
  if (!(mask >> lane & 1)) block->fail(Failure::IllegalUse, "it is not in the mask that it gives to " + describe(site));
  if (mask & ~live) block->fail(Failure::IllegalUse, "it waits at " + describe(site) + " for lanes that have ended or never were");
  Meeting *meeting = find(lane, mask, site);
  frames[lane] = frame;
  meeting->arrived |= 1u << lane;
  if (meeting->arrived == mask) {
    *meeting = meetings[--meetingCount];
    return true;
  }
  block->wait();
  return false;
}

void Warp::release(uint32_t mask, uint32_t self) {
  forLanes(mask & ~(1u << self), [&](uint32_t lane) { block->wake(first + lane); });
}

void Warp::leave(uint32_t lane) {
  live &= ~(1u << lane);
  for (uint32_t i = 0; i < meetingCount; ++i)
    if (meetings[i].mask >> lane & 1)
      block->fail(Failure::IllegalUse, "divergence: it ends while lanes of its warp wait for it at " + describe(*meetings[i].site));
}

int Warp::firstWaiting(uint32_t &missing, const Site *&site) const {
  if (!meetingCount) return -1;
  missing = meetings[0].mask & ~meetings[0].arrived;
  site = meetings[0].site;
  return __builtin_ctz(meetings[0].arrived);
}
