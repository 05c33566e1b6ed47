// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The k best of a row against a sort: lengths around vectors, ties, NaN, infinities and both zeros, by value and by magnitude.
#include "compiler/Target/CPU/Selection.h"
#include "test/compiler/cpu-kernels/GuardedArray.h"
#include "test/compiler/cpu-kernels/LevelTest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace nacre::cpu;
using S = SelectSlots;

namespace {

const std::map<std::string, SelectSpec> specs = {
    {"index", {false, false}}, {"abs", {true, false}}, {"rank", {false, true}}, {"abs_rank", {true, true}}};

class SelectionTest : public LevelTest {
protected:
  static LevelKernels &kernels() {
    static LevelKernels all([] {
      std::map<std::string, KernelMaker> makers;
      for (const auto &[name, spec] : specs)
        makers[name] = [spec = spec](mlir::ModuleOp module, llvm::StringRef symbol, const Level &level) {
          return emitSelect(module, symbol, level, spec);
        };
      return makers;
    }());
    return all;
  }

  struct Entries {
    std::vector<float> values;
    std::vector<int32_t> indices;
  };

  static Entries expected(const float *row, int64_t size, int64_t k, const SelectSpec &spec) {
    auto key = [&](int64_t i) {
      const float value = spec.byMagnitude ? std::fabs(row[i]) : row[i];
      return std::isnan(value) ? -std::numeric_limits<float>::infinity() : value;
    };
    std::vector<int64_t> order(size);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return key(a) > key(b); });
    order.resize(std::min(k, size));
    if (!spec.rank) {
      std::sort(order.begin(), order.end());
      order.erase(std::remove_if(order.begin(), order.end(), [&](int64_t i) { return row[i] == 0; }), order.end());
    }
    Entries result{std::vector<float>(k, 0), std::vector<int32_t>(k, static_cast<int32_t>(size))};
    for (size_t j = 0; j < order.size(); ++j)
      result.values[j] = row[order[j]], result.indices[j] = static_cast<int32_t>(order[j]);
    return result;
  }

  void check(const std::string &name, GuardedArray<float> &x, int64_t rows, int64_t size, int64_t k) {
    GuardedArray<float> values(rows * k, -77);
    GuardedArray<int32_t> indices(rows * k, -77);
    Launch launch = kernels().launch(name + GetParam());
    launch.set(S::X, x.data()), launch.set(S::XRow, size), launch.set(S::Rows, rows), launch.set(S::Columns, size);
    launch.set(S::K, k), launch.set(S::Values, values.data()), launch.set(S::ValuesRow, k);
    launch.set(S::Indices, indices.data()), launch.set(S::IndicesRow, k), launch.set(S::RowGrain, 2);
    launch.run(1, true);
    for (int64_t row = 0; row < rows; ++row) {
      const Entries want = expected(x.data() + row * size, size, k, specs.at(name));
      for (int64_t j = 0; j < k; ++j) {
        ASSERT_EQ(indices[row * k + j], want.indices[j]) << name << " n=" << size << " k=" << k << " row " << row << " slot " << j;
        const float got = values[row * k + j], value = want.values[j];
        ASSERT_TRUE(got == value || (std::isnan(got) && std::isnan(value))) << name << " n=" << size << " k=" << k << " slot " << j;
      }
    }
  }
};

TEST_P(SelectionTest, AgreesWithASort) {
  for (int64_t size : {1, 2, 7, 8, 9, 15, 16, 17, 33, 100, 1000}) {
    GuardedArray<float> reals(5 * size), ties(5 * size);
    fillReals(reals, 1), fillIntegers(ties, 2, 2);
    for (int64_t k : {int64_t(1), int64_t(2), int64_t(5), size / 2, size - 1, size, size + 3})
      for (const auto &[name, spec] : specs) {
        if (k < 1)
          continue;
        check(name, reals, 5, size, k);
        check(name, ties, 5, size, k);
      }
  }
}

TEST_P(SelectionTest, SpecialValues) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  for (int64_t k : {1, 3, 6, 12, 20})
    for (const auto &[name, spec] : specs) {
      GuardedArray<float> x(20);
      const float values[] = {nan, -inf, 0.0f, -0.0f, 1, -1, inf, nan, -inf, 1e-40f, -1e-40f, 0.0f, -0.0f, 1, -2, -2, nan, 3e38f, -3e38f, 0};
      std::copy(std::begin(values), std::end(values), x.data());
      check(name, x, 1, 20, k);
      check(name, x, 2, 10, std::min<int64_t>(k, 10));
    }
}

TEST_P(SelectionTest, NothingToChooseFrom) {
  GuardedArray<float> x(0);
  for (const auto &[name, spec] : specs)
    check(name, x, 3, 0, 2);
}

NACRE_FOR_ALL_LEVELS(SelectionTest);

} // namespace
