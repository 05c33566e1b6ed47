// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention, backward: five products in one sweep over blocks of queries and keys, scores recomputed and kept transposed as in
// the forward kernel. With P = softmax(score) and delta_i = o_i . dO_i,
//
//   D(j, i) = P(j, i) * (v_j . dO_i - delta_i) * scale    dV = P dO    dK = D Q    dQ = D^T K
//
// P comes out of the exponential directly, because the log-sum-exp is known. dQ of a block of queries is kept in scratch, dK and
// dV are summed in place.
#include "compiler/Target/CPU/Attention.h"

#include "compiler/Target/CPU/AttentionProducts.h"
#include "compiler/Target/CPU/AttentionScores.h"
#include "compiler/Target/CPU/Panel.h"

using namespace mlir;

namespace nacre::cpu {

using namespace attention;
using Slot = AttentionSlots;

namespace {

constexpr int64_t queryBlock = 192; // long sums for dK and dV; a multiple of lanes and tallRows on every level
constexpr int64_t keyBlock = 120;   // a multiple of tileRows and tallRows on every level; P and D take 190 KiB

/// A worker's scratch, in elements.
struct Layout {
  Layout(const Level &level, const AttentionSpec &spec)
      : width((spec.widthBound + level.lanes - 1) / level.lanes * level.lanes) {}
  int64_t width; // of a row
  int64_t block() const { return width * queryBlock; }
  int64_t queryPanel() const { return 0; }                      // [d][queryBlock], scaled
  int64_t gradientPanel() const { return block(); }             // [d][queryBlock] of dO, scaled
  int64_t queryRows() const { return 2 * block(); }             // [queryBlock][width]
  int64_t gradientRows() const { return 3 * block(); }          // [queryBlock][width] of dO
  int64_t queryGradient() const { return 4 * block(); }         // [queryBlock][width] of dQ
  int64_t keyRows() const { return 5 * block(); }               // [keyBlock][width]
  int64_t weights() const { return keyRows() + keyBlock * width; }     // P [keyBlock][queryBlock]
  int64_t slopes() const { return weights() + keyBlock * queryBlock; } // D [keyBlock][queryBlock]
  int64_t logs() const { return slopes() + keyBlock * queryBlock; }    // -log-sum-exp in units of log2 [queryBlock]
  int64_t deltas() const { return logs() + queryBlock; }               // -delta * scale [queryBlock]
  int64_t nowhere() const { return deltas() + queryBlock; }            // where rows that do not exist are written [width]
  int64_t bytes() const { return 4 * (nowhere() + width); }
};

/// A tensor of one head: pointer and row stride.
struct Rows {
  Value pointer, stride;
};

class BackwardEmitter {
public:
  BackwardEmitter(VectorBuilder &builder, const Kernel &kernel, const AttentionSpec &spec)
      : b(builder), kernel(kernel), spec(spec), layout(builder.level, spec) {}

  void emit() {
    b.loop(kernel.begin, kernel.end, 1, [&](Value task) { emitTask(task); });
  }

private:
  Value slot(int64_t index) { return b.slotInteger(kernel.slots, index); }
  Value scratch(int64_t offset) { return b.at(kernel.scratch, offset); }
  Rows head(int64_t pointer, int64_t strides, Value number) {
    return {headPointer(b, kernel.slots, pointer, strides, batch, number), slot(strides + 2)};
  }
  void emitTask(Value task);
  void clear(const Rows &target);
  void emitHead(Value head);
  void emitQueryBlock(Scores &scores, Value head, Value first);
  void packQueries(const Rows &q, const Rows &dO, double rawScale);
  void loadLogs(Value head);
  void computeDeltas(const Rows &o, const Rows &dO);
  void emitKeyBlock(Scores &scores, Value firstKey, Value count);
  void emitWeights(Scores &scores, Value firstKey, Value count);
  void addTo(const Rows &target, int64_t left, int64_t right, Value firstKey, Value count);
  void storeQueryGradient(const Rows &target);

  VectorBuilder &b;
  const Kernel &kernel;
  const AttentionSpec &spec;
  Layout layout;
  Value batch, width;
  Rows k, v, dK, dV;                         // of the task
  Value firstQuery, rows, lastQuery, reach;  // of the block of queries; reach: rows in whole tiles
};

} // namespace

void BackwardEmitter::clear(const Rows &target) {
  b.loop(b.integer(0), slot(Slot::Keys), 1, [&](Value key) {
    Value row = b.at(target.pointer, b.mul(key, target.stride));
    b.loop(b.integer(0), width, b.lanes(),
           [&](Value c) { b.store(b.splat(0), b.at(row, c), b.mask(b.sub(width, c))); });
  });
}

/// Queries and dO of the block: transposed and scaled for the products with keys, as padded rows for those along queries.
void BackwardEmitter::packQueries(const Rows &q, const Rows &dO, double rawScale) {
  auto pack = [&](const Rows &from, int64_t panelOffset, int64_t rowsOffset, double scale) {
    Value source = b.at(from.pointer, b.mul(firstQuery, from.stride));
    Panel panel{source, from.stride, width, rows, scratch(panelOffset), queryBlock, queryBlock};
    panel.scale = b.splat(scale), panel.reach = reach;
    emitPackTransposed(b, panel);
    emitPackRows(b, {source, from.stride, rows, width, scratch(rowsOffset), b.lanes(), layout.width});
  };
  pack(q, layout.queryPanel(), layout.queryRows(), rawScale);
  pack(dO, layout.gradientPanel(), layout.gradientRows(), spec.scale);
}

/// -log-sum-exp in units of log2. Rows that see nothing get a value under which every weight is 0.
void BackwardEmitter::loadLogs(Value head) {
  Value line = b.add(b.mul(batch, slot(Slot::Heads)), head);
  Value logs = b.at(b.slotPointer(kernel.slots, Slot::LogSumExp), b.add(b.mul(line, slot(Slot::Queries)), firstQuery));
  b.loop(b.integer(0), reach, b.lanes(), [&](Value i) {
    Value log = b.load(b.at(logs, i), b.mask(b.sub(rows, i)));
    Value empty = b.compareFloat(arith::CmpFPredicate::OLT, log, b.splat(lowestMaximum));
    Value value = b.select(empty, b.splat(forbidden), b.mulf(log, b.splat(-log2OfE)));
    b.store(value, b.at(scratch(layout.logs()), i));
  });
}

/// -delta_i * scale; also clears dQ of the block.
void BackwardEmitter::computeDeltas(const Rows &o, const Rows &dO) {
  b.loop(b.integer(0), reach, 1, [&](Value i) {
    Value row = b.at(scratch(layout.queryGradient()), b.mul(i, layout.width));
    b.loop(b.integer(0), width, b.lanes(), [&](Value c) { b.store(b.splat(0), b.at(row, c)); });
  });
  b.loop(b.integer(0), rows, 1, [&](Value i) {
    Value row = b.add(firstQuery, i);
    Value left = b.at(o.pointer, b.mul(row, o.stride)), right = b.at(dO.pointer, b.mul(row, dO.stride));
    Values sum = b.loop(b.integer(0), width, b.lanes(), b.splat(0), [&](Value c, llvm::ArrayRef<Value> carried) {
      Value mask = b.mask(b.sub(width, c));
      return Values{b.fma(b.load(b.at(left, c), mask), b.load(b.at(right, c), mask), carried[0])};
    });
    b.storeScalar(b.mulf(b.sum(sum[0]), b.scalar(-spec.scale)), b.at(scratch(layout.deltas()), i));
  });
}

/// P and D of one block of keys.
void BackwardEmitter::emitWeights(Scores &scores, Value firstKey, Value count) {
  KeyProduct product;
  product.count = count, product.depth = width, product.reach = reach, product.stride = queryBlock;
  product.rows = b.at(k.pointer, b.mul(firstKey, k.stride)), product.rowStride = k.stride;
  product.panel = scratch(layout.queryPanel()), product.target = scratch(layout.weights());
  product.start = scores.needAdjusting() ? Value() : scratch(layout.logs());
  emitKeyProduct(b, product);
  product.rows = b.at(v.pointer, b.mul(firstKey, v.stride)), product.rowStride = v.stride;
  product.panel = scratch(layout.gradientPanel()), product.target = scratch(layout.slopes());
  product.start = scratch(layout.deltas());
  emitKeyProduct(b, product);

  b.loop(b.integer(0), count, 1, [&](Value key) {
    Value line = b.mul(key, queryBlock);
    Value weights = b.at(scratch(layout.weights()), line), slopes = b.at(scratch(layout.slopes()), line);
    b.loop(b.integer(0), reach, b.lanes(), [&](Value i) {
      Value score = b.load(b.at(weights, i)), slope = b.load(b.at(slopes, i)), capSlope;
      if (scores.needAdjusting()) {
        score = scores.adjust(score, b.add(firstKey, key), b.add(firstQuery, i), lastQuery, &capSlope);
        score = b.addf(score, b.load(b.at(scratch(layout.logs()), i)));
      }
      Value weight = b.exp2(score);
      slope = b.mulf(slope, weight);
      b.store(weight, b.at(weights, i));
      b.store(capSlope ? b.mulf(slope, capSlope) : slope, b.at(slopes, i));
    });
  });
}

/// target(j) += sum over queries i of left(j, i) * right(i), for the keys of the block.
void BackwardEmitter::addTo(const Rows &target, int64_t left, int64_t right, Value firstKey, Value count) {
  auto row = [&](Value r) {
    Value place = b.at(target.pointer, b.mul(b.add(firstKey, r), target.stride));
    return b.select(b.less(r, count), place, scratch(layout.nowhere()));
  };
  TallProduct product{scratch(left), queryBlock, 1, scratch(right), b.integer(layout.width), rows, count, width, row};
  product.masked = true;
  emitTallProduct(b, product);
}

void BackwardEmitter::emitKeyBlock(Scores &scores, Value firstKey, Value count) {
  emitWeights(scores, firstKey, count);
  addTo(dV, layout.weights(), layout.gradientRows(), firstKey, count);
  addTo(dK, layout.slopes(), layout.queryRows(), firstKey, count);
  Value keys = b.at(k.pointer, b.mul(firstKey, k.stride));
  emitPackRows(b, {keys, k.stride, count, width, scratch(layout.keyRows()), b.lanes(), layout.width});
  auto row = [&](Value r) { return b.at(scratch(layout.queryGradient()), b.mul(r, layout.width)); };
  emitTallProduct(b, {scratch(layout.slopes()), 1, queryBlock, scratch(layout.keyRows()), b.integer(layout.width), count, rows, width, row});
}

void BackwardEmitter::storeQueryGradient(const Rows &target) {
  b.loop(b.integer(0), rows, 1, [&](Value i) {
    Value from = b.at(scratch(layout.queryGradient()), b.mul(i, layout.width));
    Value to = b.at(target.pointer, b.mul(b.add(firstQuery, i), target.stride));
    b.loop(b.integer(0), width, b.lanes(),
           [&](Value c) { b.store(b.load(b.at(from, c)), b.at(to, c), b.mask(b.sub(width, c))); });
  });
}

void BackwardEmitter::emitQueryBlock(Scores &scores, Value number, Value first) {
  firstQuery = first;
  rows = b.min(b.sub(slot(Slot::Queries), first), b.integer(queryBlock));
  lastQuery = b.add(b.add(first, rows), -1);
  reach = b.mul(b.ceilDiv(rows, b.level.tallRows), b.level.tallRows);
  Rows dO = head(Slot::DO, Slot::DOBatch, number);
  packQueries(head(Slot::Q, Slot::QBatch, number), dO, scores.rawScale());
  loadLogs(number);
  computeDeltas(head(Slot::O, Slot::OBatch, number), dO);
  Scores::Range keys = scores.keys(firstQuery, lastQuery);
  Value begin = b.mul(b.div(keys.begin, keyBlock), keyBlock);
  b.loop(begin, keys.end, keyBlock, [&](Value firstKey) {
    emitKeyBlock(scores, firstKey, b.min(b.sub(keys.end, firstKey), b.integer(keyBlock)));
  });
  storeQueryGradient(head(Slot::DQ, Slot::DQBatch, number));
}

void BackwardEmitter::emitHead(Value number) {
  Scores scores(b, kernel.slots, spec, batch, number);
  b.loop(b.integer(0), slot(Slot::Queries), queryBlock, [&](Value first) { emitQueryBlock(scores, number, first); });
}

void BackwardEmitter::emitTask(Value task) {
  Value keyHeads = slot(Slot::KeyHeads), heads = slot(Slot::Heads);
  batch = b.div(task, keyHeads), width = slot(Slot::Width);
  Value keyHead = b.rem(task, keyHeads);
  k = head(Slot::K, Slot::KBatch, keyHead), v = head(Slot::V, Slot::VBatch, keyHead);
  dK = head(Slot::DK, Slot::DKBatch, keyHead), dV = head(Slot::DV, Slot::DVBatch, keyHead);
  clear(dK), clear(dV);
  // Query head h belongs to key head floor(h * keyHeads / heads).
  auto firstHead = [&](Value number) { return b.div(b.add(b.mul(number, heads), b.add(keyHeads, -1)), keyHeads); };
  b.loop(firstHead(keyHead), firstHead(b.add(keyHead, 1)), 1, [&](Value number) { emitHead(number); });
}

KernelInfo emitAttentionBackward(ModuleOp module, llvm::StringRef name, const Level &level, const AttentionSpec &spec) {
  auto [kernel, builder] = createKernel(module, name, level);
  BackwardEmitter(builder, kernel, spec).emit();
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{Slot::Batch, 1}, {Slot::KeyHeads, 1}};
  info.slotCount = Slot::BackwardCount;
  info.scratchBytes = Layout(level, spec).bytes();
  return info;
}

} // namespace nacre::cpu
