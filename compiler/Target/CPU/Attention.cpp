// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention, forward. Scores are computed transposed, S(j, i) with vectors along queries: keys are then read in place, the
// softmax needs no sum across lanes, and S is the strided operand of the second product. Blocks of keys sit in L2.
#include "compiler/Target/CPU/Attention.h"

#include "compiler/Target/CPU/AttentionProducts.h"
#include "compiler/Target/CPU/AttentionScores.h"
#include "compiler/Target/CPU/Panel.h"

using namespace mlir;

namespace nacre::cpu {

using namespace attention;
using Slot = AttentionSlots;

namespace {

constexpr int64_t queryBlock = 192; // a multiple of lanes, tallRows and a panel's width on every level
constexpr int64_t keyBlock = 256;   // its scores take 192 KiB

/// A worker's scratch, in elements.
struct Layout {
  Layout(const Level &level, const AttentionSpec &spec)
      : width((spec.widthBound + level.lanes - 1) / level.lanes * level.lanes) {}
  int64_t width; // of a row of values and of outputs
  int64_t queries() const { return 0; }                              // [d][queryBlock]
  int64_t scores() const { return queries() + width * queryBlock; }  // [keyBlock + tileRows][queryBlock]
  int64_t values() const { return scores() + (keyBlock + 16) * queryBlock; } // [keyBlock][width]
  int64_t outputs() const { return values() + keyBlock * width; }    // [queryBlock][width]
  int64_t maxima() const { return outputs() + queryBlock * width; }  // [queryBlock] each
  int64_t sums() const { return maxima() + queryBlock; }
  int64_t factors() const { return sums() + queryBlock; }
  int64_t bytes() const { return 4 * (factors() + queryBlock); }
};

class AttentionEmitter {
public:
  AttentionEmitter(VectorBuilder &builder, const Kernel &kernel, const AttentionSpec &spec)
      : b(builder), kernel(kernel), spec(spec), layout(builder.level, spec) {}

  void emit() {
    b.loop(kernel.begin, kernel.end, 1, [&](Value task) { emitTask(task); });
  }

private:
  Value slot(int64_t index) { return b.slotInteger(kernel.slots, index); }
  Value scratch(int64_t offset) { return b.at(kernel.scratch, offset); }
  void locate(Value task);
  void setRows(Value end);
  void emitQueries(Scores &scores);
  void emitTask(Value task);
  void start(Scores &scores);
  void prepareValues(Value firstKey, Value count);
  void emitKeyBlock(Scores &scores, Value firstKey, Value count);
  void emitScores(Value firstKey, Value count);
  void adjustScores(Scores &scores, Value firstKey, Value count, Value column);
  void exponentiate(Scores &scores, Value firstKey, Value count, Value column);
  void weighValues(Value count);
  void finish();

  VectorBuilder &b;
  const Kernel &kernel;
  const AttentionSpec &spec;
  Layout layout;
  bool adjusting = false;
  Value batch, head, keyHead, firstQuery, rows, lastQuery; // of the task
  Value reach;                                             // rows rounded up to whole tiles of the second product
  Value width;
  Value keyPointer, keyRow;
  Value values, valueRow; // of the block of keys
};

} // namespace

void AttentionEmitter::locate(Value task) {
  Value blocks = b.ceilDiv(slot(Slot::Queries), queryBlock), heads = slot(Slot::Heads);
  Value number = b.div(task, blocks);
  batch = b.div(number, heads), head = b.rem(number, heads);
  keyHead = b.div(b.mul(head, slot(Slot::KeyHeads)), heads);
  firstQuery = b.mul(b.rem(task, blocks), queryBlock);
  width = slot(Slot::Width);
  keyPointer = headPointer(b, kernel.slots, Slot::K, Slot::KBatch, batch, keyHead);
  keyRow = slot(Slot::KRow);
}

/// The queries of the task are those below `end`.
void AttentionEmitter::setRows(Value end) {
  rows = b.min(b.sub(end, firstQuery), b.integer(queryBlock));
  lastQuery = b.add(b.add(firstQuery, rows), -1);
  reach = b.mul(b.ceilDiv(rows, b.level.tallRows), b.level.tallRows);
}

/// Packs the queries, scaled, and clears the running state.
void AttentionEmitter::start(Scores &scores) {
  Value row = slot(Slot::QRow);
  Value source = b.at(headPointer(b, kernel.slots, Slot::Q, Slot::QBatch, batch, head), b.mul(firstQuery, row));
  Panel panel{source, row, width, rows, scratch(layout.queries()), queryBlock, queryBlock};
  panel.scale = b.splat(scores.rawScale()), panel.reach = reach;
  emitPackTransposed(b, panel);
  b.loop(b.integer(0), reach, b.lanes(), [&](Value i) {
    b.store(b.splat(lowestMaximum), b.at(scratch(layout.maxima()), i));
    b.store(b.splat(0), b.at(scratch(layout.sums()), i));
  });
  b.loop(b.integer(0), reach, 1, [&](Value i) {
    Value output = b.at(scratch(layout.outputs()), b.mul(i, layout.width));
    b.loop(b.integer(0), width, b.lanes(), [&](Value column) { b.store(b.splat(0), b.at(output, column)); });
  });
}

/// All scores of a block of keys. `factors` holds the maximum so far; without adjusting it is kept up to date on the way.
void AttentionEmitter::emitScores(Value firstKey, Value count) {
  KeyProduct product;
  product.rows = b.at(keyPointer, b.mul(firstKey, keyRow)), product.rowStride = keyRow, product.count = count;
  product.panel = scratch(layout.queries()), product.depth = width, product.reach = reach;
  product.target = scratch(layout.scores()), product.stride = queryBlock;
  emitKeyProduct(b, product, [&](llvm::ArrayRef<Value> tile, Value column, int64_t vectors) {
    for (int64_t v = 0; !adjusting && v < vectors; ++v) {
      Value place = b.at(b.at(scratch(layout.factors()), column), v * b.lanes());
      Value maximum = b.load(place);
      for (size_t i = v; i < tile.size(); i += vectors)
        maximum = b.maxf(tile[i], maximum);
      b.store(maximum, place);
    }
  });
}

/// Soft-cap, bias and mask in place, with the maximum.
void AttentionEmitter::adjustScores(Scores &scores, Value firstKey, Value count, Value column) {
  Value place = b.at(scratch(layout.factors()), column), query = b.add(firstQuery, column);
  Values maximum = b.loop(b.integer(0), count, 1, b.load(place), [&](Value key, llvm::ArrayRef<Value> carried) {
    Value score = b.at(scratch(layout.scores()), b.add(b.mul(key, queryBlock), column));
    Value adjusted = scores.adjust(b.load(score), b.add(firstKey, key), query, lastQuery);
    b.store(adjusted, score);
    return Values{b.maxf(adjusted, carried[0])};
  });
  b.store(maximum[0], place);
}

/// Scores of one vector of queries become weights relative to the new maximum; sums follow; `factors` rescales what was there.
void AttentionEmitter::exponentiate(Scores &scores, Value firstKey, Value count, Value column) {
  Value maximumPlace = b.at(scratch(layout.maxima()), column), factorPlace = b.at(scratch(layout.factors()), column);
  Value sumPlace = b.at(scratch(layout.sums()), column);
  Value maximum = b.load(factorPlace), factor = b.exp2(b.subf(b.load(maximumPlace), maximum));
  Value start = b.mulf(b.load(sumPlace), factor);
  Values sum = b.loop(b.integer(0), count, 1, start, [&](Value key, llvm::ArrayRef<Value> carried) {
    Value score = b.at(scratch(layout.scores()), b.add(b.mul(key, queryBlock), column));
    Value weight = b.exp2(b.subf(b.load(score), maximum));
    Value query = b.add(firstQuery, column);
    b.store(spec.factors ? b.mulf(weight, scores.factor(b.add(firstKey, key), query, lastQuery)) : weight, score);
    return Values{b.addf(carried[0], weight)};
  });
  b.store(maximum, maximumPlace);
  b.store(factor, factorPlace);
  b.store(sum[0], sumPlace);
}

/// outputs = outputs * factors + weights^T values
void AttentionEmitter::weighValues(Value count) {
  auto row = [&](Value r) { return b.at(scratch(layout.outputs()), b.mul(r, layout.width)); };
  auto factor = [&](Value r) { return b.loadBroadcast(b.at(scratch(layout.factors()), r)); };
  TallProduct product{scratch(layout.scores()), 1, queryBlock, values, valueRow, count, rows, width, row, factor};
  emitTallProduct(b, product);
}

/// Sets where the values of a block of keys are read: in place, or as padded copies when their rows do not end with a vector or
/// lie at a distance that maps them to few cache sets.
void AttentionEmitter::prepareValues(Value firstKey, Value count) {
  constexpr int64_t crowded = 512; // elements; a multiple of 2 KiB
  Value stride = slot(Slot::VRow);
  Value source = b.at(headPointer(b, kernel.slots, Slot::V, Slot::VBatch, batch, keyHead), b.mul(firstKey, stride));
  Value whole = b.equal(b.rem(width, b.lanes()), b.integer(0));
  Value spread = b.less(b.integer(0), b.rem(stride, crowded));
  Value inPlace = b.both(whole, spread);
  b.ifElse(
      inPlace, [] {},
      [&] { emitPackRows(b, {source, stride, count, width, scratch(layout.values()), b.lanes(), layout.width}); });
  values = b.select(inPlace, source, scratch(layout.values()));
  valueRow = b.select(inPlace, stride, b.integer(layout.width));
}

void AttentionEmitter::emitKeyBlock(Scores &scores, Value firstKey, Value count) {
  prepareValues(firstKey, count);
  Value end = b.mul(b.ceilDiv(reach, b.lanes()), b.lanes());
  b.loop(b.integer(0), end, b.lanes(), [&](Value column) {
    b.store(b.load(b.at(scratch(layout.maxima()), column)), b.at(scratch(layout.factors()), column));
  });
  emitScores(firstKey, count);
  b.loop(b.integer(0), end, b.lanes(), [&](Value column) {
    if (adjusting)
      adjustScores(scores, firstKey, count, column);
    exponentiate(scores, firstKey, count, column);
  });
  weighValues(count);
}

/// outputs / sums, and log-sum-exp; 0 and -inf where nothing was allowed.
void AttentionEmitter::finish() {
  Value row = slot(Slot::ORow);
  Value target = b.at(headPointer(b, kernel.slots, Slot::O, Slot::OBatch, batch, head), b.mul(firstQuery, row));
  b.loop(b.integer(0), rows, 1, [&](Value i) {
    Value sum = b.loadScalar(b.at(scratch(layout.sums()), i));
    Value empty = b.compareFloat(arith::CmpFPredicate::OEQ, sum, b.scalar(0));
    Value inverse = b.broadcast(b.select(empty, b.scalar(0), b.divf(b.scalar(1), sum)));
    b.loop(b.integer(0), width, b.lanes(), [&](Value column) {
      Value output = b.load(b.at(scratch(layout.outputs()), b.add(b.mul(i, layout.width), column)));
      b.store(b.mulf(output, inverse), b.at(target, b.add(b.mul(i, row), column)), b.mask(b.sub(width, column)));
    });
  });
  if (!spec.logSumExp)
    return;
  Value line = b.add(b.mul(batch, slot(Slot::Heads)), head);
  Value logs = b.at(b.slotPointer(kernel.slots, Slot::LogSumExp), b.add(b.mul(line, slot(Slot::Queries)), firstQuery));
  b.loop(b.integer(0), rows, b.lanes(), [&](Value i) {
    Value maximum = b.load(b.at(scratch(layout.maxima()), i)), sum = b.load(b.at(scratch(layout.sums()), i));
    b.store(b.fma(maximum, b.splat(logOf2), b.log(sum)), b.at(logs, i), b.mask(b.sub(rows, i)));
  });
}

void AttentionEmitter::emitTask(Value task) {
  locate(task);
  Scores scores(b, kernel.slots, spec, batch, head);
  adjusting = scores.needAdjusting();
  if (!spec.partial) {
    setRows(slot(Slot::Queries));
    return emitQueries(scores);
  }
  setRows(b.min(scores.count(), slot(Slot::Queries)));
  b.ifThen(b.less(b.integer(0), rows), [&] { emitQueries(scores); });
}

void AttentionEmitter::emitQueries(Scores &scores) {
  start(scores);
  Scores::Range keys = scores.keys(firstQuery, lastQuery);
  Value begin = b.mul(b.div(keys.begin, keyBlock), keyBlock); // so that blocks are the same for all tasks
  b.loop(begin, keys.end, keyBlock, [&](Value firstKey) {
    emitKeyBlock(scores, firstKey, b.min(b.sub(keys.end, firstKey), b.integer(keyBlock)));
  });
  finish();
}

KernelInfo emitAttention(ModuleOp module, llvm::StringRef name, const Level &level, const AttentionSpec &spec) {
  auto [kernel, builder] = createKernel(module, name, level);
  AttentionEmitter(builder, kernel, spec).emit();
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{Slot::Batch, 1}, {Slot::Heads, 1}, {Slot::Queries, queryBlock}};
  info.slotCount = Slot::ForwardCount;
  info.scratchBytes = Layout(level, spec).bytes();
  return info;
}

} // namespace nacre::cpu
