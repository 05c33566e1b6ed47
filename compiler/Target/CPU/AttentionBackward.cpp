// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention, backward: five products in one sweep over blocks of queries and keys, scores recomputed and kept transposed as in
// the forward kernel. With P = softmax(score), factors c and delta_i = o_i . dO_i,
//
//   D(j, i) = P(j, i) * (c(j, i) (v_j . dO_i) - delta_i) * scale    dV = (P c) dO    dK = D Q    dQ = D^T K
//
// P comes out of the exponential directly, because the log-sum-exp is known. dQ of a block of queries is kept in scratch, dK and
// dV are summed in place.
#include "compiler/Target/CPU/AttentionBlocks.h"
#include "compiler/Target/CPU/AttentionProducts.h"
#include "compiler/Target/CPU/Panel.h"

using namespace mlir;

namespace nacre::cpu {

using namespace attention;
using Slot = AttentionSlots;

namespace {

class BackwardEmitter {
public:
  BackwardEmitter(VectorBuilder &builder, const Kernel &kernel, const AttentionSpec &spec)
      : b(builder), kernel(kernel), spec(spec), blocks(builder, kernel, spec, Slopes::Scores) {}

  void emit() {
    b.loop(kernel.begin, kernel.end, 1, [&](Value task) { emitTask(task); });
  }
  int64_t scratchBytes() const { return 4 * (nowhere() + blocks.rowWidth); }

private:
  // Scratch beyond that of the blocks, in elements.
  int64_t queryRows() const { return blocks.end(); }                                           // [queryBlock][width]
  int64_t gradientRows() const { return queryRows() + blocks.block(); }                        // [queryBlock][width] of dO
  int64_t queryGradient() const { return gradientRows() + blocks.block(); }                    // [queryBlock][width] of dQ
  int64_t keyRows() const { return queryGradient() + blocks.block(); }                         // [keyBlock][width]
  int64_t nowhere() const { return keyRows() + ScoreBlocks::keyBlock * blocks.rowWidth; }      // for rows that do not exist [width]

  Value scratch(int64_t offset) { return blocks.scratch(offset); }
  void emitTask(Value task);
  void clear(const Rows &target);
  void emitHead(Value head);
  void emitQueryBlock(Scores &scores, Value head, Value first);
  void startQueries();
  void addTo(const Rows &target, int64_t left, int64_t right, Value firstKey, Value count);
  void emitKeyBlock(Value firstKey, Value count);
  void storeQueryGradient(const Rows &target);

  VectorBuilder &b;
  const Kernel &kernel;
  const AttentionSpec &spec;
  ScoreBlocks blocks;
  Value width;
  Rows dK, dV; // of the task
};

} // namespace

void BackwardEmitter::clear(const Rows &target) {
  b.loop(b.integer(0), blocks.slot(Slot::Keys), 1, [&](Value key) {
    Value row = b.at(target.pointer, b.mul(key, target.stride));
    b.loop(b.integer(0), width, b.lanes(),
           [&](Value c) { b.store(b.splat(0), b.at(row, c), b.mask(b.sub(width, c))); });
  });
}

/// Queries and dO of the block as padded rows for the products along queries; dQ starts at 0.
void BackwardEmitter::startQueries() {
  for (auto [from, target] : {std::pair(&blocks.q, queryRows()), {&blocks.dO, gradientRows()}}) {
    Value source = b.at(from->pointer, b.mul(blocks.firstQuery, from->stride));
    emitPackRows(b, {source, from->stride, blocks.rows, width, scratch(target), b.lanes(), blocks.rowWidth});
  }
  b.loop(b.integer(0), blocks.reach, 1, [&](Value i) {
    Value row = b.at(scratch(queryGradient()), b.mul(i, blocks.rowWidth));
    b.loop(b.integer(0), width, b.lanes(), [&](Value c) { b.store(b.splat(0), b.at(row, c)); });
  });
}

/// target(j) += sum over queries i of left(j, i) * right(i), for the keys of the block.
void BackwardEmitter::addTo(const Rows &target, int64_t left, int64_t right, Value firstKey, Value count) {
  auto row = [&](Value r) {
    Value place = b.at(target.pointer, b.mul(b.add(firstKey, r), target.stride));
    return b.select(b.less(r, count), place, scratch(nowhere()));
  };
  Value stride = b.integer(blocks.rowWidth);
  TallProduct product{scratch(left), ScoreBlocks::queryBlock, 1, scratch(right), stride, blocks.rows, count, width, row};
  product.masked = true;
  emitTallProduct(b, product);
}

void BackwardEmitter::emitKeyBlock(Value firstKey, Value count) {
  addTo(dV, blocks.weights(), gradientRows(), firstKey, count);
  addTo(dK, blocks.slopes(), queryRows(), firstKey, count);
  Value keys = b.at(blocks.k.pointer, b.mul(firstKey, blocks.k.stride));
  emitPackRows(b, {keys, blocks.k.stride, count, width, scratch(keyRows()), b.lanes(), blocks.rowWidth});
  auto row = [&](Value r) { return b.at(scratch(queryGradient()), b.mul(r, blocks.rowWidth)); };
  emitTallProduct(b, {scratch(blocks.slopes()), 1, ScoreBlocks::queryBlock, scratch(keyRows()), b.integer(blocks.rowWidth), count,
                      blocks.rows, width, row});
}

void BackwardEmitter::storeQueryGradient(const Rows &target) {
  b.loop(b.integer(0), blocks.rows, 1, [&](Value i) {
    Value from = b.at(scratch(queryGradient()), b.mul(i, blocks.rowWidth));
    Value to = b.at(target.pointer, b.mul(b.add(blocks.firstQuery, i), target.stride));
    b.loop(b.integer(0), width, b.lanes(),
           [&](Value c) { b.store(b.load(b.at(from, c)), b.at(to, c), b.mask(b.sub(width, c))); });
  });
}

void BackwardEmitter::emitQueryBlock(Scores &scores, Value number, Value first) {
  blocks.enterQueries(number, first, scores.rawScale());
  startQueries();
  blocks.forKeys(scores, [&](Value firstKey, Value count) { emitKeyBlock(firstKey, count); });
  storeQueryGradient(blocks.head(Slot::DQ, Slot::DQBatch, number));
}

void BackwardEmitter::emitHead(Value number) {
  Scores scores(b, kernel.slots, spec, blocks.batch, number);
  b.loop(b.integer(0), blocks.slot(Slot::Queries), ScoreBlocks::queryBlock, [&](Value first) { emitQueryBlock(scores, number, first); });
}

void BackwardEmitter::emitTask(Value task) {
  Value keyHeads = blocks.slot(Slot::KeyHeads), heads = blocks.slot(Slot::Heads);
  Value keyHead = b.rem(task, keyHeads);
  blocks.enter(b.div(task, keyHeads), keyHead);
  width = blocks.width;
  dK = blocks.head(Slot::DK, Slot::DKBatch, keyHead), dV = blocks.head(Slot::DV, Slot::DVBatch, keyHead);
  clear(dK), clear(dV);
  // Query head h belongs to key head floor(h * keyHeads / heads).
  auto firstHead = [&](Value number) { return b.div(b.add(b.mul(number, heads), b.add(keyHeads, -1)), keyHeads); };
  b.loop(firstHead(keyHead), firstHead(b.add(keyHead, 1)), 1, [&](Value number) { emitHead(number); });
}

KernelInfo emitAttentionBackward(ModuleOp module, llvm::StringRef name, const Level &level, const AttentionSpec &spec) {
  auto [kernel, builder] = createKernel(module, name, level);
  BackwardEmitter emitter(builder, kernel, spec);
  emitter.emit();
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{Slot::Batch, 1}, {Slot::KeyHeads, 1}};
  info.slotCount = Slot::BackwardCount;
  info.scratchBytes = emitter.scratchBytes();
  return info;
}

} // namespace nacre::cpu
