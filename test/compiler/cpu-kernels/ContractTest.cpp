// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The contraction kernel against naive f64 loops: every tile and block remainder, all layouts, batches, epilogues and
// checkpoints. Operands hold small integers, so that results must be equal; arrays end at unreadable memory.
#include "compiler/Target/CPU/Contract.h"
#include "test/compiler/cpu-kernels/GuardedArray.h"
#include "test/compiler/cpu-kernels/KernelLoader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

using namespace nacre::cpu;
using Slot = ContractSlots;

namespace {

constexpr float untouched = 12345.5f; // fills outputs: what lies between rows must stay

struct Shape {
  int64_t rows, columns, depth;
  bool transposedA = false, transposedB = false;
  int64_t outer = 1, inner = 1;
  int64_t spread = 1; // elements of A lie so far apart
};

struct Problem {
  explicit Problem(const Shape &shape)
      : shape(shape), batch(shape.outer * shape.inner), aStride(((shape.transposedA ? shape.rows : shape.depth) + 2) * shape.spread),
        bStride((shape.transposedB ? shape.depth : shape.columns) + 1),
        aSize(aStride * (shape.transposedA ? shape.depth : shape.rows)),
        bSize(bStride * (shape.transposedB ? shape.columns : shape.depth)), a(std::max<int64_t>(batch * aSize - 2 * shape.spread, 0)),
        b(std::max<int64_t>(batch * bSize - 1, 0)) {
    fillIntegers(a, 1);
    fillIntegers(b, 2);
  }
  double elementA(int64_t m, int64_t i, int64_t k) const {
    return a[m * aSize + (shape.transposedA ? k * aStride + i * shape.spread : i * aStride + k * shape.spread)];
  }
  double elementB(int64_t m, int64_t k, int64_t j) const {
    return b[m * bSize + (shape.transposedB ? j * bStride + k : k * bStride + j)];
  }
  double sum(int64_t m, int64_t i, int64_t j, int64_t depth) const {
    double result = 0;
    for (int64_t k = 0; k < depth; ++k)
      result += elementA(m, i, k) * elementB(m, k, j);
    return result;
  }
  void fill(Launch &launch) {
    launch.set(Slot::A, a.data()), launch.set(Slot::B, b.data());
    launch.set(Slot::Rows, shape.rows), launch.set(Slot::Columns, shape.columns), launch.set(Slot::Depth, shape.depth);
    launch.set(Slot::ARow, shape.transposedA ? shape.spread : aStride);
    launch.set(Slot::AStep, shape.transposedA ? aStride : shape.spread);
    launch.set(Slot::BStep, shape.transposedB ? 1 : bStride), launch.set(Slot::BColumn, shape.transposedB ? bStride : 1);
    launch.set(Slot::Batch, batch), launch.set(Slot::BatchInner, shape.inner);
    launch.set(Slot::AOuter, shape.inner * aSize), launch.set(Slot::AInner, aSize);
    launch.set(Slot::BOuter, shape.inner * bSize), launch.set(Slot::BInner, bSize);
  }
  Shape shape;
  int64_t batch, aStride, bStride, aSize, bSize;
  GuardedArray<float> a, b;
};

ContractSpec plainSpec() {
  ContractSpec spec;
  spec.epilogue = [](VectorBuilder &, Value sum, llvm::ArrayRef<Value>) { return Values{sum}; };
  return spec;
}

/// Every block is small, so that small shapes have many of each.
ContractSpec blockedSpec() {
  ContractSpec spec = plainSpec();
  spec.schedule = {20, 2, 24, 4, 10};
  return spec;
}

ContractSpec checkpointSpec() {
  ContractSpec spec = blockedSpec();
  spec.checkpoints = true;
  return spec;
}

/// (sum + bias) * scale - residual, and the sum where an integer is positive.
ContractSpec epilogueSpec() {
  ContractSpec spec;
  spec.extras = {Element::F32, Element::F32, Element::F32, Element::I32};
  spec.outputs = 2;
  spec.epilogue = [](VectorBuilder &b, Value sum, llvm::ArrayRef<Value> e) {
    Value first = b.subf(b.mulf(b.addf(sum, e[0]), e[1]), e[2]);
    Value positive = b.compare(mlir::arith::CmpIPredicate::sgt, e[3], b.splatInteger(0));
    return Values{first, b.select(positive, sum, b.splat(0))};
  };
  return spec;
}

/// Keeps the k best of sum + bias. Small blocks, so that small shapes have many of each.
ContractSpec foldSpec(int64_t k, SelectSpec select) {
  ContractSpec spec;
  spec.extras = {Element::F32};
  spec.epilogue = [](VectorBuilder &b, Value sum, llvm::ArrayRef<Value> extras) { return Values{b.addf(sum, extras[0])}; };
  spec.schedule = {20, 2, 24, 4, 10};
  spec.fold = FoldSpec{FoldSpec::Best, k, select};
  return spec;
}

const std::map<std::string, ContractSpec> &specs() {
  static const std::map<std::string, ContractSpec> all = {
      {"plain", plainSpec()}, {"blocked", blockedSpec()}, {"checkpoint", checkpointSpec()}, {"epilogue", epilogueSpec()},
      {"best", foldSpec(1, {false, true})}, {"best_index", foldSpec(1, {false, false})}, {"best_abs", foldSpec(1, {true, true})},
      {"few", foldSpec(5, {false, false})}, {"few_rank", foldSpec(5, {false, true})}, {"many_abs", foldSpec(70, {true, true})},
      {"many", foldSpec(70, {false, false})}};
  return all;
}

class ContractTest : public testing::TestWithParam<const char *> {
protected:
  static void SetUpTestSuite() {
    if (loader)
      return;
    loader = new KernelLoader;
    for (const Level &level : levels())
      for (const auto &[name, spec] : specs())
        infos[name + level.name.str()] = emitContract(loader->module(), name + level.name.str(), level, spec);
    loader->compile();
  }
  void SetUp() override {
    if (!machineSupports(GetParam()))
      GTEST_SKIP() << "this machine lacks the level";
  }
  Launch launch(const std::string &name) { return Launch(infos[name + GetParam()], loader->find(name + GetParam())); }

  /// The product as the kernel `name` computes it, [batch][rows][columns + 3].
  std::vector<float> multiply(const std::string &name, Problem &problem, int64_t grain, bool backwards = false) {
    const Shape &shape = problem.shape;
    const int64_t row = shape.columns + 3, matrix = shape.rows * row;
    GuardedArray<float> out(problem.batch * matrix - 3, untouched);
    Launch call = launch(name);
    ContractSlots slots(specs().at(name));
    problem.fill(call);
    call.set(slots.output(0, Slot::OutputPointer), out.data()), call.set(slots.output(0, Slot::OutputRow), row);
    call.set(slots.output(0, Slot::OutputOuter), shape.inner * matrix), call.set(slots.output(0, Slot::OutputInner), matrix);
    call.run(grain, backwards);
    return std::vector<float>(out.data(), out.data() + out.size());
  }

  void checkProduct(const std::string &name, const Shape &shape) {
    Problem problem(shape);
    const std::vector<float> out = multiply(name, problem, 3);
    const int64_t row = shape.columns + 3;
    for (int64_t m = 0; m < problem.batch; ++m)
      for (int64_t i = 0; i < shape.rows; ++i)
        for (int64_t j = 0; j < row; ++j) {
          const size_t at = (m * shape.rows + i) * row + j;
          if (at >= out.size())
            continue;
          const double expected = j < shape.columns ? problem.sum(m, i, j, shape.depth) : untouched;
          ASSERT_EQ(out[at], expected) << name << " " << shape.rows << "x" << shape.columns << "x" << shape.depth << " A"
                                       << shape.transposedA << " B" << shape.transposedB << " at " << m << "," << i << "," << j;
        }
  }

  static KernelLoader *loader;
  static std::map<std::string, KernelInfo> infos;
};
KernelLoader *ContractTest::loader = nullptr;
std::map<std::string, KernelInfo> ContractTest::infos;

TEST_P(ContractTest, EveryRemainderOfRows) {
  for (int64_t rows = 1; rows <= 20; ++rows)
    for (bool transposedB : {false, true})
      for (const char *name : {"plain", "blocked"})
        checkProduct(name, {rows, 50, 30, false, transposedB});
  for (int64_t rows : {33, 34, 35, 100, 257})
    checkProduct("plain", {rows, 50, 30});
}

TEST_P(ContractTest, EveryRemainderOfColumnsAndDepth) {
  for (int64_t columns : {1, 7, 15, 16, 17, 24, 31, 33, 47, 48, 49, 95, 97, 300})
    for (int64_t depth : {1, 7, 33})
      for (bool transposedB : {false, true})
        for (const char *name : {"plain", "blocked"})
          checkProduct(name, {9, columns, depth, false, transposedB});
  for (int64_t depth : {24, 25, 48, 300, 511, 512, 513})
    for (bool transposedB : {false, true})
      checkProduct("plain", {19, 49, depth, true, transposedB});
}

TEST_P(ContractTest, AnyLayoutAndBatch) {
  for (bool transposedA : {false, true})
    for (bool transposedB : {false, true})
      for (const char *name : {"plain", "blocked"}) {
        checkProduct(name, {37, 100, 61, transposedA, transposedB});
        checkProduct(name, {5, 17, 9, transposedA, transposedB, 2, 3});
        checkProduct(name, {21, 50, 33, transposedA, transposedB, 3, 1});
        checkProduct(name, {40, 120, 33, transposedA, transposedB, 1, 1, 3});
      }
}

TEST_P(ContractTest, EmptyExtents) {
  checkProduct("plain", {4, 5, 0}); // a sum over nothing is 0
  for (const Shape &shape : {Shape{0, 5, 3}, Shape{4, 0, 3}}) {
    Problem problem(Shape{4, 5, 3});
    Launch call = launch("plain");
    problem.fill(call);
    call.set(Slot::Rows, shape.rows), call.set(Slot::Columns, shape.columns);
    EXPECT_EQ(call.tasks(), 0);
  }
}

TEST_P(ContractTest, EpilogueReadsRowsColumnsAndScalars) {
  for (int64_t rows : {3, 8, 40})
    for (int64_t columns : {1, 16, 53, 96}) {
      Problem problem({rows, columns, 11});
      GuardedArray<float> bias(columns), scale(rows), residual(rows * columns), one(rows * columns), two(rows * columns);
      GuardedArray<int32_t> choice(1, columns % 2 ? 1 : -1);
      fillIntegers(bias, 3), fillIntegers(scale, 4), fillIntegers(residual, 5);
      Launch call = launch("epilogue");
      ContractSlots slots(specs().at("epilogue"));
      problem.fill(call);
      auto extra = [&](int64_t i, const void *pointer, int64_t row, int64_t column) {
        call.set(slots.extra(i, Slot::ExtraPointer), pointer), call.set(slots.extra(i, Slot::ExtraRow), row);
        call.set(slots.extra(i, Slot::ExtraColumn), column);
      };
      extra(0, bias.data(), 0, 1), extra(1, scale.data(), 1, 0), extra(2, residual.data(), columns, 1), extra(3, choice.data(), 0, 0);
      GuardedArray<float> *outputs[] = {&one, &two};
      for (int64_t i : {0, 1})
        call.set(slots.output(i, Slot::OutputPointer), outputs[i]->data()), call.set(slots.output(i, Slot::OutputRow), columns);
      call.run();
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j) {
          const double sum = problem.sum(0, i, j, 11);
          ASSERT_EQ(one[i * columns + j], (sum + bias[j]) * scale[i] - residual[i * columns + j]) << i << "," << j;
          ASSERT_EQ(two[i * columns + j], choice[0] > 0 ? sum : 0) << i << "," << j;
        }
    }
}

TEST_P(ContractTest, CheckpointsAreThePrefixes) {
  const std::vector<int64_t> list = {4, 8, 8, 30, 61};
  for (int64_t rows : {1, 9, 45}) {
    Problem problem({rows, 70, 61});
    const int64_t size = rows * 70;
    GuardedArray<float> out(size * list.size(), untouched);
    Launch call = launch("checkpoint");
    ContractSlots slots(specs().at("checkpoint"));
    problem.fill(call);
    call.set(slots.output(0, Slot::OutputPointer), out.data()), call.set(slots.output(0, Slot::OutputRow), 70);
    call.set(slots.output(0, Slot::OutputCheckpoint), size);
    call.set(slots.checkpointCount(), static_cast<int64_t>(list.size())), call.set(slots.checkpointList(), list.data());
    call.run(1);
    for (size_t c = 0; c < list.size(); ++c)
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < 70; ++j)
          ASSERT_EQ(out[c * size + i * 70 + j], problem.sum(0, i, j, list[c])) << c << " " << i << "," << j;
  }
}

/// Positions of the k best of a row, as select does it: best first, or by index without zeros.
std::vector<int64_t> choose(const std::vector<double> &row, const FoldSpec &fold) {
  auto key = [&](int64_t i) { return fold.select.byMagnitude ? std::fabs(row[i]) : row[i]; };
  std::vector<int64_t> order(row.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) { return key(i) > key(j); });
  order.resize(std::min<size_t>(order.size(), fold.k));
  if (!fold.select.rank) {
    std::sort(order.begin(), order.end());
    order.erase(std::remove_if(order.begin(), order.end(), [&](int64_t i) { return row[i] == 0; }), order.end());
  }
  return order;
}

TEST_P(ContractTest, FoldsKeepWhatASelectionWouldKeep) {
  for (const auto &[name, spec] : specs())
    for (int64_t rows : {1, 9, 50})
      for (int64_t columns : {0, 1, 16, 47, 48, 97, 400, 1500}) {
        if (!spec.fold)
          continue;
        const int64_t k = spec.fold->k;
        Problem problem({rows, columns, columns > 100 ? 3 : 30}); // few products of small integers: many ties
        GuardedArray<float> bias(columns), values(rows * k, 99);
        GuardedArray<int32_t> indices(rows * k, 99);
        fillIntegers(bias, 3);
        Launch call = launch(name);
        ContractSlots slots(spec);
        problem.fill(call);
        call.set(slots.extra(0, Slot::ExtraPointer), bias.data()), call.set(slots.extra(0, Slot::ExtraColumn), 1);
        call.set(slots.output(0, Slot::OutputPointer), values.data()), call.set(slots.output(0, Slot::OutputRow), k);
        call.set(slots.output(1, Slot::OutputPointer), indices.data()), call.set(slots.output(1, Slot::OutputRow), k);
        call.set(slots.taskRows(), rows == 9 ? 4 : spec.schedule.rows); // a task may have fewer rows than there is room for
        call.run(1, true);
        for (int64_t i = 0; i < rows; ++i) {
          std::vector<double> row(columns);
          for (int64_t j = 0; j < columns; ++j)
            row[j] = problem.sum(0, i, j, problem.shape.depth) + bias[j];
          const std::vector<int64_t> want = choose(row, *spec.fold);
          for (int64_t j = 0; j < k; ++j) {
            const bool used = j < static_cast<int64_t>(want.size());
            ASSERT_EQ(indices[i * k + j], used ? want[j] : columns) << name << " " << rows << "x" << columns << " row " << i << " slot " << j;
            ASSERT_EQ(values[i * k + j], used ? row[want[j]] : 0) << name << " " << rows << "x" << columns << " row " << i << " slot " << j;
          }
        }
      }
}

TEST_P(ContractTest, BitsDependOnNeitherTasksNorRowsNorBlocks) {
  Problem problem({70, 130, 333});
  fillReals(problem.a, 1), fillReals(problem.b, 2);
  const std::vector<float> whole = multiply("plain", problem, INT64_MAX);
  EXPECT_EQ(whole, multiply("plain", problem, 1, true));
  EXPECT_EQ(whole, multiply("blocked", problem, 1));
  EXPECT_EQ(whole, multiply("blocked", problem, 5, true));
  for (int64_t rows : {1, 2, 6, 7, 9, 10, 33}) {
    problem.shape.rows = rows;
    const std::vector<float> part = multiply("plain", problem, 1);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin())) << rows;
  }
}

TEST_P(ContractTest, RealValuesStayWithinTheRoundingOfOneSum) {
  Problem problem({33, 50, 700});
  fillReals(problem.a, 1), fillReals(problem.b, 2);
  const std::vector<float> out = multiply("plain", problem, 1);
  for (int64_t i = 0; i < 33; ++i)
    for (int64_t j = 0; j < 50; ++j)
      ASSERT_NEAR(out[i * 53 + j], problem.sum(0, i, j, 700), 6e-8 * 700 * 60); // half an ulp of a partial sum below 60, k times
}

INSTANTIATE_TEST_SUITE_P(Levels, ContractTest, testing::Values("v3", "v4"), [](const auto &info) { return info.param; });

} // namespace
