// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention, the gradient of a bias, of a strip of biases by distance or of factors by distance. Scores are recomputed block by
// block, and slopes added to the result at once: no array of all pairs exists unless the bias is one.
//
// A task owns a batch, a head and up to queryBlock rows of the result, as far as the result has them; it walks all batches, heads
// and queries that share its part in ascending order, so bits do not depend on threads.
#include "compiler/Target/CPU/AttentionBlocks.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nacre::cpu {

using namespace attention;
using Slot = AttentionSlots;

namespace {

class BiasEmitter {
public:
  BiasEmitter(VectorBuilder &builder, const Kernel &kernel, const AttentionSpec &spec, BiasGradient of)
      : b(builder), kernel(kernel), spec(spec), isStrip(of != BiasGradient::Bias),
        blocks(builder, kernel, spec, of == BiasGradient::Factors ? Slopes::Factors : Slopes::Biases) {}

  void emit() {
    b.loop(kernel.begin, kernel.end, 1, [&](Value task) { emitTask(task); });
  }
  int64_t scratchBytes() const { return 4 * blocks.end(); }

private:
  struct Range {
    Value begin, end;
  };
  Value slot(int64_t index) { return blocks.slot(index); }
  /// What shares index `number` of an axis of the result: itself, or all `count` when the result has only one.
  Range shared(Value number, int64_t extent, Value count);
  void emitTask(Value task);
  void clear(Value firstRow, Value endRow);
  void emitHead(Value batch, Value head, Range queries);
  void add(Value firstKey, Value count);
  void addToStrip(Value firstKey, Value count);
  void addToRows(Value firstKey, Value count);
  void addElements(Value firstKey, Value count);
  Value slopeAt(Value key, Value query);

  VectorBuilder &b;
  const Kernel &kernel;
  const AttentionSpec &spec;
  bool isStrip;
  ScoreBlocks blocks;
  Value target; // the task's batch and head of the result
};

} // namespace

BiasEmitter::Range BiasEmitter::shared(Value number, int64_t extent, Value count) {
  Value single = b.equal(slot(extent), b.integer(1));
  return {b.select(single, b.integer(0), number), b.select(single, count, b.add(number, 1))};
}

void BiasEmitter::clear(Value firstRow, Value endRow) {
  Value rowStride = isStrip ? b.integer(0) : slot(Slot::DBiasRow), columnStride = isStrip ? b.integer(1) : slot(Slot::DBiasColumn);
  b.loop(firstRow, endRow, 1, [&](Value row) {
    b.loop(b.integer(0), slot(Slot::DBiasColumns), 1, [&](Value column) {
      b.storeScalar(b.scalar(0), b.at(target, b.add(b.mul(row, rowStride), b.mul(column, columnStride))));
    });
  });
}

Value BiasEmitter::slopeAt(Value key, Value query) {
  return b.at(blocks.scratch(blocks.slopes()), b.add(b.mul(key, ScoreBlocks::queryBlock), query));
}

/// Entry i - j + Tk - 1: consecutive queries lie side by side.
void BiasEmitter::addToStrip(Value firstKey, Value count) {
  Value zero = b.add(b.add(blocks.firstQuery, slot(Slot::Keys)), -1); // the entry of the first query and key 0
  b.loop(b.integer(0), count, 1, [&](Value key) {
    Value line = b.at(target, b.sub(zero, b.add(firstKey, key)));
    b.loop(b.integer(0), blocks.rows, b.lanes(), [&](Value i) {
      Value mask = b.mask(b.sub(blocks.rows, i)), place = b.at(line, i);
      b.store(b.addf(b.load(place, mask), b.load(slopeAt(key, i))), place, mask);
    });
  });
}

/// Rows of the result run along keys: slopes of one query are a column of scratch.
void BiasEmitter::addToRows(Value firstKey, Value count) {
  VectorType integers = VectorType::get({b.lanes()}, b.i64()), pointers = VectorType::get({b.lanes()}, b.pointer());
  Value lanes = arith::ExtSIOp::create(b.op, integers, b.iota());
  Value step = vector::BroadcastOp::create(b.op, integers, b.integer(ScoreBlocks::queryBlock));
  Value offsets = b.mul(lanes, step);
  b.loop(b.integer(0), blocks.rows, 1, [&](Value i) {
    Value line = b.at(target, b.add(b.mul(b.add(blocks.firstQuery, i), slot(Slot::DBiasRow)), firstKey));
    b.loop(b.integer(0), count, b.lanes(), [&](Value key) {
      Value mask = b.mask(b.sub(count, key)), place = b.at(line, key);
      Value places = LLVM::GEPOp::create(b.op, pointers, b.f32(), slopeAt(key, i), ValueRange{offsets});
      Value slopes = LLVM::masked_gather::create(b.op, b.vector(b.f32()), places, mask, ValueRange{b.splat(0)}, /*alignment=*/4);
      b.store(b.addf(b.load(place, mask), slopes), place, mask);
    });
  });
}

/// Any strides, also 0: one element after the other.
void BiasEmitter::addElements(Value firstKey, Value count) {
  b.loop(b.integer(0), blocks.rows, 1, [&](Value i) {
    Value line = b.at(target, b.mul(b.add(blocks.firstQuery, i), slot(Slot::DBiasRow)));
    b.loop(b.integer(0), count, 1, [&](Value key) {
      Value place = b.at(line, b.mul(b.add(firstKey, key), slot(Slot::DBiasColumn)));
      b.storeScalar(b.addf(b.loadScalar(place), b.loadScalar(slopeAt(key, i))), place);
    });
  });
}

void BiasEmitter::add(Value firstKey, Value count) {
  if (isStrip)
    return addToStrip(firstKey, count);
  b.ifElse(
      b.equal(slot(Slot::DBiasColumn), b.integer(1)), [&] { addToRows(firstKey, count); }, [&] { addElements(firstKey, count); });
}

void BiasEmitter::emitHead(Value batch, Value head, Range queries) {
  blocks.enter(batch, b.div(b.mul(head, slot(Slot::KeyHeads)), slot(Slot::Heads)));
  Scores scores(b, kernel.slots, spec, batch, head);
  b.loop(queries.begin, queries.end, ScoreBlocks::queryBlock, [&](Value first) {
    blocks.enterQueries(head, first, scores.rawScale());
    blocks.forKeys(scores, [&](Value firstKey, Value count) { add(firstKey, count); });
  });
}

void BiasEmitter::emitTask(Value task) {
  Value rows = slot(Slot::DBiasRows), rowBlocks = b.ceilDiv(rows, ScoreBlocks::queryBlock), heads = slot(Slot::DBiasHeads);
  Value firstRow = b.mul(b.rem(task, rowBlocks), ScoreBlocks::queryBlock), rest = b.div(task, rowBlocks);
  Value head = b.rem(rest, heads), batch = b.div(rest, heads);
  Value endRow = b.min(b.add(firstRow, ScoreBlocks::queryBlock), rows);
  target = headPointer(b, kernel.slots, Slot::DBias, Slot::DBiasBatch, batch, head);
  clear(firstRow, endRow);
  Range batches = shared(batch, Slot::DBiasBatches, slot(Slot::Batch)), queryHeads = shared(head, Slot::DBiasHeads, slot(Slot::Heads));
  // Rows that the result has are the task's own; else all queries add to the one row.
  Value single = b.equal(rows, b.integer(1));
  Range queries = {firstRow, b.select(single, slot(Slot::Queries), endRow)};
  b.loop(batches.begin, batches.end, 1, [&](Value number) {
    b.loop(queryHeads.begin, queryHeads.end, 1, [&](Value queryHead) { emitHead(number, queryHead, queries); });
  });
}

KernelInfo emitAttentionBiasBackward(ModuleOp module, llvm::StringRef name, const Level &level, const AttentionSpec &spec,
                                     BiasGradient of) {
  auto [kernel, builder] = createKernel(module, name, level);
  BiasEmitter emitter(builder, kernel, spec, of);
  emitter.emit();
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{Slot::DBiasBatches, 1}, {Slot::DBiasHeads, 1}, {Slot::DBiasRows, ScoreBlocks::queryBlock}};
  info.slotCount = Slot::BiasBackwardCount;
  info.scratchBytes = emitter.scratchBytes();
  return info;
}

} // namespace nacre::cpu
