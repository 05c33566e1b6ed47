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

KernelInfo emitPlace(ModuleOp module, llvm::StringRef name, const Level &level) {
  using S = PlaceSlots;
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  Slots slot{b, kernel};
  Value k = slot.integer(S::K), columns = slot.integer(S::Columns);
  forRows(b, kernel, slot.integer(S::RowGrain), slot.integer(S::Rows), [&](Value row) {
    Value values = b.at(slot.pointer(S::Values), b.mul(row, k)), indices = b.at(slot.pointer(S::Indices), b.mul(row, k));
    Value out = b.at(slot.pointer(S::Output), b.mul(row, slot.integer(S::OutputRow)));
    b.loop(b.integer(0), columns, b.lanes(), [&](Value j) { b.store(b.splat(0), b.at(out, j), b.mask(b.sub(columns, j))); });
    b.loop(b.integer(0), k, 1, [&](Value j) {
      Value index = b.extend(b.loadIntScalar(b.at(indices, j)));
      b.ifThen(isUsed(b, index, columns), [&] {
        Value place = b.at(out, index);
        b.storeScalar(b.addf(b.loadScalar(place), b.loadScalar(b.at(values, j))), place);
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
  Value values, indices, count;
};
} // namespace

/// Stores to `target` the gathered sums of `chunk` vectors of columns from `column` on; `reach` says how many columns there are.
static void gatherChunk(VectorBuilder &b, const Table &table, bool isPlain, const Row &row, Value column, Value reach, int64_t chunk,
                        Value target) {
  Values masks;
  for (int64_t v = 0; v < chunk; ++v)
    masks.push_back(b.mask(b.add(reach, -v * b.lanes())));
  Values sums = b.loop(b.integer(0), row.count, 1, Values(chunk, b.splat(0)), [&](Value j, llvm::ArrayRef<Value> before) {
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

KernelInfo emitGatherSum(ModuleOp module, llvm::StringRef name, const Level &level, const EpilogueSpec &spec) {
  using S = GatherSumSlots;
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  Slots slot{b, kernel};
  TileSlots tile(S::TileCount, spec);
  auto extras = tile.loadExtras(b, kernel), outputs = tile.loadOutputs(b, kernel);
  Table table = tableAt(slot, S::Table, S::TableRow, S::TableColumn, S::TableRows);
  Value width = slot.integer(S::Width), k = slot.integer(S::K), isPlain = b.equal(table.column, b.integer(1));
  const int64_t columns = kChunk * b.lanes();
  Value blocks = b.ceilDiv(width, kTaskColumns), sums = kernel.scratch;
  b.loop(kernel.begin, kernel.end, 1, [&](Value task) {
    Value first = b.mul(b.div(task, blocks), kRows), end = b.min(b.add(first, kRows), slot.integer(S::Rows));
    Value left = b.mul(b.rem(task, blocks), kTaskColumns), right = b.min(b.add(left, kTaskColumns), width);
    b.loop(first, end, 1, [&](Value row) {
      Row entries{b.at(slot.pointer(S::Values), b.mul(row, k)), b.at(slot.pointer(S::Indices), b.mul(row, k)), k};
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

KernelInfo emitSampled(ModuleOp module, llvm::StringRef name, const Level &level, const EpilogueSpec &spec) {
  using S = SampledSlots;
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  Slots slot{b, kernel};
  TileSlots tile(S::TileCount, spec);
  auto extras = tile.loadExtras(b, kernel), outputs = tile.loadOutputs(b, kernel);
  Table table = tableAt(slot, S::Table, S::TableRow, S::TableColumn, S::TableRows);
  Value width = slot.integer(S::Width), k = slot.integer(S::K), isPlain = b.equal(table.column, b.integer(1));
  Value rows = b.broadcast(b.truncate(table.rows)), sums = kernel.scratch;
  forRows(b, kernel, b.integer(kRows), slot.integer(S::Rows), [&](Value row) {
    Value x = b.at(slot.pointer(S::X), b.mul(row, slot.integer(S::XRow))), indices = b.at(slot.pointer(S::Indices), b.mul(row, k));
    b.loop(b.integer(0), k, b.lanes(), [&](Value j) {
      Value count = b.min(b.sub(k, j), b.integer(b.lanes()));
      b.ifElse(
          isPlain,
          [&] {
            b.loop(b.integer(0), count, 1, [&](Value lane) {
              Value index = b.extend(b.loadIntScalar(b.at(indices, b.add(j, lane))));
              Value dot = b.ifElse(
                  isUsed(b, index, table.rows), b.f32(),
                  [&] { return Values{dotPlain(b, x, b.at(table.pointer, b.mul(index, table.row)), width)}; },
                  [&] { return Values{b.scalar(0)}; })[0];
              b.storeScalar(dot, b.at(sums, lane));
            });
          },
          [&] {
            // A row of the stored matrix holds one element of every table row.
            Value mask = b.mask(count), index = b.loadInts(b.at(indices, j), mask);
            Value used = b.both(mask, isUsed(b, index, rows));
            Value wide = arith::ExtSIOp::create(b.op, VectorType::get({b.lanes()}, b.i64()), index);
            Value offsets = b.mul(wide, b.broadcast(table.row));
            b.store(b.loop(b.integer(0), width, 1, b.splat(0), [&](Value c, llvm::ArrayRef<Value> before) {
              Value column = b.gather(b.f32(), b.at(table.pointer, b.mul(c, table.column)), offsets, used);
              return Values{b.fma(b.loadBroadcast(b.at(x, c)), column, before[0])};
            })[0], sums);
          });
      emitEpilogue(b, spec, extras, outputs, {sums, 0, row, b.integer(1), j, count});
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
