// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/AttentionBlocks.h"

#include "compiler/Target/CPU/AttentionProducts.h"
#include "compiler/Target/CPU/Panel.h"

using namespace mlir;

namespace nacre::cpu::attention {

using Slot = AttentionSlots;

ScoreBlocks::ScoreBlocks(VectorBuilder &builder, const Kernel &kernel, const AttentionSpec &spec, Slopes slopes)
    : rowWidth((spec.widthBound + builder.level.lanes - 1) / builder.level.lanes * builder.level.lanes), b(builder), kernel(kernel),
      spec(spec), kind(slopes) {}

Rows ScoreBlocks::head(int64_t pointer, int64_t strides, Value number) {
  return {headPointer(b, kernel.slots, pointer, strides, batch, number), slot(strides + 2)};
}

void ScoreBlocks::enter(Value number, Value keyHead) {
  batch = number, width = slot(Slot::Width);
  k = head(Slot::K, Slot::KBatch, keyHead), v = head(Slot::V, Slot::VBatch, keyHead);
}

void ScoreBlocks::enterQueries(Value number, Value first, double rawScale) {
  firstQuery = first;
  rows = b.min(b.sub(slot(Slot::Queries), first), b.integer(queryBlock));
  lastQuery = b.add(b.add(first, rows), -1);
  reach = b.mul(b.ceilDiv(rows, b.level.tallRows), b.level.tallRows);
  q = head(Slot::Q, Slot::QBatch, number), dO = head(Slot::DO, Slot::DOBatch, number);
  packQueries(rawScale);
  loadLogs(number);
  computeDeltas(head(Slot::O, Slot::OBatch, number));
}

/// Queries and dO of the block, transposed and scaled for the products with keys.
void ScoreBlocks::packQueries(double rawScale) {
  auto pack = [&](const Rows &from, int64_t offset, double scale) {
    Value source = b.at(from.pointer, b.mul(firstQuery, from.stride));
    Panel panel{source, from.stride, width, rows, scratch(offset), queryBlock, queryBlock};
    panel.scale = b.splat(scale), panel.reach = reach;
    emitPackTransposed(b, panel);
  };
  pack(q, queryPanel(), rawScale);
  pack(dO, gradientPanel(), gradientScale());
}

/// -log-sum-exp in units of log2. Rows that see nothing get a value under which every weight is 0.
void ScoreBlocks::loadLogs(Value number) {
  Value line = b.add(b.mul(batch, slot(Slot::Heads)), number);
  Value from = b.at(b.slotPointer(kernel.slots, Slot::LogSumExp), b.add(b.mul(line, slot(Slot::Queries)), firstQuery));
  b.loop(b.integer(0), reach, b.lanes(), [&](Value i) {
    Value log = b.load(b.at(from, i), b.mask(b.sub(rows, i)));
    Value empty = b.compareFloat(arith::CmpFPredicate::OLT, log, b.splat(lowestMaximum));
    Value value = b.select(empty, b.splat(forbidden), b.mulf(log, b.splat(-log2OfE)));
    b.store(value, b.at(scratch(logs()), i));
  });
}

void ScoreBlocks::computeDeltas(const Rows &o) {
  b.loop(b.integer(0), rows, 1, [&](Value i) {
    Value row = b.add(firstQuery, i);
    Value left = b.at(o.pointer, b.mul(row, o.stride)), right = b.at(dO.pointer, b.mul(row, dO.stride));
    Values sum = b.loop(b.integer(0), width, b.lanes(), b.splat(0), [&](Value c, llvm::ArrayRef<Value> carried) {
      Value mask = b.mask(b.sub(width, c));
      return Values{b.fma(b.load(b.at(left, c), mask), b.load(b.at(right, c), mask), carried[0])};
    });
    b.storeScalar(b.mulf(b.sum(sum[0]), b.scalar(-gradientScale())), b.at(scratch(deltas()), i));
  });
}

/// q . k and v . dO. Where nothing lies between a product and its use, it starts from -log-sum-exp or -delta.
void ScoreBlocks::emitProducts(Scores &scores, Value firstKey, Value count) {
  KeyProduct product;
  product.count = count, product.depth = width, product.reach = reach, product.stride = queryBlock;
  product.rows = b.at(k.pointer, b.mul(firstKey, k.stride)), product.rowStride = k.stride;
  product.panel = scratch(queryPanel()), product.target = scratch(weights());
  product.start = scores.needAdjusting() ? Value() : scratch(logs());
  emitKeyProduct(b, product);
  product.rows = b.at(v.pointer, b.mul(firstKey, v.stride)), product.rowStride = v.stride;
  product.panel = scratch(gradientPanel()), product.target = scratch(slopes());
  product.start = spec.factors ? Value() : scratch(deltas());
  emitKeyProduct(b, product);
}

Value ScoreBlocks::slopeOf(Value product, Value weight, Value factor, Value capSlope, Value column) {
  if (factor && kind != Slopes::Factors)
    product = b.fma(product, factor, b.load(b.at(scratch(deltas()), column)));
  Value slope = b.mulf(product, weight);
  return capSlope && kind == Slopes::Scores ? b.mulf(slope, capSlope) : slope;
}

void ScoreBlocks::emitWeights(Scores &scores, Value firstKey, Value count) {
  b.loop(b.integer(0), count, 1, [&](Value row) {
    Value key = b.add(firstKey, row), line = b.mul(row, queryBlock);
    Value weightLine = b.at(scratch(weights()), line), slopeLine = b.at(scratch(slopes()), line);
    b.loop(b.integer(0), reach, b.lanes(), [&](Value i) {
      Value score = b.load(b.at(weightLine, i)), product = b.load(b.at(slopeLine, i)), query = b.add(firstQuery, i), capSlope;
      if (scores.needAdjusting()) {
        score = scores.adjust(score, key, query, lastQuery, &capSlope);
        score = b.addf(score, b.load(b.at(scratch(logs()), i)));
      }
      Value weight = b.exp2(score), factor = spec.factors ? scores.factor(key, query, lastQuery) : Value();
      b.store(factor ? b.mulf(weight, factor) : weight, b.at(weightLine, i));
      b.store(slopeOf(product, weight, factor, capSlope, i), b.at(slopeLine, i));
    });
  });
}

void ScoreBlocks::forKeys(Scores &scores, llvm::function_ref<void(Value firstKey, Value count)> body) {
  Scores::Range keys = scores.keys(firstQuery, lastQuery);
  Value begin = b.mul(b.div(keys.begin, keyBlock), keyBlock);
  b.loop(begin, keys.end, keyBlock, [&](Value firstKey) {
    Value count = b.min(b.sub(keys.end, firstKey), b.integer(keyBlock));
    emitProducts(scores, firstKey, count);
    emitWeights(scores, firstKey, count);
    body(firstKey, count);
  });
}

} // namespace nacre::cpu::attention
