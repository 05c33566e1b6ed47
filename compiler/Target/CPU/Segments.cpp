// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Segments.h"

using namespace mlir;

namespace nacre::cpu {

using arith::CmpIPredicate;

static constexpr int64_t kSegments = 16;      // of a task: the side of a transposed square on the widest level
static constexpr int64_t kTaskColumns = 512;  // of a task
static constexpr int64_t kChunk = 8;          // vectors of sums; more were measured slower (cpu-folds)
static constexpr int64_t kSumSegments = 2048; // of a task that sums numbers

//===-- the order ------------------------------------------------------------------------------------------------------------===//

/// Calls `body` with every entry: entry, its row, and the address of its segment's counter. What is in no segment is in the one behind
/// the last.
static void forEntries(VectorBuilder &b, const Kernel &kernel, bool listed,
                       llvm::function_ref<void(Value entry, Value row, Value counter)> body) {
  using S = SegmentOrderSlots;
  Value indices = b.slotPointer(kernel.slots, S::Indices), ends = b.slotPointer(kernel.slots, S::Ends);
  Value k = b.slotInteger(kernel.slots, S::K), segments = b.slotInteger(kernel.slots, S::Segments);
  Value rows = b.slotInteger(kernel.slots, S::Rows);
  auto visit = [&](Value entry, Value row) {
    Value index = b.extend(b.loadIntScalar(b.at(indices, entry))), used = b.compare(CmpIPredicate::ult, index, segments);
    if (listed)
      used = b.both(used, b.compare(CmpIPredicate::ult, row, rows));
    body(entry, row, b.at(ends, b.select(used, index, segments)));
  };
  if (listed) {
    Value list = b.slotPointer(kernel.slots, S::RowList);
    return b.loop(b.integer(0), k, 1, [&](Value entry) { visit(entry, b.extend(b.loadIntScalar(b.at(list, entry)))); });
  }
  b.loop(b.integer(0), rows, 1, [&](Value row) {
    b.loop(b.integer(0), k, 1, [&](Value j) { visit(b.add(b.mul(row, k), j), row); });
  });
}

static void increment(VectorBuilder &b, Value counter) {
  Value one = arith::ConstantOp::create(b.op, b.op.getI32IntegerAttr(1));
  b.storeScalar(b.add(b.loadIntScalar(counter), one), counter);
}

KernelInfo emitSegmentOrder(ModuleOp module, llvm::StringRef name, const Level &level, bool listed) {
  using S = SegmentOrderSlots;
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  Value order = b.slotPointer(kernel.slots, S::Order), rows = b.slotPointer(kernel.slots, S::EntryRows);
  Value ends = b.slotPointer(kernel.slots, S::Ends), counters = b.add(b.slotInteger(kernel.slots, S::Segments), 1);
  b.loop(kernel.begin, kernel.end, 1, [&](Value) {
    b.loop(b.integer(0), counters, b.lanes(),
           [&](Value i) { b.store(b.splatInteger(0), b.at(ends, i), b.mask(b.sub(counters, i))); });
    forEntries(b, kernel, listed, [&](Value, Value, Value counter) { increment(b, counter); });
    // Counts become beginnings; placing the entries turns those into ends.
    b.loop(b.integer(0), counters, 1, Values{b.truncate(b.integer(0))}, [&](Value i, llvm::ArrayRef<Value> begin) {
      Value count = b.loadIntScalar(b.at(ends, i));
      b.storeScalar(begin[0], b.at(ends, i));
      return Values{b.add(begin[0], count)};
    });
    forEntries(b, kernel, listed, [&](Value entry, Value row, Value counter) {
      Value place = b.extend(b.loadIntScalar(counter));
      b.storeScalar(b.truncate(entry), b.at(order, place));
      b.storeScalar(b.truncate(row), b.at(rows, place));
      increment(b, counter);
    });
  });
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{S::One, 1}};
  info.slotCount = S::Count;
  return info;
}

std::pair<Value, Value> emitSegmentBounds(VectorBuilder &b, Value ends, Value i) {
  Value before = b.loadIntScalar(b.at(ends, b.max(b.add(i, -1), b.integer(0))));
  Value begin = b.select(b.equal(i, b.integer(0)), b.integer(0), b.extend(before));
  return {begin, b.extend(b.loadIntScalar(b.at(ends, i)))};
}

KernelInfo emitSegmentPosition(ModuleOp module, llvm::StringRef name, const Level &level) {
  using S = SegmentPositionSlots;
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  Value order = b.slotPointer(kernel.slots, S::Order), ends = b.slotPointer(kernel.slots, S::Ends);
  Value output = b.slotPointer(kernel.slots, S::Output), last = b.add(b.slotInteger(kernel.slots, S::Segments), -1);
  b.loop(kernel.begin, kernel.end, 1, [&](Value i) {
    auto [begin, end] = emitSegmentBounds(b, ends, i);
    Value first = begin, isRest = b.equal(i, last);
    b.loop(begin, end, 1, [&](Value s) {
      Value entry = b.extend(b.loadIntScalar(b.at(order, s)));
      b.storeScalar(b.truncate(b.select(isRest, b.integer(0), b.sub(s, first))), b.at(output, entry));
    });
  });
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{S::Segments, 1}};
  info.slotCount = S::Count;
  return info;
}

KernelInfo emitSegmentSum(ModuleOp module, llvm::StringRef name, const Level &level) {
  using S = SegmentSumSlots;
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  Value values = b.slotPointer(kernel.slots, S::Values), order = b.slotPointer(kernel.slots, S::Order);
  Value ends = b.slotPointer(kernel.slots, S::Ends), output = b.slotPointer(kernel.slots, S::Output);
  Value first = b.mul(kernel.begin, kSumSegments);
  Value end = b.min(b.mul(kernel.end, kSumSegments), b.slotInteger(kernel.slots, S::Segments));
  b.loop(first, end, 1, [&](Value i) {
    auto [begin, stop] = emitSegmentBounds(b, ends, i);
    Value sum = b.loop(begin, stop, 1, b.scalar(0), [&](Value s, llvm::ArrayRef<Value> before) {
      return Values{b.addf(before[0], b.loadScalar(b.at(values, b.extend(b.loadIntScalar(b.at(order, s))))))};
    })[0];
    b.storeScalar(sum, b.at(output, i));
  });
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{S::Segments, kSumSegments}};
  info.slotCount = S::Count;
  return info;
}

//===-- sums of rows ---------------------------------------------------------------------------------------------------------===//

namespace {
/// Emits the kernel of sums of rows: task > chunk of columns > segment > entries, then the chunk's epilogue.
class SegmentEmitter {
public:
  SegmentEmitter(VectorBuilder &b, const Kernel &kernel, const SegmentSpec &spec)
      : b(b), kernel(kernel), spec(spec), tile(SegmentSlots::TileCount, spec), extras(tile.loadExtras(b, kernel)),
        outputs(tile.loadOutputs(b, kernel)), chunk(kChunk * b.lanes()) {}
  void emit();
  int64_t slotCount() const { return tile.count(); }
  /// Sums [kSegments][chunk], and the same transposed.
  int64_t scratchBytes() const { return 4 * kSegments * chunk * 2; }

private:
  void emitSums(Value segment, Value column, Value reach, int64_t vectors, Value target);
  void emitChunk(Value segment, Value segments, Value column, Value columns);
  void emitTransposed(Value segment, Value segments, Value column, Value columns);

  VectorBuilder &b;
  const Kernel &kernel;
  const SegmentSpec &spec;
  TileSlots tile;
  llvm::SmallVector<TileMatrix> extras, outputs;
  int64_t chunk;
};
} // namespace

void SegmentEmitter::emitSums(Value segment, Value column, Value reach, int64_t vectors, Value target) {
  using S = SegmentSlots;
  Value values = b.slotPointer(kernel.slots, S::Values), order = b.slotPointer(kernel.slots, S::Order);
  Value rows = b.slotPointer(kernel.slots, S::EntryRows), x = b.at(b.slotPointer(kernel.slots, S::X), column);
  Value stride = b.slotInteger(kernel.slots, S::XRow);
  auto [begin, end] = emitSegmentBounds(b, b.slotPointer(kernel.slots, S::Ends), segment);
  Values masks;
  for (int64_t v = 0; v < vectors; ++v)
    masks.push_back(b.mask(b.add(reach, -v * b.lanes())));
  Values sums = b.loop(begin, end, 1, Values(vectors, b.splat(0)), [&](Value s, llvm::ArrayRef<Value> before) {
    Value entry = b.extend(b.loadIntScalar(b.at(order, s))), row = b.extend(b.loadIntScalar(b.at(rows, s)));
    Value factor = b.loadBroadcast(b.at(values, entry)), from = b.at(x, b.mul(row, stride));
    Values after;
    for (int64_t v = 0; v < vectors; ++v)
      after.push_back(b.fma(factor, b.load(b.at(from, v * b.lanes()), masks[v]), before[v]));
    return after;
  });
  for (int64_t v = 0; v < vectors; ++v)
    b.store(sums[v], b.at(target, v * b.lanes()));
}

/// The sums in scratch as squares, exchanged, then the epilogue with columns as rows.
void SegmentEmitter::emitTransposed(Value segment, Value segments, Value column, Value columns) {
  Value turned = b.at(kernel.scratch, kSegments * chunk);
  for (int64_t first = 0; first < kSegments; first += b.lanes())
    b.loop(b.integer(0), columns, b.lanes(), [&](Value c) {
      Values rows;
      for (int64_t i = 0; i < b.lanes(); ++i)
        rows.push_back(b.load(b.at(b.at(kernel.scratch, (first + i) * chunk), c)));
      Value to = b.at(b.at(turned, first), b.mul(c, kSegments));
      for (auto [i, row] : llvm::enumerate(b.transpose(rows)))
        b.store(row, b.at(to, static_cast<int64_t>(i) * kSegments));
    });
  emitEpilogue(b, spec, extras, outputs, {turned, kSegments, column, columns, segment, segments});
}

void SegmentEmitter::emitChunk(Value segment, Value segments, Value column, Value columns) {
  b.loop(b.integer(0), segments, 1, [&](Value i) {
    Value target = b.at(kernel.scratch, b.mul(i, chunk)), number = b.add(segment, i);
    b.ifElse(
        b.less(b.integer(b.lanes()), columns), [&] { emitSums(number, column, columns, kChunk, target); },
        [&] { emitSums(number, column, columns, 1, target); });
  });
  if (spec.transposed)
    return emitTransposed(segment, segments, column, columns);
  emitEpilogue(b, spec, extras, outputs, {kernel.scratch, chunk, segment, segments, column, columns});
}

void SegmentEmitter::emit() {
  using S = SegmentSlots;
  Value width = b.slotInteger(kernel.slots, S::Width), blocks = b.ceilDiv(width, kTaskColumns);
  b.loop(kernel.begin, kernel.end, 1, [&](Value task) {
    Value segment = b.mul(b.div(task, blocks), kSegments), left = b.mul(b.rem(task, blocks), kTaskColumns);
    Value segments = b.min(b.sub(b.slotInteger(kernel.slots, S::Segments), segment), b.integer(kSegments));
    Value right = b.min(b.add(left, kTaskColumns), width);
    b.loop(left, right, chunk, [&](Value column) {
      emitChunk(segment, segments, column, b.min(b.sub(right, column), b.integer(chunk)));
    });
  });
}

KernelInfo emitSegment(ModuleOp module, llvm::StringRef name, const Level &level, const SegmentSpec &spec) {
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  SegmentEmitter emitter(b, kernel, spec);
  emitter.emit();
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{SegmentSlots::Segments, kSegments}, {SegmentSlots::Width, kTaskColumns}};
  info.slotCount = emitter.slotCount();
  info.scratchBytes = emitter.scratchBytes();
  return info;
}

} // namespace nacre::cpu
