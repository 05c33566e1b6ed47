// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/ContractRing.h"

using namespace mlir;

namespace nacre::nvptx::contract {

Value stageOf(WarpBuilder &b, const RingShape &ring, Value step) {
  return b.byteAt(b.shared(), b.mul(b.rem(step, ring.stages), ring.stageBytes()));
}

static llvm::SmallVector<Type> typesOf(llvm::ArrayRef<Value> values) {
  llvm::SmallVector<Type> types;
  for (Value value : values)
    types.push_back(value.getType());
  return types;
}

Values emitRing(WarpBuilder &b, const RingShape &ring, const Factor &left, const Factor &right, Value begin, Value end,
                llvm::ArrayRef<Value> sums, StageBody body) {
  AsyncFeed leftFeed(b, left, ring.left, begin), rightFeed(b, right, ring.right, begin);
  Value steps = b.ceilDiv(b.max(b.sub(end, begin), b.integer(0)), ring.left.depth);
  auto issue = [&](Value step) {
    b.ifThen(b.less(step, steps), [&] {
      Value k = b.add(begin, b.mul(step, ring.left.depth)), stage = stageOf(b, ring, step);
      leftFeed.issue(k, end, stage);
      rightFeed.issue(k, end, b.byteAt(stage, ring.left.bytes()));
    });
    b.commitCopies(); // an empty group too: groups are counted
  };
  for (int64_t ahead = 0; ahead + 1 < ring.stages; ++ahead)
    issue(b.integer(ahead));
  Values result = b.loop(b.integer(0), steps, 1, sums, [&](Value step, llvm::ArrayRef<Value> carried) {
    // The barrier shows every thread's copies of this tile to all, and that all are done with the tile that is overwritten next.
    b.awaitCopies(ring.stages - 2);
    b.barrier();
    issue(b.add(step, ring.stages - 1));
    Value stage = stageOf(b, ring, step);
    return body(stage, b.byteAt(stage, ring.left.bytes()), carried);
  });
  b.awaitCopies(0);
  b.barrier();
  return result;
}

Values emitRoundingRing(WarpBuilder &b, const RingShape &ring, const Factor &left, const Factor &right, Value begin, Value end,
                        llvm::ArrayRef<Value> sums, StageBody body) {
  RoundingFeed leftFeed(b, left, ring.left, begin), rightFeed(b, right, ring.right, begin);
  Value steps = b.ceilDiv(b.max(b.sub(end, begin), b.integer(0)), ring.left.depth);
  auto place = [&](Value step) { return stageOf(b, ring, step); };
  auto store = [&](llvm::ArrayRef<Value> l, llvm::ArrayRef<Value> r, Value stage) {
    leftFeed.store(l, stage);
    rightFeed.store(r, b.byteAt(stage, ring.left.bytes()));
  };
  auto visit = [&] {
    store(leftFeed.load(begin, end), rightFeed.load(begin, end), place(b.integer(0)));
    b.barrier();
    return b.loop(b.integer(0), steps, 1, sums, [&](Value step, llvm::ArrayRef<Value> carried) {
      Value next = b.add(step, 1), k = b.add(begin, b.mul(next, ring.left.depth));
      Values l = leftFeed.load(k, end), r = rightFeed.load(k, end);
      Value stage = place(step);
      Values result = body(stage, b.byteAt(stage, ring.left.bytes()), carried);
      store(l, r, place(next));
      b.barrier();
      return result;
    });
  };
  return b.ifElse(b.less(b.integer(0), steps), typesOf(sums), visit, [&] { return Values(sums); });
}

} // namespace nacre::nvptx::contract
