// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/ContractFeed.h"

using namespace mlir;

namespace nacre::nvptx::contract {

Value chunkOfRow(WarpBuilder &b, Value i, Value chunk) {
  // Two rows fill the 128 bytes of all banks; four such pairs get four orders.
  Value turned = b.differ(chunk, b.rem(b.div(i, 2), kStepRowBytes / kChunkBytes));
  return b.add(b.mul(i, kStepRowBytes), b.mul(turned, kChunkBytes));
}

Value hasWholeQuads(WarpBuilder &b, const Factor &factor, bool byStep, Value begin) {
  Value run = byStep ? factor.step : factor.along, other = byStep ? factor.along : factor.step;
  Value whole = b.both(b.equal(run, b.integer(1)), b.isMultiple(other, 4));
  if (byStep)
    whole = b.both(whole, b.isMultiple(begin, 4));
  return b.both(whole, b.isMultiple(b.addressOf(factor.pointer), kChunkBytes));
}

/// Where piece (i, k) of a tile goes.
static Value placeOf(WarpBuilder &b, const SharedTile &tile, Value i, Value k) {
  const int64_t perChunk = kChunkBytes / tile.elementBytes;
  Value run = tile.byStep ? k : i, chunk = b.div(run, perChunk), inChunk = b.mul(b.rem(run, perChunk), tile.elementBytes);
  if (tile.byStep)
    return b.add(chunkOfRow(b, i, chunk), inChunk);
  if (tile.elementBytes == 4)
    return b.add(b.mul(k, tile.pitch), b.mul(i, 4));
  // A run of i fills all banks: eight orders for the eight rows that one instruction reads.
  return b.add(b.add(b.mul(k, tile.pitch), b.mul(b.differ(chunk, b.rem(k, 8)), kChunkBytes)), inChunk);
}

/// From piece (i, k) on, by `nextI` and `nextStep`: the orders of chunks repeat after so many rows.
static Walk walkFrom(WarpBuilder &b, const Factor &factor, const SharedTile &tile, Value i, Value k, Value nextI, Value nextStep) {
  Walk walk;
  Value offset = b.add(b.mul(b.add(factor.first, i), factor.along), b.mul(k, factor.step));
  walk.source = b.elementAt(factor.pointer, offset);
  walk.place = placeOf(b, tile, i, k);
  walk.left = b.sub(b.sub(factor.count, factor.first), i);
  walk.step = k;
  walk.nextSource = b.add(b.mul(nextI, factor.along), b.mul(nextStep, factor.step));
  walk.nextPlace = tile.byStep ? b.mul(nextI, kStepRowBytes)
                               : b.add(b.mul(nextStep, tile.pitch), b.mul(nextI, tile.elementBytes));
  walk.nextLeft = nextI;
  walk.nextStep = nextStep;
  return walk;
}

Walk walkQuads(WarpBuilder &b, const Factor &factor, const SharedTile &tile) {
  const int64_t inRun = (tile.byStep ? tile.depth : tile.extent) / 4;
  Value quad = b.mul(b.rem(b.thread(), inRun), 4), run = b.div(b.thread(), inRun);
  Value next = b.integer(kThreads / inRun), none = b.integer(0);
  return tile.byStep ? walkFrom(b, factor, tile, run, quad, next, none) : walkFrom(b, factor, tile, quad, run, none, next);
}

Walk walkElements(WarpBuilder &b, const Factor &factor, const SharedTile &tile) {
  Value alongSteps = tile.byStep ? b.boolean(true) : b.equal(factor.step, b.integer(1));
  auto choose = [&](Value steps, Value others) { return b.select(alongSteps, steps, others); };
  return walkFrom(b, factor, tile, choose(b.div(b.thread(), tile.depth), b.rem(b.thread(), tile.extent)),
                  choose(b.rem(b.thread(), tile.depth), b.div(b.thread(), tile.extent)),
                  choose(b.integer(kThreads / tile.depth), b.integer(0)), choose(b.integer(0), b.integer(kThreads / tile.extent)));
}

/// Calls `visit` with source, place, left i and left k of `count` pieces.
static void follow(WarpBuilder &b, const Walk &walk, const Factor &factor, Value k, Value end, int64_t count,
                   llvm::function_ref<void(Value source, Value place, Value left, Value steps)> visit) {
  Value source = b.elementAt(walk.source, b.mul(k, factor.step)), place = walk.place, left = walk.left;
  Value steps = b.sub(b.sub(end, k), walk.step);
  for (int64_t n = 0; n < count; ++n) {
    visit(source, place, left, steps);
    source = b.elementAt(source, walk.nextSource), place = b.add(place, walk.nextPlace);
    left = b.sub(left, walk.nextLeft), steps = b.sub(steps, walk.nextStep);
  }
}

//===-- asynchronous ---------------------------------------------------------------------------------------------------------===//

static Walk select(WarpBuilder &b, Value condition, const Walk &x, const Walk &y) {
  auto choose = [&](Value Walk::*part) { return b.select(condition, x.*part, y.*part); };
  return {choose(&Walk::source),     choose(&Walk::place),     choose(&Walk::left),     choose(&Walk::step),
          choose(&Walk::nextSource), choose(&Walk::nextPlace), choose(&Walk::nextLeft), choose(&Walk::nextStep)};
}

AsyncFeed::AsyncFeed(WarpBuilder &b, const Factor &factor, const SharedTile &tile, Value begin)
    : b(b), factor(factor), tile(tile), whole(hasWholeQuads(b, factor, tile.byStep, begin)),
      walk(select(b, whole, walkQuads(b, factor, tile), walkElements(b, factor, tile))) {}

void AsyncFeed::copyQuad(Value source, Value place, Value left, Value steps) {
  Value run = tile.byStep ? steps : left, other = tile.byStep ? left : steps;
  Value bytes = b.select(b.less(b.integer(0), other), b.clamp(b.mul(run, 4), 0, kChunkBytes), b.integer(0));
  b.copyAsync(place, source, kChunkBytes, bytes);
}

void AsyncFeed::issue(Value k, Value end, Value tilePlace) {
  const int64_t quads = tile.extent * tile.depth / 4;
  auto copyQuads = [&] {
    follow(b, walk, factor, k, end, llvm::divideCeil(quads, kThreads), [&](Value source, Value place, Value left, Value steps) {
      copyQuad(source, b.byteAt(tilePlace, place), left, steps);
    });
  };
  auto copyElements = [&] {
    follow(b, walk, factor, k, end, tile.extent * tile.depth / kThreads, [&](Value source, Value place, Value left, Value steps) {
      Value inside = b.both(b.less(b.integer(0), left), b.less(b.integer(0), steps));
      b.copyAsync(b.byteAt(tilePlace, place), source, 4, b.select(inside, b.integer(4), b.integer(0)));
    });
  };
  b.ifElse(
      whole, [&] { quads < kThreads ? b.ifThen(b.less(b.thread(), b.integer(quads)), copyQuads) : copyQuads(); }, copyElements);
}

//===-- through registers ----------------------------------------------------------------------------------------------------===//

RoundingFeed::RoundingFeed(WarpBuilder &b, const Factor &factor, const SharedTile &tile, Value begin)
    : b(b), factor(factor), tile(tile), whole(hasWholeQuads(b, factor, tile.byStep, begin)), walk(walkQuads(b, factor, tile)) {}

/// A quad of which some may be missing: those read the factor's first element instead.
Value RoundingFeed::loadPart(Value source, Value left, Value steps) {
  Value next = tile.byStep ? factor.step : factor.along;
  Values elements;
  for (int64_t n = 0; n < 4; ++n) {
    Value run = tile.byStep ? steps : left, other = tile.byStep ? left : steps;
    Value inside = b.both(b.less(b.integer(n), run), b.less(b.integer(0), other));
    Value element = b.loadAs(b.f32(), b.select(inside, source, factor.pointer));
    elements.push_back(b.select(inside, element, b.scalar(0)));
    source = b.elementAt(source, next);
  }
  return b.pack(elements);
}

Values RoundingFeed::load(Value k, Value end) {
  Value inside = b.both(b.less(b.add(factor.first, tile.extent - 1), factor.count), b.less(b.add(k, tile.depth - 1), end));
  auto all = [&](llvm::function_ref<Value(Value, Value, Value)> load) {
    Values loaded;
    follow(b, walk, factor, k, end, quads(),
           [&](Value source, Value, Value left, Value steps) { loaded.push_back(load(source, left, steps)); });
    return loaded;
  };
  llvm::SmallVector<Type> types(quads(), b.quad());
  return b.ifElse(
      b.both(whole, inside), types,
      [&] { return all([&](Value source, Value, Value) { return b.loadAs(b.quad(), source); }); },
      [&] { return all([&](Value source, Value left, Value steps) { return loadPart(source, left, steps); }); });
}

void RoundingFeed::store(llvm::ArrayRef<Value> quads, Value tilePlace) {
  Value place = walk.place;
  for (Value quad : quads) {
    b.storeTo(b.toBf16(quad), b.byteAt(tilePlace, place));
    place = b.add(place, walk.nextPlace);
  }
}

} // namespace nacre::nvptx::contract
