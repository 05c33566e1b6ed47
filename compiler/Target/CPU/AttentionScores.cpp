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
  Value keys = b.slotInteger(slots, Slot::Keys);
  shift = b.sub(keys, b.slotInteger(slots, Slot::Queries));
  length = spec.lengths ? b.max(b.min(perBatch(b, slots, Slot::Lengths, batch), keys), b.integer(0)) : keys;
  if (spec.window)
    window = b.slotInteger(slots, Slot::Window);
  if (spec.fixedPrefix > 0)
    prefix = b.integer(spec.fixedPrefix);
  else if (spec.prefix)
    prefix = perBatch(b, slots, Slot::Prefix, batch);
  if (!spec.bias)
    return;
  bias = headPointer(b, slots, Slot::Bias, Slot::BiasBatch, batch, head);
  biasRow = b.slotInteger(slots, Slot::BiasRow), biasColumn = b.slotInteger(slots, Slot::BiasColumn);
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

/// Bias of one key and consecutive queries: a gather, because rows of the bias run along keys.
Value Scores::loadBias(Value key, Value query, Value lastQuery) {
  VectorType integers = VectorType::get({b.lanes()}, b.i64());
  auto splat = [&](Value value) -> Value { return vector::BroadcastOp::create(b.op, integers, value); };
  Value queries = b.add(arith::ExtSIOp::create(b.op, integers, b.iota()), splat(query));
  Value offsets = b.mul(b.min(queries, splat(lastQuery)), splat(biasRow));
  VectorType pointers = VectorType::get({b.lanes()}, b.pointer());
  Value places = LLVM::GEPOp::create(b.op, pointers, b.f32(), b.at(bias, b.mul(key, biasColumn)), ValueRange{offsets});
  Value all = b.mask(b.integer(b.lanes()));
  return LLVM::masked_gather::create(b.op, b.vector(b.f32()), places, all, ValueRange{}, /*alignment=*/4);
}

Value Scores::allowed(Value key, Value query) {
  Value queries = arith::AddIOp::create(b.op, b.iota(), b.broadcast(b.truncate(query)));
  Value diagonal = b.sub(key, shift); // the first query that sees the key
  Value result = b.compare(arith::CmpIPredicate::sge, queries, b.broadcast(b.truncate(diagonal)));
  if (spec.window)
    result = b.both(result, b.compare(arith::CmpIPredicate::slt, queries, b.broadcast(b.truncate(b.add(diagonal, window)))));
  if (spec.prefix)
    result = arith::OrIOp::create(b.op, result, b.broadcast(b.less(key, prefix)));
  return result;
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
    score = b.fma(loadBias(key, query, lastQuery), b.splat(log2OfE), score);
  return spec.causal ? b.select(allowed(key, query), score, b.splat(forbidden)) : score;
}

} // namespace nacre::cpu::attention
