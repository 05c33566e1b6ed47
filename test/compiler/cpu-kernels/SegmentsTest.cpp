// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums by index against naive loops: segments that are empty, long or the only one, widths around vectors and chunks, results by rows
// and by columns, an update as epilogue. Integers where results must be equal, reals where bits must not depend on the tasks.
#include "compiler/Target/CPU/Segments.h"
#include "test/compiler/cpu-kernels/GuardedArray.h"
#include "test/compiler/cpu-kernels/LevelTest.h"

using namespace nacre::cpu;
using O = SegmentOrderSlots;
using S = SegmentSlots;

namespace {

SegmentSpec plainSpec(bool transposed) {
  SegmentSpec spec;
  spec.transposed = transposed;
  spec.epilogue = [](VectorBuilder &, Value sum, llvm::ArrayRef<Value>) { return Values{sum}; };
  return spec;
}

/// w - 2 * sum, and the sum times a factor of the segment.
SegmentSpec updateSpec(bool transposed) {
  SegmentSpec spec = plainSpec(transposed);
  spec.extras = {Element::F32, Element::F32};
  spec.outputs = 2;
  spec.epilogue = [](VectorBuilder &b, Value sum, llvm::ArrayRef<Value> e) {
    return Values{b.subf(e[0], b.mulf(b.splat(2), sum)), b.mulf(sum, e[1])};
  };
  return spec;
}

struct Problem {
  Problem(int64_t rows, int64_t k, int64_t segments, int64_t width)
      : rows(rows), k(k), segments(segments), width(width), values(rows * k), x(rows * width), indices(rows * k), order(rows * k, -5),
        entryRows(rows * k, -5), ends(segments + 1, -5) {
    fillIntegers(values, 1), fillIntegers(x, 2);
    const int32_t outside[] = {-1, static_cast<int32_t>(segments), INT32_MAX, INT32_MIN};
    for (int64_t e = 0; e < rows * k; ++e) // a skewed choice: low indices often
      indices[e] = e % 5 == 2 ? outside[e % 4] : static_cast<int32_t>(e * e % 101 % segments);
  }
  bool isUsed(int64_t e) const { return indices[e] >= 0 && indices[e] < segments; }
  int64_t rows, k, segments, width;
  GuardedArray<float> values, x;
  GuardedArray<int32_t> indices, order, entryRows, ends;
};

class SegmentsTest : public LevelTest {
protected:
  static LevelKernels &kernels() {
    static LevelKernels all([] {
      std::map<std::string, KernelMaker> makers = {
          {"order", [](auto module, auto name, auto &level) { return emitSegmentOrder(module, name, level); }},
          {"order_listed", [](auto module, auto name, auto &level) { return emitSegmentOrder(module, name, level, true); }},
          {"sum", emitSegmentSum}};
      for (bool transposed : {false, true})
        for (bool update : {false, true})
          makers[nameOf(transposed, update)] = [=](auto module, auto name, auto &level) {
            return emitSegment(module, name, level, specOf(transposed, update));
          };
      return makers;
    }());
    return all;
  }
  static std::string nameOf(bool transposed, bool update) {
    return std::string(update ? "update" : "plain") + (transposed ? "_transposed" : "");
  }
  static SegmentSpec specOf(bool transposed, bool update) { return update ? updateSpec(transposed) : plainSpec(transposed); }
  Launch launch(const std::string &name) { return kernels().launch(name + GetParam()); }

  void sort(Problem &p) {
    Launch call = launch("order");
    call.set(O::Indices, p.indices.data()), call.set(O::Order, p.order.data()), call.set(O::EntryRows, p.entryRows.data());
    call.set(O::Ends, p.ends.data()), call.set(O::Rows, p.rows), call.set(O::K, p.k), call.set(O::Segments, p.segments), call.set(O::One, 1);
    call.run();
  }
  void fill(Launch &call, Problem &p) {
    call.set(S::Values, p.values.data()), call.set(S::Order, p.order.data()), call.set(S::EntryRows, p.entryRows.data());
    call.set(S::Ends, p.ends.data()), call.set(S::X, p.x.data()), call.set(S::XRow, p.width);
    call.set(S::Segments, p.segments), call.set(S::Width, p.width);
  }
  std::vector<double> sums(const Problem &p) {
    std::vector<double> result(p.segments * p.width);
    for (int64_t e = 0; e < p.rows * p.k; ++e)
      for (int64_t c = 0; c < p.width && p.isUsed(e); ++c)
        result[p.indices[e] * p.width + c] += p.values[e] * p.x[e / p.k * p.width + c];
    return result;
  }
};

TEST_P(SegmentsTest, OrderIsStableWithUnusedSlotsLast) {
  for (int64_t segments : {1, 7, 33}) {
    Problem p(13, 4, segments, 1);
    sort(p);
    int64_t place = 0;
    for (int64_t i = 0; i < segments; ++i) {
      for (int64_t e = 0; e < 13 * 4; ++e)
        if (p.indices[e] == i) {
          ASSERT_EQ(p.order[place], e);
          ASSERT_EQ(p.entryRows[place++], e / 4);
        }
      ASSERT_EQ(p.ends[i], place);
    }
    for (int64_t e = 0; e < 13 * 4; ++e)
      if (!p.isUsed(e)) {
        ASSERT_EQ(p.order[place], e);
        ASSERT_EQ(p.entryRows[place++], e / 4);
      }
    ASSERT_EQ(p.ends[segments], 13 * 4);
  }
}

TEST_P(SegmentsTest, ListedEntriesAreOrderedWithTheirRows) {
  Problem p(13, 4, 7, 1);
  GuardedArray<int32_t> rowList(52);
  for (int64_t e = 0; e < 52; ++e)
    rowList[e] = static_cast<int32_t>(e / 3) - 1; // rows beyond 12 do not exist
  Launch call = launch("order_listed");
  call.set(O::Indices, p.indices.data()), call.set(O::Order, p.order.data()), call.set(O::EntryRows, p.entryRows.data());
  call.set(O::Ends, p.ends.data()), call.set(O::Rows, 13), call.set(O::K, 52), call.set(O::Segments, 7), call.set(O::One, 1);
  call.set(O::RowList, rowList.data());
  call.run();
  int64_t place = 0;
  for (int64_t i = 0; i < 7; ++i) {
    for (int64_t e = 0; e < 52; ++e)
      if (p.indices[e] == i && rowList[e] >= 0 && rowList[e] < 13) {
        ASSERT_EQ(p.order[place], e);
        ASSERT_EQ(p.entryRows[place++], rowList[e]);
      }
    ASSERT_EQ(p.ends[i], place);
  }
}

TEST_P(SegmentsTest, SumsOfNumbers) {
  for (int64_t segments : {1, 7, 5000}) {
    Problem p(50, 3, segments, 1);
    sort(p);
    GuardedArray<float> out(segments, 99);
    Launch call = launch("sum");
    call.set(SegmentSumSlots::Values, p.values.data()), call.set(SegmentSumSlots::Order, p.order.data());
    call.set(SegmentSumSlots::Ends, p.ends.data()), call.set(SegmentSumSlots::Output, out.data());
    call.set(SegmentSumSlots::Segments, segments);
    call.run(1, true);
    std::vector<double> want(segments);
    for (int64_t e = 0; e < 150; ++e)
      if (p.isUsed(e))
        want[p.indices[e]] += p.values[e];
    for (int64_t i = 0; i < segments; ++i)
      ASSERT_EQ(out[i], want[i]);
  }
}

TEST_P(SegmentsTest, SumsOfRowsWithAnUpdate) {
  for (int64_t segments : {1, 5, 15, 16, 17, 40})
    for (int64_t width : {1, 7, 8, 16, 17, 100, 128, 130, 600})
      for (bool transposed : {false, true})
        for (bool update : {false, true}) {
          Problem p(11, 3, segments, width);
          sort(p);
          const int64_t size = segments * width, rowStride = transposed ? segments : width;
          auto at = [&](int64_t i, int64_t c) { return transposed ? c * segments + i : i * width + c; };
          GuardedArray<float> w(size), factor(segments), one(size, 99), two(size, 99);
          fillIntegers(w, 3), fillIntegers(factor, 4);
          const SegmentSpec spec = specOf(transposed, update);
          TileSlots tile(S::TileCount, spec);
          Launch call = launch(nameOf(transposed, update));
          fill(call, p);
          if (update) {
            call.set(tile.extra(0, TileSlots::ExtraPointer), w.data()), call.set(tile.extra(0, TileSlots::ExtraRow), rowStride);
            call.set(tile.extra(0, TileSlots::ExtraColumn), 1);
            call.set(tile.extra(1, TileSlots::ExtraPointer), factor.data()), call.set(tile.extra(1, TileSlots::ExtraRow), transposed ? 0 : 1);
            call.set(tile.extra(1, TileSlots::ExtraColumn), transposed ? 1 : 0);
          }
          GuardedArray<float> *outputs[] = {&one, &two};
          for (int64_t i = 0; i < spec.outputs; ++i)
            call.set(tile.output(i, TileSlots::OutputPointer), outputs[i]->data()), call.set(tile.output(i, TileSlots::OutputRow), rowStride);
          call.run(1, true);
          const std::vector<double> want = sums(p);
          for (int64_t i = 0; i < segments; ++i)
            for (int64_t c = 0; c < width; ++c) {
              const double sum = want[i * width + c];
              ASSERT_EQ(one[at(i, c)], update ? w[at(i, c)] - 2 * sum : sum) << segments << "x" << width << " at " << i << "," << c;
              if (update) {
                ASSERT_EQ(two[at(i, c)], sum * factor[i]);
              }
            }
        }
}

TEST_P(SegmentsTest, BitsDependOnNeitherTasksNorLayout) {
  Problem p(60, 5, 70, 300);
  fillReals(p.values, 1), fillReals(p.x, 2);
  sort(p);
  auto run = [&](bool transposed, int64_t grain) {
    GuardedArray<float> out(70 * 300);
    Launch call = launch(nameOf(transposed, false));
    TileSlots tile(S::TileCount, specOf(transposed, false));
    fill(call, p);
    call.set(tile.output(0, TileSlots::OutputPointer), out.data());
    call.set(tile.output(0, TileSlots::OutputRow), transposed ? 70 : 300);
    call.run(grain, grain == 1);
    std::vector<float> byRows(70 * 300);
    for (int64_t i = 0; i < 70; ++i)
      for (int64_t c = 0; c < 300; ++c)
        byRows[i * 300 + c] = transposed ? out[c * 70 + i] : out[i * 300 + c];
    return byRows;
  };
  const std::vector<float> whole = run(false, INT64_MAX);
  EXPECT_EQ(whole, run(false, 1));
  EXPECT_EQ(whole, run(true, 1));
  EXPECT_EQ(whole, run(true, INT64_MAX));
}

NACRE_FOR_ALL_LEVELS(SegmentsTest);

} // namespace
