// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// shfl.sync: a lane takes another lane's register. PTX ISA, "shfl.sync": operand c holds the segment mask (bits 8 to 12) and the clamp.
#include "test/simt/executor/Block.h"

using namespace nacre::simt;

namespace {

enum class Mode { Index, Butterfly, Up, Down };

struct PlainFrame {
  uint32_t result, mask, value, b, c;
};
struct PredicateFrame {
  struct {
    uint32_t value;
    bool inRange;
  } result;
  uint32_t mask, value, b, c;
};

struct Source {
  uint32_t lane;
  bool inRange;
};

} // namespace

static Source sourceOf(Mode mode, int lane, int b, int c) {
  int segment = c >> 8 & 31, clamp = c & 31;
  int most = (lane & segment) | (clamp & ~segment), least = lane & segment, from = lane;
  bool inRange = false;
  switch (mode) {
  case Mode::Index:
    from = least | (b & 31 & ~segment);
    inRange = from <= most;
    break;
  case Mode::Butterfly:
    from = lane ^ (b & 31);
    inRange = from <= most;
    break;
  case Mode::Up:
    from = lane - (b & 31);
    inRange = from >= most;
    break;
  case Mode::Down:
    from = lane + (b & 31);
    inRange = from <= most;
    break;
  }
  return {uint32_t(inRange ? from : lane), inRange};
}

/// Reading the register of a lane that takes no part gives an undefined value: here a failure.
static void checkSource(const Source &source, uint32_t mask) {
  if (!(mask >> source.lane & 1))
    running->fail(Failure::IllegalUse, "a shuffle reads lane " + std::to_string(source.lane) + ", which is not in its mask");
}

static void store(PlainFrame &frame, uint32_t value, bool) { frame.result = value; }
static void store(PredicateFrame &frame, uint32_t value, bool inRange) {
  frame.result.value = value;
  frame.result.inRange = inRange;
}

template <typename Frame>
static void shuffle(Mode mode, Frame *own, const Site *site) {
  uint32_t mask = own->mask;
  meet(mask, site, own, [=](Warp &warp) {
    forLanes(mask, [&](uint32_t lane) {
      Frame &frame = warp.frame<Frame>(lane);
      Source source = sourceOf(mode, int(lane), int(frame.b), int(frame.c));
      checkSource(source, mask);
      store(frame, warp.frame<Frame>(source.lane).value, source.inRange);
    });
  });
}

#define NACRE_SHUFFLE(NAME, MODE)                                                                                                          \
  extern "C" void simt_shfl_sync_##NAME##_i32(PlainFrame *frame, const Site *site) { shuffle(MODE, frame, site); }                         \
  extern "C" void simt_shfl_sync_##NAME##_f32(PlainFrame *frame, const Site *site) { shuffle(MODE, frame, site); }                         \
  extern "C" void simt_shfl_sync_##NAME##_i32p(PredicateFrame *frame, const Site *site) { shuffle(MODE, frame, site); }                    \
  extern "C" void simt_shfl_sync_##NAME##_f32p(PredicateFrame *frame, const Site *site) { shuffle(MODE, frame, site); }
NACRE_SHUFFLE(idx, Mode::Index)
NACRE_SHUFFLE(bfly, Mode::Butterfly)
NACRE_SHUFFLE(up, Mode::Up)
NACRE_SHUFFLE(down, Mode::Down)
