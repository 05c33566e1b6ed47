// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Votes, matches, reductions and barriers of a warp, over the lanes of a mask.
#include "test/simt/executor/Block.h"

using namespace nacre::simt;

namespace {

struct MaskFrame {
  uint32_t mask;
};
template <typename Result>
struct VoteFrame {
  Result result;
  uint32_t mask;
  bool vote;
};
template <typename Value>
struct MatchFrame {
  uint32_t result, mask;
  Value value;
};
template <typename Value>
struct MatchAllFrame {
  struct {
    uint32_t lanes;
    bool all;
  } result;
  uint32_t mask;
  Value value;
};
template <typename Value>
struct ReduceFrame {
  Value result, value;
  uint32_t mask;
};
struct ElectFrame {
  struct {
    uint32_t lane;
    bool isElected;
  } result;
  uint32_t mask;
};

} // namespace

/// Meets, then gives every lane decide(yes), where `yes` are the lanes that voted so.
template <typename Result, typename Decide>
static void vote(VoteFrame<Result> *own, const Site *site, Decide decide) {
  uint32_t mask = own->mask;
  meet(mask, site, own, [=](Warp &warp) {
    uint32_t yes = 0;
    forLanes(mask, [&](uint32_t lane) { yes |= uint32_t(warp.frame<VoteFrame<Result>>(lane).vote) << lane; });
    forLanes(mask, [&](uint32_t lane) { warp.frame<VoteFrame<Result>>(lane).result = decide(yes, mask); });
  });
}

extern "C" void simt_vote_ballot_sync(VoteFrame<uint32_t> *frame, const Site *site) {
  vote(frame, site, [](uint32_t yes, uint32_t) { return yes; });
}
extern "C" void simt_vote_any_sync(VoteFrame<bool> *frame, const Site *site) {
  vote(frame, site, [](uint32_t yes, uint32_t) { return yes != 0; });
}
extern "C" void simt_vote_all_sync(VoteFrame<bool> *frame, const Site *site) {
  vote(frame, site, [](uint32_t yes, uint32_t mask) { return yes == mask; });
}
extern "C" void simt_vote_uni_sync(VoteFrame<bool> *frame, const Site *site) {
  vote(frame, site, [](uint32_t yes, uint32_t mask) { return yes == mask || yes == 0; });
}

template <typename Frame>
static uint32_t lanesWithValueOf(const Warp &warp, uint32_t mask, uint32_t lane) {
  uint32_t same = 0;
  forLanes(mask, [&](uint32_t other) { same |= uint32_t(warp.frame<Frame>(other).value == warp.frame<Frame>(lane).value) << other; });
  return same;
}

template <typename Value>
static void matchAny(MatchFrame<Value> *own, const Site *site) {
  uint32_t mask = own->mask;
  meet(mask, site, own, [=](Warp &warp) {
    forLanes(mask, [&](uint32_t lane) {
      warp.frame<MatchFrame<Value>>(lane).result = lanesWithValueOf<MatchFrame<Value>>(warp, mask, lane);
    });
  });
}

template <typename Value>
static void matchAll(MatchAllFrame<Value> *own, const Site *site) {
  uint32_t mask = own->mask;
  meet(mask, site, own, [=](Warp &warp) {
    bool all = lanesWithValueOf<MatchAllFrame<Value>>(warp, mask, uint32_t(__builtin_ctz(mask))) == mask;
    forLanes(mask, [&](uint32_t lane) { warp.frame<MatchAllFrame<Value>>(lane).result = {all ? mask : 0, all}; });
  });
}

extern "C" void simt_match_any_sync_i32(MatchFrame<uint32_t> *frame, const Site *site) { matchAny(frame, site); }
extern "C" void simt_match_any_sync_i64(MatchFrame<uint64_t> *frame, const Site *site) { matchAny(frame, site); }
extern "C" void simt_match_all_sync_i32p(MatchAllFrame<uint32_t> *frame, const Site *site) { matchAll(frame, site); }
extern "C" void simt_match_all_sync_i64p(MatchAllFrame<uint64_t> *frame, const Site *site) { matchAll(frame, site); }

template <typename Value, typename Join>
static void reduce(ReduceFrame<Value> *own, const Site *site, Join join) {
  uint32_t mask = own->mask;
  meet(mask, site, own, [=](Warp &warp) {
    Value result = warp.frame<ReduceFrame<Value>>(uint32_t(__builtin_ctz(mask))).value;
    forLanes(mask & (mask - 1), [&](uint32_t lane) { result = join(result, warp.frame<ReduceFrame<Value>>(lane).value); });
    forLanes(mask, [&](uint32_t lane) { warp.frame<ReduceFrame<Value>>(lane).result = result; });
  });
}

#define NACRE_REDUCE(NAME, TYPE, JOINED)                                                                                                   \
  extern "C" void simt_redux_sync_##NAME(ReduceFrame<TYPE> *frame, const Site *site) {                                                     \
    reduce(frame, site, [](TYPE a, TYPE b) { return TYPE(JOINED); });                                                                      \
  }
NACRE_REDUCE(add, uint32_t, a + b)
NACRE_REDUCE(and, uint32_t, a &b)
NACRE_REDUCE(or, uint32_t, a | b)
NACRE_REDUCE(xor, uint32_t, a ^ b)
NACRE_REDUCE(min, int32_t, a < b ? a : b)
NACRE_REDUCE(max, int32_t, a > b ? a : b)
NACRE_REDUCE(umin, uint32_t, a < b ? a : b)
NACRE_REDUCE(umax, uint32_t, a > b ? a : b)

extern "C" void simt_bar_warp_sync(MaskFrame *frame, const Site *site) {
  meet(frame->mask, site, frame, [](Warp &) {});
}

extern "C" void simt_elect_sync(ElectFrame *own, const Site *site) {
  uint32_t mask = own->mask;
  meet(mask, site, own, [=](Warp &warp) {
    uint32_t first = uint32_t(__builtin_ctz(mask));
    forLanes(mask, [&](uint32_t lane) { warp.frame<ElectFrame>(lane).result = {first, lane == first}; });
  });
}

/// Which lanes run together is the machine's choice; alone is one that it may make, and the one that finds programs which rely on more.
extern "C" void simt_activemask(uint32_t *result, const Site *) { *result = 1u << running->current().lane; }
