// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/AttentionScores.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nacre::cpu::attention {

using Slot = AttentionSlots;

Value headPointer(VectorBuilder &b, Value slots, int64_t pointer, int64_t strides, Value batch, Value head) {
  Value offset = b.add(b.mul(batch, b.slotInteger(slots, strides)), b.mul(head, b.slotInteger(slots, strides + 1)));
  return b.at(b.slotPointer(slots, pointer), offset);
}

static Value perBatch(VectorBuilder &b, Value slots, int64_t slot, Value batch) {
  return b.extend(b.loadIntScalar(b.at(b.slotPointer(slots, slot), batch)));
}

Scores::Scores(VectorBuilder &b, Value slots, const AttentionSpec &spec, Value batch, Value head) : b(b), spec(spec) {
  Value keys = allKeys = b.slotInteger(slots, Slot::Keys);
  shift = b.sub(keys, b.slotInteger(slots, Slot::Queries));
  length = spec.lengths ? b.max(b.min(perBatch(b, slots, Slot::Lengths, batch), keys), b.integer(0)) : keys;
  if (spec.window)
    window = b.slotInteger(slots, Slot::Window);
  if (spec.fixedPrefix > 0)
    prefix = b.integer(spec.fixedPrefix);
  else if (spec.prefix)
    prefix = perBatch(b, slots, Slot::Prefix, batch);
  if (spec.bias) {
    bias = headPointer(b, slots, Slot::Bias, Slot::BiasBatch, batch, head);
    biasRow = b.slotInteger(slots, Slot::BiasRow), biasColumn = b.slotInteger(slots, Slot::BiasColumn);
  }
  if (spec.mask) {
    mask = headPointer(b, slots, Slot::Mask, Slot::MaskBatch, batch, head);
    maskRow = b.slotInteger(slots, Slot::MaskRow), maskColumn = b.slotInteger(slots, Slot::MaskColumn);
  }
  auto strip = [&](int64_t pointer) { return b.at(b.slotPointer(slots, pointer), b.mul(head, b.slotInteger(slots, pointer + 1))); };
  if (spec.relative)
    relative = strip(Slot::Relative);
  if (spec.factors)
    factors = strip(Slot::Factors);
  if (spec.alibi) {
    Value share = b.divf(b.toFloat(b.add(head, 1)), b.toFloat(b.slotInteger(slots, Slot::Heads)));
    slope = b.broadcast(b.mulf(b.exp2(b.mulf(share, b.scalar(-8))), b.scalar(log2OfE)));
  }
}

Scores::Range Scores::keys(Value first, Value last) {
  Range range{b.integer(0), length};
  if (spec.causal) {
    Value end = b.add(b.add(last, shift), 1);
    range.end = b.min(length, spec.prefix ? b.max(end, prefix) : end);
  }
  if (spec.window) {
    Value begin = b.max(b.add(b.sub(b.add(first, shift), window), 1), b.integer(0));
    range.begin = spec.prefix ? b.select(b.less(b.integer(0), prefix), b.integer(0), begin) : begin;
  }
  return range;
}

/// One key and consecutive queries of a tensor whose rows run along keys: a gather.
Value Scores::gather(Value pointer, Value rowStride, Type element, Value query, Value lastQuery) {
  VectorType integers = VectorType::get({b.lanes()}, b.i64());
  auto splat = [&](Value value) -> Value { return vector::BroadcastOp::create(b.op, integers, value); };
  Value queries = b.add(arith::ExtSIOp::create(b.op, integers, b.iota()), splat(query));
  Value offsets = b.mul(b.min(queries, splat(lastQuery)), splat(rowStride));
  VectorType pointers = VectorType::get({b.lanes()}, b.pointer());
  Value places = LLVM::GEPOp::create(b.op, pointers, b.f32(), pointer, ValueRange{offsets});
  Value all = b.mask(b.integer(b.lanes()));
  return LLVM::masked_gather::create(b.op, b.vector(element), places, all, ValueRange{}, /*alignment=*/4);
}

/// Consecutive queries lie side by side in a strip.
Value Scores::loadStrip(Value strip, Value key, Value query, Value lastQuery) {
  Value entry = b.add(b.add(b.sub(query, key), allKeys), -1);
  return b.load(b.at(strip, entry), b.mask(b.add(b.sub(lastQuery, query), 1)));
}

/// i' - j
Value Scores::lag(Value key, Value query) {
  return arith::AddIOp::create(b.op, b.iota(), b.broadcast(b.truncate(b.sub(b.add(query, shift), key))));
}

/// By causal, window and prefix.
Value Scores::inReach(Value key, Value query) {
  Value distance = lag(key, query), result = b.compare(arith::CmpIPredicate::sge, distance, b.splatInteger(0));
  if (spec.window)
    result = b.both(result, b.compare(arith::CmpIPredicate::slt, distance, b.broadcast(b.truncate(window))));
  if (spec.prefix)
    result = arith::OrIOp::create(b.op, result, b.broadcast(b.less(key, prefix)));
  return result;
}

Value Scores::isAllowed(Value key, Value query, Value lastQuery) {
  if (!spec.mask)
    return inReach(key, query);
  Value stored = gather(b.at(mask, b.mul(key, maskColumn)), maskRow, b.i32(), query, lastQuery);
  Value result = b.compare(arith::CmpIPredicate::ne, stored, b.splatInteger(0));
  return spec.causal ? b.both(result, inReach(key, query)) : result;
}

Value Scores::adjust(Value raw, Value key, Value query, Value lastQuery, Value *capSlope) {
  Value score = raw;
  if (spec.softCap != 0) {
    Value bounded = b.tanh(b.mulf(raw, b.splat(1 / spec.softCap)));
    score = b.mulf(bounded, b.splat(spec.softCap * log2OfE));
    if (capSlope)
      *capSlope = b.fma(b.negf(bounded), bounded, b.splat(1));
  }
  if (spec.bias)
    score = b.fma(gather(b.at(bias, b.mul(key, biasColumn)), biasRow, b.f32(), query, lastQuery), b.splat(log2OfE), score);
  if (spec.relative)
    score = b.fma(loadStrip(relative, key, query, lastQuery), b.splat(log2OfE), score);
  if (spec.alibi)
    score = b.fma(b.negf(slope), b.toFloat(lag(key, query)), score);
  return spec.causal || spec.mask ? b.select(isAllowed(key, query, lastQuery), score, b.splat(forbidden)) : score;
}

} // namespace nacre::cpu::attention
