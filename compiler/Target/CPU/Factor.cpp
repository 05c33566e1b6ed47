// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Factor.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace nacre::cpu {

static constexpr int64_t kColumns = 64; // right sides of a task

/// Calls `body` with every column block of [first, end) and its mask.
static void forColumns(VectorBuilder &b, Value first, Value end, llvm::function_ref<void(Value, Value)> body) {
  b.loop(first, end, b.lanes(), [&](Value column) { body(column, b.mask(b.sub(end, column))); });
}

namespace {
/// One matrix at a time: where its input and output rows begin.
struct Matrices {
  VectorBuilder &b;
  Value slots, input, output, size, inputRow, outputRow;

  Matrices(VectorBuilder &b, Value slots, Value batch) : b(b), slots(slots) {
    auto slot = [&](int64_t index) { return b.slotInteger(slots, index); };
    input = b.at(b.slotPointer(slots, FactorSlots::Input), b.mul(batch, slot(FactorSlots::InputBatch)));
    output = b.at(b.slotPointer(slots, FactorSlots::Output), b.mul(batch, slot(FactorSlots::OutputBatch)));
    size = slot(FactorSlots::Size);
    inputRow = slot(FactorSlots::InputRow);
    outputRow = slot(FactorSlots::OutputRow);
  }
  Value from(Value row) { return b.at(input, b.mul(row, inputRow)); }
  Value to(Value row) { return b.at(output, b.mul(row, outputRow)); }
};
} // namespace

/// The row from k on with the largest |column k|, the first among equals.
static Value pivotRow(VectorBuilder &b, Matrices &m, Value k) {
  Value start = math::AbsFOp::create(b.op, b.loadScalar(b.at(m.to(k), k)));
  Values best = b.loop(b.add(k, 1), m.size, 1, {start, k}, [&](Value row, llvm::ArrayRef<Value> so) {
    Value size = math::AbsFOp::create(b.op, b.loadScalar(b.at(m.to(row), k)));
    Value larger = b.compareFloat(arith::CmpFPredicate::OGT, size, so[0]);
    return Values{b.select(larger, size, so[0]), b.select(larger, row, so[1])};
  });
  return best[1];
}

static void swapRows(VectorBuilder &b, Matrices &m, Value order, Value i, Value j) {
  Value one = m.to(i), other = m.to(j);
  forColumns(b, b.integer(0), m.size, [&](Value column, Value mask) {
    Value x = b.load(b.at(one, column), mask), y = b.load(b.at(other, column), mask);
    b.store(y, b.at(one, column), mask);
    b.store(x, b.at(other, column), mask);
  });
  Value x = b.loadIntScalar(b.at(order, i)), y = b.loadIntScalar(b.at(order, j));
  b.storeScalar(y, b.at(order, i));
  b.storeScalar(x, b.at(order, j));
}

/// row -= row[k] / pivot[k] * pivot beyond k; the factor stays at place k.
static void eliminateRow(VectorBuilder &b, Matrices &m, Value k, Value row) {
  Value pivot = m.to(k), line = m.to(row);
  Value factor = b.divf(b.loadScalar(b.at(line, k)), b.loadScalar(b.at(pivot, k)));
  b.storeScalar(factor, b.at(line, k));
  Value minus = b.broadcast(b.negf(factor));
  forColumns(b, b.add(k, 1), m.size, [&](Value column, Value mask) {
    Value place = b.at(line, column);
    b.store(b.fma(minus, b.load(b.at(pivot, column), mask), b.load(place, mask)), place, mask);
  });
}

static KernelInfo factorInfo(const Kernel &target) {
  KernelInfo info;
  info.function = target.function;
  info.tasks = {{FactorSlots::Batch, 1}};
  info.slotCount = FactorSlots::SlotCount;
  return info;
}

KernelInfo emitLu(ModuleOp module, llvm::StringRef name, const Level &level) {
  auto [target, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  b.loop(target.begin, target.end, 1, [&, slots = target.slots](Value batch) {
    Matrices m(b, slots, batch);
    Value order = b.at(b.slotPointer(slots, FactorSlots::Order), b.mul(batch, b.slotInteger(slots, FactorSlots::OrderBatch)));
    b.loop(b.integer(0), m.size, 1, [&](Value row) {
      b.storeScalar(b.truncate(row), b.at(order, row));
      Value from = m.from(row), to = m.to(row);
      forColumns(b, b.integer(0), m.size, [&](Value column, Value mask) { b.store(b.load(b.at(from, column), mask), b.at(to, column), mask); });
    });
    b.loop(b.integer(0), m.size, 1, [&](Value k) {
      swapRows(b, m, order, k, pivotRow(b, m, k));
      b.loop(b.add(k, 1), m.size, 1, [&](Value row) { eliminateRow(b, m, k, row); });
    });
  });
  return factorInfo(target);
}

/// sum over k < count of x[k] * y[k].
static Value dot(VectorBuilder &b, Value x, Value y, Value count) {
  Values sum = b.loop(b.integer(0), count, b.lanes(), {b.splat(0)}, [&](Value k, llvm::ArrayRef<Value> so) {
    Value mask = b.mask(b.sub(count, k));
    return Values{b.fma(b.load(b.at(x, k), mask), b.load(b.at(y, k), mask), so[0])};
  });
  return b.sum(sum[0]);
}

KernelInfo emitCholesky(ModuleOp module, llvm::StringRef name, const Level &level) {
  auto [target, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  b.loop(target.begin, target.end, 1, [&, slots = target.slots](Value batch) {
    Matrices m(b, slots, batch);
    b.loop(b.integer(0), m.size, 1, [&](Value i) {
      Value row = m.to(i), from = m.from(i);
      b.loop(b.integer(0), i, 1, [&](Value j) {
        Value other = m.to(j);
        Value rest = b.subf(b.loadScalar(b.at(from, j)), dot(b, row, other, j));
        b.storeScalar(b.divf(rest, b.loadScalar(b.at(other, j))), b.at(row, j));
      });
      Value square = b.subf(b.loadScalar(b.at(from, i)), dot(b, row, row, i));
      b.storeScalar(b.sqrt(square), b.at(row, i));
      forColumns(b, b.add(i, 1), m.size, [&](Value column, Value mask) { b.store(b.splat(0), b.at(row, column), mask); });
    });
  });
  return factorInfo(target);
}

/// One vector of columns: x_i = (b_i - sum of t_ik x_k) / t_ii, rows from the first or from the last on.
static void substituteColumns(VectorBuilder &b, SubstituteSpec spec, Value slots, Value batch, Value column, Value mask) {
  using S = SubstituteSlots;
  auto slot = [&](int64_t index) { return b.slotInteger(slots, index); };
  auto start = [&](int64_t pointer, int64_t stride) { return b.at(b.slotPointer(slots, pointer), b.mul(batch, slot(stride))); };
  Value matrix = start(S::Matrix, S::MatrixBatch), side = b.at(start(S::Side, S::SideBatch), column);
  Value output = b.at(start(S::Output, S::OutputBatch), column), size = slot(S::Size);
  Value matrixRow = slot(S::MatrixRow), sideRow = slot(S::SideRow), outputRow = slot(S::OutputRow);
  Value order = spec.ordered ? start(S::Order, S::OrderBatch) : Value();
  b.loop(b.integer(0), size, 1, [&](Value step) {
    Value i = spec.lower ? step : b.sub(b.sub(size, b.integer(1)), step);
    Value read = spec.ordered ? b.extend(b.loadIntScalar(b.at(order, i))) : i;
    Value line = b.at(matrix, b.mul(i, matrixRow));
    Value first = spec.lower ? b.integer(0) : b.add(i, 1), end = spec.lower ? i : size;
    Values left = b.loop(first, end, 1, {b.load(b.at(side, b.mul(read, sideRow)), mask)}, [&](Value k, llvm::ArrayRef<Value> so) {
      Value factor = b.broadcast(b.negf(b.loadScalar(b.at(line, k))));
      return Values{b.fma(factor, b.load(b.at(output, b.mul(k, outputRow)), mask), so[0])};
    });
    Value x = spec.unit ? left[0] : b.divf(left[0], b.loadBroadcast(b.at(line, i)));
    b.store(x, b.at(output, b.mul(i, outputRow)), mask);
  });
}

KernelInfo emitSubstitute(ModuleOp module, llvm::StringRef name, const Level &level, SubstituteSpec spec) {
  auto [target, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  Value columns = b.slotInteger(target.slots, SubstituteSlots::Columns), blocks = b.ceilDiv(columns, kColumns);
  b.loop(target.begin, target.end, 1, [&, slots = target.slots](Value task) {
    Value batch = b.div(task, blocks), first = b.mul(b.rem(task, blocks), kColumns);
    forColumns(b, first, b.min(b.add(first, kColumns), columns),
               [&](Value column, Value mask) { substituteColumns(b, spec, slots, batch, column, mask); });
  });
  KernelInfo info;
  info.function = target.function;
  info.tasks = {{SubstituteSlots::Batch, 1}, {SubstituteSlots::Columns, kColumns}};
  info.slotCount = SubstituteSlots::SlotCount;
  return info;
}

} // namespace nacre::cpu
