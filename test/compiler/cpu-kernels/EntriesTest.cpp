// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Work on entries against naive loops: widths around vectors and chunks, plain and transposed tables, unused slots, an epilogue.
// Operands hold small integers, so that results must be equal; arrays end at unreadable memory.
#include "compiler/Target/CPU/Entries.h"
#include "test/compiler/cpu-kernels/GuardedArray.h"
#include "test/compiler/cpu-kernels/LevelTest.h"

#include <algorithm>

using namespace nacre::cpu;

namespace {

EpilogueSpec plainSpec() {
  EpilogueSpec spec;
  spec.epilogue = [](VectorBuilder &, Value sum, llvm::ArrayRef<Value>) { return Values{sum}; };
  return spec;
}

/// sum + bias.
EpilogueSpec biasSpec() {
  EpilogueSpec spec;
  spec.extras = {Element::F32};
  spec.epilogue = [](VectorBuilder &b, Value sum, llvm::ArrayRef<Value> extras) { return Values{b.addf(sum, extras[0])}; };
  return spec;
}

/// Indices from 0 to `bound`, and now and then one that is out of range.
void fillIndices(GuardedArray<int32_t> &array, uint32_t seed, int64_t bound) {
  const int32_t outside[] = {-1, static_cast<int32_t>(bound), INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < array.size(); ++i)
    array[i] = i % 7 == 3 || bound == 0 ? outside[i % 4] : static_cast<int32_t>((i * 7919u + seed * 31u) % static_cast<uint64_t>(bound));
}

bool isUsed(int32_t index, int64_t bound) { return index >= 0 && index < bound; }

class EntriesTest : public LevelTest {
protected:
  static LevelKernels &kernels() {
    static LevelKernels all({
        {"take", emitTake},
        {"take_listed", emitTakeListed},
        {"place", [](auto module, auto name, auto &level) { return emitPlace(module, name, level); }},
        {"place_listed", [](auto module, auto name, auto &level) { return emitPlace(module, name, level, true); }},
        {"sum_listed", [](auto module, auto name, auto &level) { return emitGatherSum(module, name, level, plainSpec(), true); }},
        {"sampled_listed", [](auto module, auto name, auto &level) { return emitSampled(module, name, level, biasSpec(), true); }},
        {"sum", [](auto module, auto name, auto &level) { return emitGatherSum(module, name, level, plainSpec()); }},
        {"sum_bias", [](auto module, auto name, auto &level) { return emitGatherSum(module, name, level, biasSpec()); }},
        {"sampled", [](auto module, auto name, auto &level) { return emitSampled(module, name, level, plainSpec()); }},
        {"sampled_bias", [](auto module, auto name, auto &level) { return emitSampled(module, name, level, biasSpec()); }},
    });
    return all;
  }
  Launch launch(const std::string &name) { return kernels().launch(name + GetParam()); }
};

TEST_P(EntriesTest, TakeReadsUsedSlots) {
  using S = TakeSlots;
  for (int64_t columns : {0, 1, 9, 40})
    for (int64_t k : {1, 7, 16, 19})
      for (bool shared : {false, true}) {
        const int64_t rows = 5;
        GuardedArray<float> x((shared ? 1 : rows) * columns), out(rows * k, 99);
        GuardedArray<int32_t> indices(rows * k);
        fillIntegers(x, 1, 100), fillIndices(indices, 2, columns);
        Launch call = launch("take");
        call.set(S::X, x.data()), call.set(S::XRow, shared ? 0 : columns), call.set(S::Indices, indices.data());
        call.set(S::Output, out.data()), call.set(S::OutputRow, k), call.set(S::Rows, rows), call.set(S::K, k);
        call.set(S::Columns, columns), call.set(S::RowGrain, 2);
        call.run(1, true);
        for (int64_t i = 0; i < rows * k; ++i)
          ASSERT_EQ(out[i], isUsed(indices[i], columns) ? x[(shared ? 0 : i / k) * columns + indices[i]] : 0);
      }
}

TEST_P(EntriesTest, PlaceAddsUsedSlots) {
  using S = PlaceSlots;
  for (int64_t columns : {0, 1, 9, 40})
    for (int64_t k : {1, 7, 50}) {
      const int64_t rows = 5;
      GuardedArray<float> values(rows * k), out(rows * columns, 99);
      GuardedArray<int32_t> indices(rows * k);
      fillIntegers(values, 1, 100), fillIndices(indices, 2, columns);
      Launch call = launch("place");
      call.set(S::Values, values.data()), call.set(S::Indices, indices.data()), call.set(S::Output, out.data());
      call.set(S::OutputRow, columns), call.set(S::Rows, rows), call.set(S::K, k), call.set(S::Columns, columns), call.set(S::RowGrain, 3);
      call.run(1, true);
      std::vector<double> want(rows * columns);
      for (int64_t i = 0; i < rows * k; ++i)
        if (isUsed(indices[i], columns))
          want[i / k * columns + indices[i]] += values[i];
      for (int64_t i = 0; i < rows * columns; ++i)
        ASSERT_EQ(out[i], want[i]) << columns << " " << k;
    }
}

/// A table [n][d] that is stored so, or the other way round.
struct TestTable {
  TestTable(int64_t n, int64_t d, bool transposed)
      : elements(n * d), row(transposed ? 1 : d), column(transposed ? n : 1) {
    fillIntegers(elements, 5);
  }
  double at(int64_t i, int64_t c) const { return elements[i * row + c * column]; }
  GuardedArray<float> elements;
  int64_t row, column;
};

TEST_P(EntriesTest, GatheredSums) {
  using S = GatherSumSlots;
  for (int64_t d : {1, 7, 8, 16, 17, 100, 130, 513, 1100})
    for (int64_t k : {1, 5, 33})
      for (bool transposed : {false, true})
        for (bool biased : {false, true}) {
          const int64_t rows = d > 500 ? 3 : 9, n = 23;
          TestTable table(n, d, transposed);
          GuardedArray<float> values(rows * k), bias(d), out(rows * d, 99);
          GuardedArray<int32_t> indices(rows * k);
          fillIntegers(values, 1), fillIntegers(bias, 2), fillIndices(indices, 3, n);
          Launch call = launch(biased ? "sum_bias" : "sum");
          TileSlots tile(S::TileCount, biased ? biasSpec() : plainSpec());
          call.set(S::Values, values.data()), call.set(S::Indices, indices.data()), call.set(S::Table, table.elements.data());
          call.set(S::TableRow, table.row), call.set(S::TableColumn, table.column), call.set(S::TableRows, n);
          call.set(S::Rows, rows), call.set(S::K, k), call.set(S::Width, d);
          if (biased)
            call.set(tile.extra(0, TileSlots::ExtraPointer), bias.data()), call.set(tile.extra(0, TileSlots::ExtraColumn), 1);
          call.set(tile.output(0, TileSlots::OutputPointer), out.data()), call.set(tile.output(0, TileSlots::OutputRow), d);
          call.run(1, true);
          for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < d; ++c) {
              double want = biased ? bias[c] : 0;
              for (int64_t j = r * k; j < (r + 1) * k; ++j)
                want += isUsed(indices[j], n) ? values[j] * table.at(indices[j], c) : 0;
              ASSERT_EQ(out[r * d + c], want) << "d=" << d << " k=" << k << " transposed " << transposed << " at " << r << "," << c;
            }
        }
}

TEST_P(EntriesTest, SampledProducts) {
  using S = SampledSlots;
  for (int64_t d : {0, 1, 7, 16, 33, 64, 100, 200})
    for (int64_t k : {1, 5, 16, 33})
      for (bool transposed : {false, true})
        for (bool biased : {false, true}) {
          const int64_t rows = 9, n = 23;
          TestTable table(n, d, transposed);
          GuardedArray<float> x(rows * d), bias(rows * k), out(rows * k, 99);
          GuardedArray<int32_t> indices(rows * k);
          fillIntegers(x, 1), fillIntegers(bias, 2), fillIndices(indices, 3, n);
          Launch call = launch(biased ? "sampled_bias" : "sampled");
          TileSlots tile(S::TileCount, biased ? biasSpec() : plainSpec());
          call.set(S::X, x.data()), call.set(S::XRow, d), call.set(S::Indices, indices.data()), call.set(S::Table, table.elements.data());
          call.set(S::TableRow, table.row), call.set(S::TableColumn, table.column), call.set(S::TableRows, n);
          call.set(S::Rows, rows), call.set(S::K, k), call.set(S::Width, d);
          if (biased) {
            call.set(tile.extra(0, TileSlots::ExtraPointer), bias.data()), call.set(tile.extra(0, TileSlots::ExtraRow), k);
            call.set(tile.extra(0, TileSlots::ExtraColumn), 1);
          }
          call.set(tile.output(0, TileSlots::OutputPointer), out.data()), call.set(tile.output(0, TileSlots::OutputRow), k);
          call.run(1, true);
          for (int64_t i = 0; i < rows * k; ++i) {
            double want = biased ? bias[i] : 0;
            for (int64_t c = 0; c < d && isUsed(indices[i], n); ++c)
              want += x[i / k * d + c] * table.at(indices[i], c);
            ASSERT_EQ(out[i], want) << "d=" << d << " k=" << k << " transposed " << transposed << " at " << i;
          }
        }
}

/// Entries that name their rows, in ascending order: rows without entries, and entries before the first and behind the last row.
struct Listed {
  Listed(int64_t count, int64_t rows, int64_t columns) : values(count), indices(count), rowList(count) {
    fillIntegers(values, 1), fillIndices(indices, 2, columns);
    for (int64_t s = 0; s < count; ++s)
      rowList[s] = static_cast<int32_t>(s * (rows + 3) / std::max<int64_t>(count, 1) / 2 * 2) - 1;
  }
  bool isUsed(int64_t s, int64_t rows, int64_t columns) const { return ::isUsed(rowList[s], rows) && ::isUsed(indices[s], columns); }
  GuardedArray<float> values;
  GuardedArray<int32_t> indices, rowList;
};

TEST_P(EntriesTest, ListedEntriesAreTakenAndPlaced) {
  for (int64_t count : {0, 1, 7, 50, 700})
    for (int64_t rows : {1, 9})
      for (int64_t columns : {1, 40}) {
        Listed list(count, rows, columns);
        GuardedArray<float> x(rows * columns), taken(count, 99), placed(rows * columns, 99);
        fillIntegers(x, 3, 100);
        Launch take = launch("take_listed"), place = launch("place_listed");
        {
          using S = TakeListedSlots;
          take.set(S::X, x.data()), take.set(S::XRow, columns), take.set(S::XColumn, 1), take.set(S::Indices, list.indices.data());
          take.set(S::RowList, list.rowList.data()), take.set(S::Output, taken.data()), take.set(S::K, count);
          take.set(S::Rows, rows), take.set(S::Columns, columns);
        }
        {
          using S = PlaceSlots;
          place.set(S::Values, list.values.data()), place.set(S::Indices, list.indices.data()), place.set(S::RowList, list.rowList.data());
          place.set(S::Output, placed.data()), place.set(S::OutputRow, columns), place.set(S::Rows, rows), place.set(S::K, count);
          place.set(S::Columns, columns), place.set(S::RowGrain, 2);
        }
        take.run(1, true), place.run(1, true);
        std::vector<double> want(rows * columns);
        for (int64_t s = 0; s < count; ++s) {
          const bool used = list.isUsed(s, rows, columns);
          ASSERT_EQ(taken[s], used ? x[list.rowList[s] * columns + list.indices[s]] : 0) << count << " slot " << s;
          if (used)
            want[list.rowList[s] * columns + list.indices[s]] += list.values[s];
        }
        for (int64_t i = 0; i < rows * columns; ++i)
          ASSERT_EQ(placed[i], want[i]) << count << " " << rows << "x" << columns;
      }
}

TEST_P(EntriesTest, ListedEntriesMultiplyTables) {
  for (int64_t count : {0, 1, 7, 50, 200})
    for (int64_t rows : {0, 1, 9})
      for (int64_t d : {1, 17, 130})
        for (bool transposed : {false, true}) {
          const int64_t n = 23;
          Listed list(count, rows, n);
          TestTable table(n, d, transposed);
          GuardedArray<float> x(rows * d), bias(count), sums(rows * d, 99), products(count, 99);
          fillIntegers(x, 4), fillIntegers(bias, 6);
          Launch sum = launch("sum_listed"), sampled = launch("sampled_listed");
          {
            using S = GatherSumSlots;
            TileSlots tile(S::TileCount, plainSpec());
            sum.set(S::Values, list.values.data()), sum.set(S::Indices, list.indices.data()), sum.set(S::RowList, list.rowList.data());
            sum.set(S::Table, table.elements.data()), sum.set(S::TableRow, table.row), sum.set(S::TableColumn, table.column);
            sum.set(S::TableRows, n), sum.set(S::Rows, rows), sum.set(S::K, count), sum.set(S::Width, d);
            sum.set(tile.output(0, TileSlots::OutputPointer), sums.data()), sum.set(tile.output(0, TileSlots::OutputRow), d);
          }
          {
            using S = SampledSlots;
            TileSlots tile(S::TileCount, biasSpec());
            sampled.set(S::X, x.data()), sampled.set(S::XRow, d), sampled.set(S::Indices, list.indices.data());
            sampled.set(S::RowList, list.rowList.data()), sampled.set(S::Table, table.elements.data()), sampled.set(S::TableRow, table.row);
            sampled.set(S::TableColumn, table.column), sampled.set(S::TableRows, n), sampled.set(S::Rows, rows + 1);
            sampled.set(S::K, count), sampled.set(S::Width, d);
            sampled.set(tile.extra(0, TileSlots::ExtraPointer), bias.data()), sampled.set(tile.extra(0, TileSlots::ExtraColumn), 1);
            sampled.set(tile.output(0, TileSlots::OutputPointer), products.data());
          }
          sum.run(1, true), sampled.run(1, true);
          std::vector<double> want(rows * d);
          for (int64_t s = 0; s < count; ++s) {
            double product = bias[s];
            for (int64_t c = 0; c < d && list.isUsed(s, rows, n); ++c) {
              want[list.rowList[s] * d + c] += list.values[s] * table.at(list.indices[s], c);
              product += x[list.rowList[s] * d + c] * table.at(list.indices[s], c);
            }
            ASSERT_EQ(products[s], product) << count << " slots, " << rows << " rows, d=" << d << " slot " << s;
          }
          for (int64_t i = 0; i < rows * d; ++i)
            ASSERT_EQ(sums[i], want[i]) << count << " slots, " << rows << " rows, d=" << d;
        }
}

NACRE_FOR_ALL_LEVELS(EntriesTest);

} // namespace
