// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/executor/Barrier.h"
#include "test/simt/executor/Block.h"

using namespace nacre::simt;

void Barrier::reset() {
  arrived = needed = 0;
  round = 0;
  seen = {};
  waiting.clear();
}

bool Barrier::isComplete(const Block &block) const {
  return arrived && arrived >= (needed == kLiveThreads ? block.liveCount() : needed);
}

void Barrier::release(Block &block) {
  for (const Waiting &entry : waiting) {
    *entry.votes = seen;
    block.wake(entry.thread);
  }
  waiting.clear();
  arrived = 0;
  seen = {};
  ++round;
}

void Barrier::checkAligned(Block &block, const Site &site) {
  Warp &warp = *block.current().warp;
  if (warp.barrier == this && warp.barrierRound == round && warp.barrierSite != &site)
    block.fail(Failure::IllegalUse, std::string("divergence: it is at ") + site.intrinsic + " (call " + std::to_string(site.number) +
                                        " of the module), but its warp waits at the barrier of call " +
                                        std::to_string(warp.barrierSite->number));
  warp.barrier = this;
  warp.barrierRound = round;
  warp.barrierSite = &site;
}

BarrierVotes Barrier::wait(Block &block, uint32_t expected, bool vote, const Site &site) {
  checkAligned(block, site);
  needed = expected;
  ++arrived;
  ++seen.count;
  seen.yes += vote;
  BarrierVotes votes = seen;
  if (isComplete(block)) {
    release(block);
    return votes;
  }
  waiting.push_back({block.current().index, &votes});
  block.wait();
  return votes;
}

void Barrier::arrive(Block &block, uint32_t expected) {
  needed = expected;
  ++arrived;
  if (isComplete(block)) release(block);
}

void Barrier::recount(Block &block) {
  if (needed == kLiveThreads && isComplete(block)) release(block);
}

namespace {
struct AllFrame {
  uint32_t barrier;
};
struct CountFrame {
  uint32_t barrier, threads;
};
template <typename Result>
struct VoteFrame {
  Result result;
  uint32_t barrier;
  bool vote;
};
} // namespace

static Barrier &barrier(uint32_t index) {
  if (index >= Block::kBarriers) running->fail(Failure::IllegalUse, "there is no barrier " + std::to_string(index));
  return running->barriers[index];
}

static BarrierVotes waitForAll(uint32_t index, bool vote, const Site *site) {
  return barrier(index).wait(*running, Barrier::kLiveThreads, vote, *site);
}

// barrier.cta.sync[.aligned].all(i32 barrier), .count(i32 barrier, i32 threads), arrive.count, red.{popc,and,or}.all(i32 barrier, i1).
#define NACRE_BARRIER(ALIGNED)                                                                                                             \
  extern "C" void simt_barrier_cta_sync##ALIGNED##_all(AllFrame *frame, const Site *site) { waitForAll(frame->barrier, false, site); }     \
  extern "C" void simt_barrier_cta_sync##ALIGNED##_count(CountFrame *frame, const Site *site) {                                            \
    barrier(frame->barrier).wait(*running, frame->threads, false, *site);                                                                  \
  }                                                                                                                                        \
  extern "C" void simt_barrier_cta_arrive##ALIGNED##_count(CountFrame *frame, const Site *) {                                              \
    barrier(frame->barrier).arrive(*running, frame->threads);                                                                              \
  }                                                                                                                                        \
  extern "C" void simt_barrier_cta_red_popc##ALIGNED##_all(VoteFrame<uint32_t> *frame, const Site *site) {                                 \
    frame->result = waitForAll(frame->barrier, frame->vote, site).yes;                                                                     \
  }                                                                                                                                        \
  extern "C" void simt_barrier_cta_red_or##ALIGNED##_all(VoteFrame<bool> *frame, const Site *site) {                                       \
    frame->result = waitForAll(frame->barrier, frame->vote, site).yes != 0;                                                                \
  }                                                                                                                                        \
  extern "C" void simt_barrier_cta_red_and##ALIGNED##_all(VoteFrame<bool> *frame, const Site *site) {                                      \
    BarrierVotes votes = waitForAll(frame->barrier, frame->vote, site);                                                                    \
    frame->result = votes.yes == votes.count;                                                                                              \
  }
NACRE_BARRIER()
NACRE_BARRIER(_aligned)
