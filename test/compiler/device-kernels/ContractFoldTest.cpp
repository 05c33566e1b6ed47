// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Folds of a block's product against plain loops, in every order of threads: the k best with their ties, and log-sum-exp.
#include "compiler/Target/NVPTX/ContractFold.h"
#include "compiler/Target/NVPTX/DistributeVectors.h"
#include "compiler/Target/NVPTX/SynchronizeWarps.h"
#include "test/compiler/device-kernels/ContractProblem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

using namespace nacre;
using namespace nacre::nvptx;
using cpu::ContractSpec;
using cpu::FoldSpec;
using cpu::GuardedArray;

namespace {

ContractSpec foldSpec(FoldSpec::Kind kind, int64_t k = 1) {
  ContractSpec spec = plainSpec();
  spec.fold = FoldSpec{kind, k, {false, /*rank=*/true}};
  return spec;
}

DeviceKernel compile(const ContractSpec &spec, plan::Precision precision, TileSize size) {
  return DeviceKernel([&](mlir::ModuleOp module, llvm::StringRef name) {
    WarpFold fold = emitWarpFold(module, name, spec, tileOf(size));
    EXPECT_TRUE(succeeded(distributeVectors(module)));
    for (mlir::func::FuncOp part : {fold.begin, fold.take, fold.finish})
      synchronizeWarps(part, part.getArgument(2), /*elementsStay=*/false);
    return emitDeviceContract(module, name, spec, precision, size, &fold);
  });
}

/// Results stand one row after the other, `k` of each.
void setResult(Slots &slots, const ContractSpec &spec, int64_t output, const Problem &problem, int64_t k, void *to) {
  cpu::ContractSlots at(spec);
  slots.set(at.output(output, Slot::OutputPointer), to), slots.set(at.output(output, Slot::OutputRow), k);
  slots.set(at.output(output, Slot::OutputOuter), problem.shape.inner * problem.shape.rows * k);
  slots.set(at.output(output, Slot::OutputInner), problem.shape.rows * k);
  slots.set(at.taskRows(), cpu::levels().front().foldRows);
}

std::vector<float> rowOf(const Problem &problem, int64_t m, int64_t i) {
  std::vector<float> row;
  for (int64_t j = 0; j < problem.shape.columns; ++j)
    row.push_back(problem.sum(m, i, j, problem.shape.depth));
  return row;
}

void checkBest(DeviceKernel &kernel, const ContractSpec &spec, const Problem &problem) {
  const int64_t k = spec.fold->k, rows = problem.batch * problem.shape.rows, columns = problem.shape.columns;
  for (int order : simt::kOrders) {
    GuardedArray<float> values(rows * k, 12345.5f);
    GuardedArray<int32_t> indices(rows * k, -7);
    Slots slots = problem.slotsFor(spec);
    setResult(slots, spec, 0, problem, k, values.data());
    setResult(slots, spec, 1, problem, k, indices.data());
    ASSERT_EQ(kernel.run(slots, order), "") << "order " << order;
    for (int64_t r = 0; r < rows; ++r) {
      std::vector<float> row = rowOf(problem, r / problem.shape.rows, r % problem.shape.rows);
      std::vector<int32_t> best(row.size());
      std::iota(best.begin(), best.end(), 0);
      std::stable_sort(best.begin(), best.end(), [&](int32_t x, int32_t y) { return row[x] > row[y]; });
      for (int64_t n = 0; n < k; ++n) {
        ASSERT_EQ(indices[r * k + n], n < columns ? best[n] : columns) << "order " << order << ", row " << r << ", place " << n;
        ASSERT_EQ(values[r * k + n], n < columns ? row[best[n]] : 0) << "order " << order << ", row " << r << ", place " << n;
      }
    }
  }
}

const Shape shapes[] = {{1, 1, 40}, {130, 7, 5, true}, {33, 63, 40, false, true, 2, 1, 1}, {101, 200, 40, true, true}, {70, 300, 40}};

} // namespace

TEST(DeviceContractFold, TheBestAreExact) {
  for (auto [k, precision, size] : {std::tuple(1, plan::Precision::F32, TileSize::Large), {5, plan::Precision::F32, TileSize::Small},
                                    {40, plan::Precision::Bf16, TileSize::Large}, {1, plan::Precision::Tf32, TileSize::Small}}) {
    ContractSpec spec = foldSpec(FoldSpec::Best, k);
    DeviceKernel kernel = compile(spec, precision, size);
    ASSERT_EQ(kernel.error(), "");
    for (const Shape &shape : shapes) {
      SCOPED_TRACE(::testing::Message() << "k " << k << ", " << shape.rows << " x " << shape.columns);
      checkBest(kernel, spec, Problem(shape));
    }
  }
}

TEST(DeviceContractFold, LogSumExpIsStable) {
  ContractSpec spec = foldSpec(FoldSpec::LogSumExp);
  for (TileSize size : {TileSize::Large, TileSize::Small}) {
    DeviceKernel kernel = compile(spec, plan::Precision::F32, size);
    ASSERT_EQ(kernel.error(), "");
    for (const Shape &shape : shapes) {
      Problem problem(shape);
      std::vector<float> first;
      for (int order : simt::kOrders) {
        const int64_t rows = problem.batch * shape.rows;
        GuardedArray<float> out(rows, 12345.5f);
        Slots slots = problem.slotsFor(spec);
        setResult(slots, spec, 0, problem, 1, out.data());
        ASSERT_EQ(kernel.run(slots, order), "") << "order " << order;
        for (int64_t r = 0; r < rows; ++r) {
          std::vector<float> row = rowOf(problem, r / shape.rows, r % shape.rows);
          double top = *std::max_element(row.begin(), row.end()), sum = 0;
          for (float x : row)
            sum += std::exp(x - top);
          ASSERT_NEAR(out[r], top + std::log(sum), 1e-5 * (1 + std::abs(top))) << "order " << order << ", row " << r;
        }
        std::vector<float> all(out.data(), out.data() + rows);
        first = first.empty() ? all : first;
        ASSERT_EQ(all, first) << "order " << order;
      }
    }
  }
}
