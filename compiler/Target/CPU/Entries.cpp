// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Entries.h"

using namespace mlir;

namespace nacre::cpu {

using arith::CmpIPredicate;

static constexpr int64_t kRows = 4;         // of a task; with 32 entries a row, 100 KB to read at d = 768
static constexpr int64_t kTaskColumns = 512; // of a gathered sum's task
static constexpr int64_t kChunk = 8;        // vectors of sums: cpu-folds, more spill or miss

namespace {
/// What the kernels here read from their slots.
struct Slots {
  VectorBuilder &b;
  const Kernel &kernel;
  Value integer(int64_t index) const { return b.slotInteger(kernel.slots, index); }
  Value pointer(int64_t index) const { return b.slotPointer(kernel.slots, index); }
};

/// A matrix that is read at rows given by index.
struct Table {
  Value pointer, row, column, rows;
};
} // namespace

/// Whether an index lies in [0, count); unsigned, so that negative ones do not.
static Value isUsed(VectorBuilder &b, Value index, Value count) { return b.compare(CmpIPredicate::ult, index, count); }

/// Calls `body` with every row of the tasks, `grain` rows a task.
static void forRows(VectorBuilder &b, const Kernel &kernel, Value grain, Value rows, llvm::function_ref<void(Value)> body) {
  b.loop(b.mul(kernel.begin, grain), b.min(b.mul(kernel.end, grain), rows), 1, body);
}

namespace {
/// Slots [begin, end) of a row, and the row's number in results of the entries' shape.
struct RowSlots {
  Value begin, end;
};
} // namespace

/// The first of `count` ascending numbers that is not below `number`.
static Value lowerBound(VectorBuilder &b, Value list, Value count, Value number) {
  return b.repeat(
      {b.integer(0), count}, [&](llvm::ArrayRef<Value> range) { return b.less(range[0], range[1]); },
      [&](llvm::ArrayRef<Value> range) {
        Value middle = b.div(b.add(range[0], range[1]), 2);
        Value below = b.less(b.extend(b.loadIntScalar(b.at(list, middle))), number);
        return Values{b.select(below, b.add(middle, 1), range[0]), b.select(below, range[1], middle)};
      })[0];
}

/// Where the entries of a row stand; `rowList` is null when they stand in their rows.
static RowSlots slotsOf(VectorBuilder &b, Value rowList, Value row, Value k) {
  if (!rowList)
    return {b.mul(row, k), b.mul(b.add(row, 1), k)};
  return {lowerBound(b, rowList, k, row), lowerBound(b, rowList, k, b.add(row, 1))};
}

//===-- take, place ----------------------------------------------------------------------------------------------------------===//

KernelInfo emitTake(ModuleOp module, llvm::StringRef name, const Level &level) {
  using S = TakeSlots;
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  Slots slot{b, kernel};
  Value k = slot.integer(S::K), columns = b.broadcast(b.truncate(slot.integer(S::Columns)));
  forRows(b, kernel, slot.integer(S::RowGrain), slot.integer(S::Rows), [&](Value row) {
    Value x = b.at(slot.pointer(S::X), b.mul(row, slot.integer(S::XRow)));
    Value indices = b.at(slot.pointer(S::Indices), b.mul(row, k)), out = b.at(slot.pointer(S::Output), b.mul(row, slot.integer(S::OutputRow)));
    b.loop(b.integer(0), k, b.lanes(), [&](Value j) {
      Value mask = b.mask(b.sub(k, j)), index = b.loadInts(b.at(indices, j), mask);
      b.store(b.gather(b.f32(), x, index, b.both(mask, isUsed(b, index, columns))), b.at(out, j), mask);
    });
  });
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{S::Rows, 1, S::RowGrain}};
  info.slotCount = S::Count;
  return info;
}

KernelInfo emitTakeListed(ModuleOp module, llvm::StringRef name, const Level &level) {
  using S = TakeListedSlots;
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  Slots slot{b, kernel};
  auto limit = [&](int64_t size) { return b.broadcast(b.truncate(slot.integer(size))); };
  auto wide = [&](Value lanes) -> Value { return arith::ExtSIOp::create(b.op, VectorType::get({b.lanes()}, b.i64()), lanes); };
  Value rows = limit(S::Rows), columns = limit(S::Columns), first = b.mul(kernel.begin, kTaskColumns);
  Value end = b.min(b.mul(kernel.end, kTaskColumns), slot.integer(S::K));
  b.loop(first, end, b.lanes(), [&](Value s) {
    Value mask = b.mask(b.sub(end, s)), index = b.loadInts(b.at(slot.pointer(S::Indices), s), mask);
    Value row = b.loadInts(b.at(slot.pointer(S::RowList), s), mask);
    Value used = b.both(mask, b.both(isUsed(b, index, columns), isUsed(b, row, rows)));
    Value offsets = b.add(b.mul(wide(row), b.broadcast(slot.integer(S::XRow))), b.mul(wide(index), b.broadcast(slot.integer(S::XColumn))));
    b.store(b.gather(b.f32(), slot.pointer(S::X), offsets, used), b.at(slot.pointer(S::Output), s), mask);
  });
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{S::K, kTaskColumns}};
  info.slotCount = S::Count;
  return info;
}

KernelInfo emitPlace(ModuleOp module, llvm::StringRef name, const Level &level, bool listed) {
  using S = PlaceSlots;
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  Slots slot{b, kernel};
  Value k = slot.integer(S::K), columns = slot.integer(S::Columns), rowList = listed ? slot.pointer(S::RowList) : Value();
  Value values = slot.pointer(S::Values), indices = slot.pointer(S::Indices);
  forRows(b, kernel, slot.integer(S::RowGrain), slot.integer(S::Rows), [&](Value row) {
    Value out = b.at(slot.pointer(S::Output), b.mul(row, slot.integer(S::OutputRow)));
    b.loop(b.integer(0), columns, b.lanes(), [&](Value j) { b.store(b.splat(0), b.at(out, j), b.mask(b.sub(columns, j))); });
    RowSlots entries = slotsOf(b, rowList, row, k);
    b.loop(entries.begin, entries.end, 1, [&](Value s) {
      Value index = b.extend(b.loadIntScalar(b.at(indices, s)));
      b.ifThen(isUsed(b, index, columns), [&] {
        Value place = b.at(out, index);
        b.storeScalar(b.addf(b.loadScalar(place), b.loadScalar(b.at(values, s))), place);
      });
    });
  });
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{S::Rows, 1, S::RowGrain}};
  info.slotCount = S::Count;
  return info;
}

//===-- tables ---------------------------------------------------------------------------------------------------------------===//

static Table tableAt(const Slots &slot, int64_t pointer, int64_t row, int64_t column, int64_t rows) {
  return {slot.pointer(pointer), slot.integer(row), slot.integer(column), slot.integer(rows)};
}

/// A vector of i64: first, first + stride, ...
static Value steps(VectorBuilder &b, Value first, Value stride) {
  auto type = VectorType::get({b.lanes()}, b.i64());
  llvm::SmallVector<int64_t> numbers = llvm::to_vector(llvm::seq<int64_t>(0, b.lanes()));
  Value lane = arith::ConstantOp::create(b.op, DenseElementsAttr::get(type, llvm::ArrayRef<int64_t>(numbers)));
  return b.add(b.broadcast(first), b.mul(lane, b.broadcast(stride)));
}

/// The vector of a table's row at a column. `isPlain`: the columns lie side by side.
static Value loadColumns(VectorBuilder &b, const Table &table, bool isPlain, Value row, Value column, Value mask) {
  if (isPlain)
    return b.load(b.at(row, column), mask);
  return b.gather(b.f32(), row, steps(b, b.mul(column, table.column), table.column), mask);
}

namespace {
/// The entries of one row.
struct Row {
  Value values, indices, begin, end;
};
} // namespace

/// Stores to `target` the gathered sums of `chunk` vectors of columns from `column` on; `reach` says how many columns there are.
static void gatherChunk(VectorBuilder &b, const Table &table, bool isPlain, const Row &row, Value column, Value reach, int64_t chunk,
                        Value target) {
  Values masks;
  for (int64_t v = 0; v < chunk; ++v)
    masks.push_back(b.mask(b.add(reach, -v * b.lanes())));
  Values sums = b.loop(row.begin, row.end, 1, Values(chunk, b.splat(0)), [&](Value j, llvm::ArrayRef<Value> before) {
    Value index = b.extend(b.loadIntScalar(b.at(row.indices, j)));
    auto add = [&] {
      Value from = b.at(table.pointer, b.mul(index, table.row)), factor = b.loadBroadcast(b.at(row.values, j));
      Values after;
      for (int64_t v = 0; v < chunk; ++v)
        after.push_back(b.fma(factor, loadColumns(b, table, isPlain, from, b.add(column, v * b.lanes()), masks[v]), before[v]));
      return after;
    };
    return b.ifElse(isUsed(b, index, table.rows), llvm::to_vector(ValueRange(before).getTypes()), add, [&] { return Values(before); });
  });
  for (int64_t v = 0; v < chunk; ++v)
    b.store(sums[v], b.at(target, v * b.lanes()));
}

KernelInfo emitGatherSum(ModuleOp module, llvm::StringRef name, const Level &level, const EpilogueSpec &spec, bool listed) {
  using S = GatherSumSlots;
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  Slots slot{b, kernel};
  TileSlots tile(S::TileCount, spec);
  auto extras = tile.loadExtras(b, kernel), outputs = tile.loadOutputs(b, kernel);
  Table table = tableAt(slot, S::Table, S::TableRow, S::TableColumn, S::TableRows);
  Value width = slot.integer(S::Width), k = slot.integer(S::K), isPlain = b.equal(table.column, b.integer(1));
  const int64_t columns = kChunk * b.lanes();
  Value blocks = b.ceilDiv(width, kTaskColumns), sums = kernel.scratch, rowList = listed ? slot.pointer(S::RowList) : Value();
  b.loop(kernel.begin, kernel.end, 1, [&](Value task) {
    Value first = b.mul(b.div(task, blocks), kRows), end = b.min(b.add(first, kRows), slot.integer(S::Rows));
    Value left = b.mul(b.rem(task, blocks), kTaskColumns), right = b.min(b.add(left, kTaskColumns), width);
    b.loop(first, end, 1, [&](Value row) {
      RowSlots slots = slotsOf(b, rowList, row, k);
      Row entries{slot.pointer(S::Values), slot.pointer(S::Indices), slots.begin, slots.end};
      b.loop(left, right, columns, [&](Value column) {
        Value reach = b.min(b.sub(right, column), b.integer(columns));
        auto gather = [&](bool plain, int64_t chunk) { gatherChunk(b, table, plain, entries, column, reach, chunk, sums); };
        Value isWide = b.less(b.integer(b.lanes()), reach);
        b.ifElse(
            isPlain, [&] { b.ifElse(isWide, [&] { gather(true, kChunk); }, [&] { gather(true, 1); }); },
            [&] { b.ifElse(isWide, [&] { gather(false, kChunk); }, [&] { gather(false, 1); }); });
        emitEpilogue(b, spec, extras, outputs, {sums, 0, row, b.integer(1), column, reach});
      });
    });
  });
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{S::Rows, kRows}, {S::Width, kTaskColumns}};
  info.slotCount = tile.count();
  info.scratchBytes = 4 * columns;
  return info;
}

/// x . row of the table, whose columns lie side by side: four vectors at a time.
static Value dotPlain(VectorBuilder &b, Value x, Value row, Value width) {
  constexpr int64_t unroll = 4;
  const int64_t step = unroll * b.lanes();
  Value whole = b.sub(width, b.rem(width, step));
  Values sums = b.loop(b.integer(0), whole, step, Values(unroll, b.splat(0)), [&](Value c, llvm::ArrayRef<Value> before) {
    Values after;
    for (int64_t v = 0; v < unroll; ++v) {
      Value at = b.add(c, v * b.lanes());
      after.push_back(b.fma(b.load(b.at(x, at)), b.load(b.at(row, at)), before[v]));
    }
    return after;
  });
  Value sum = b.addf(b.addf(sums[0], sums[1]), b.addf(sums[2], sums[3]));
  sum = b.loop(whole, width, b.lanes(), sum, [&](Value c, llvm::ArrayRef<Value> before) {
    Value mask = b.mask(b.sub(width, c));
    return Values{b.fma(b.load(b.at(x, c), mask), b.load(b.at(row, c), mask), before[0])};
  })[0];
  return b.sum(sum);
}

namespace {
/// Products of a row of x with table rows that entries name.
struct Sampling {
  Table table;
  Value x, width, indices, sums;
};
} // namespace

/// Stores `count` products for slots from `first` on to `sums`; a table whose columns lie side by side.
static void samplePlain(VectorBuilder &b, const Sampling &at, Value first, Value count) {
  b.loop(b.integer(0), count, 1, [&](Value lane) {
    Value index = b.extend(b.loadIntScalar(b.at(at.indices, b.add(first, lane))));
    Value dot = b.ifElse(
        isUsed(b, index, at.table.rows), b.f32(),
        [&] { return Values{dotPlain(b, at.x, b.at(at.table.pointer, b.mul(index, at.table.row)), at.width)}; },
        [&] { return Values{b.scalar(0)}; })[0];
    b.storeScalar(dot, b.at(at.sums, lane));
  });
}

/// As samplePlain; a row of the stored matrix holds one element of every table row.
static void sampleTransposed(VectorBuilder &b, const Sampling &at, Value first, Value count) {
  Value mask = b.mask(count), index = b.loadInts(b.at(at.indices, first), mask);
  Value used = b.both(mask, isUsed(b, index, b.broadcast(b.truncate(at.table.rows))));
  Value wide = arith::ExtSIOp::create(b.op, VectorType::get({b.lanes()}, b.i64()), index);
  Value offsets = b.mul(wide, b.broadcast(at.table.row));
  b.store(b.loop(b.integer(0), at.width, 1, b.splat(0), [&](Value c, llvm::ArrayRef<Value> before) {
    Value column = b.gather(b.f32(), b.at(at.table.pointer, b.mul(c, at.table.column)), offsets, used);
    return Values{b.fma(b.loadBroadcast(b.at(at.x, c)), column, before[0])};
  })[0], at.sums);
}

KernelInfo emitSampled(ModuleOp module, llvm::StringRef name, const Level &level, const EpilogueSpec &spec, bool listed) {
  using S = SampledSlots;
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  Slots slot{b, kernel};
  TileSlots tile(S::TileCount, spec);
  auto extras = tile.loadExtras(b, kernel), outputs = tile.loadOutputs(b, kernel);
  Table table = tableAt(slot, S::Table, S::TableRow, S::TableColumn, S::TableRows);
  Value k = slot.integer(S::K), rows = slot.integer(S::Rows), isPlain = b.equal(table.column, b.integer(1));
  Value indices = slot.pointer(S::Indices), rowList = listed ? slot.pointer(S::RowList) : Value(), sums = kernel.scratch;
  // Listed slots of no row stand before the first and behind the last one.
  auto finishUnused = [&](Value begin, Value end) {
    b.loop(begin, end, b.lanes(), [&](Value s) {
      b.store(b.splat(0), sums);
      emitEpilogue(b, spec, extras, outputs, {sums, 0, b.integer(0), b.integer(1), s, b.min(b.sub(end, s), b.integer(b.lanes()))});
    });
  };
  auto emitRow = [&](Value row) {
    Sampling at{table, b.at(slot.pointer(S::X), b.mul(row, slot.integer(S::XRow))), slot.integer(S::Width), indices, sums};
    // Where slot s stands in the result: entries in their rows as [row][s - begin], listed ones as [0][s].
    RowSlots entries = slotsOf(b, rowList, row, k);
    Value resultRow = listed ? b.integer(0) : row, offset = listed ? b.integer(0) : entries.begin;
    auto finish = [&](Value s, Value count) {
      emitEpilogue(b, spec, extras, outputs, {sums, 0, resultRow, b.integer(1), b.sub(s, offset), count});
    };
    b.loop(entries.begin, entries.end, b.lanes(), [&](Value s) {
      Value count = b.min(b.sub(entries.end, s), b.integer(b.lanes()));
      b.ifElse(isPlain, [&] { samplePlain(b, at, s, count); }, [&] { sampleTransposed(b, at, s, count); });
      finish(s, count);
    });
  };
  forRows(b, kernel, b.integer(kRows), rows, [&](Value row) {
    if (!listed)
      return emitRow(row);
    Value last = b.add(rows, -1);
    b.ifElse(
        b.less(row, last), [&] { emitRow(row); },
        [&] {
          finishUnused(b.integer(0), lowerBound(b, rowList, k, b.integer(0)));
          finishUnused(lowerBound(b, rowList, k, last), k);
        });
  });
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{S::Rows, kRows}};
  info.slotCount = tile.count();
  info.scratchBytes = 4 * b.lanes();
  return info;
}

} // namespace nacre::cpu
