// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A product on tensor cores, from a ring of tiles that asynchronous copies fill: exact on integers in every order, and mistakes show.
#include "test/simt/Kernels.h"
#include "test/simt/executor/Narrow.h"

#include <optional>

using namespace nacre::simt;

namespace {
constexpr int kRows = 16, kColumns = 8, kSteps = 5, kDepth = 16 * kSteps;

/// Small integers: exact in bf16, and so are their sums in f32.
struct Operands {
  std::vector<uint16_t> a, b;
  std::vector<float> expected = std::vector<float>(kRows * kColumns);

  Operands() : a(kRows * kDepth), b(kColumns * kDepth) {
    fill(a, 3);
    fill(b, 5);
    for (int i = 0; i < kRows; ++i)
      for (int j = 0; j < kColumns; ++j)
        for (int k = 0; k < kDepth; ++k)
          expected[size_t(i * kColumns + j)] += fromBf16(a[size_t(i * kDepth + k)]) * fromBf16(b[size_t(j * kDepth + k)]);
  }
  static void fill(std::vector<uint16_t> &values, int factor) {
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = toBf16(float(int(i * size_t(factor) % 17) - 8));
  }
};
} // namespace

static std::optional<std::vector<float>> multiply(DeviceModule &module, const Operands &operands, int order) {
  std::vector<float> c(kRows * kColumns, -1);
  const uint16_t *a = operands.a.data(), *b = operands.b.data();
  float *to = c.data();
  int32_t steps = kSteps;
  Failure failure = module.launch("product", {1}, {32}, {&a, &b, &to, &steps}, order);
  return failure ? std::nullopt : std::optional(c);
}

TEST(Matrix, ProductIsExactInEveryOrder) {
  auto module = buildOrFail(kernelText("product"));
  ASSERT_NE(module, nullptr);
  Operands operands;
  for (int order : kOrders)
    EXPECT_EQ(multiply(*module, operands, order), operands.expected) << "order " << order;
}

// Copies that are waited for too late are seen where they happen as late as they may.
TEST(Matrix, ALateWaitShows) {
  auto module = buildOrFail(mutate(kernelText("product"), "wait.group(i32 1)", "wait.group(i32 2)"));
  ASSERT_NE(module, nullptr);
  Operands operands;
  auto late = multiply(*module, operands, 0), early = multiply(*module, operands, 1);
  EXPECT_NE(late, operands.expected);
  EXPECT_NE(late, early);
}

// A lane names rows that others copy: without a barrier it may come to ldmatrix before they have waited for their copies.
TEST(Matrix, ADeletedWarpBarrierShows) {
  std::string text = mutate(kernelText("product"), "call void @llvm.nvvm.bar.warp.sync(i32 -1)", "");
  auto module = buildOrFail(text);
  ASSERT_NE(module, nullptr);
  Operands operands;
  bool isCaught = false;
  for (int order : kOrders)
    isCaught |= multiply(*module, operands, order) != operands.expected;
  EXPECT_TRUE(isCaught);
}

TEST(Matrix, AWrongRowShows) {
  auto module = buildOrFail(mutate(kernelText("product"), "%a.row = and i32 %lane, 15", "%a.row = and i32 %lane, 7"));
  ASSERT_NE(module, nullptr);
  Operands operands;
  for (int order : kOrders)
    EXPECT_NE(multiply(*module, operands, order), operands.expected) << "order " << order;
}

TEST(Matrix, RowsOfAMatrixLieInDifferentBanks) {
  auto module = buildOrFail(kernelText("product"));
  ASSERT_NE(module, nullptr);
  Operands operands;
  takeBankCounts();
  EXPECT_TRUE(multiply(*module, operands, 0));
  BankCounts counts = takeBankCounts();
  EXPECT_EQ(counts.phases, uint64_t(6 * kSteps)); // four matrices of A and two of B
  EXPECT_EQ(counts.extraPasses, 0u);
}

TEST(Matrix, TilesThatAreNotTurnedCollide) {
  std::string text = mutate(kernelText("product"), "%turn = and i32 %row.four, 1", "%turn = and i32 %row.four, 0");
  text = mutate(text, "%a.turn = and i32 %a.four, 1", "%a.turn = and i32 %a.four, 0");
  text = mutate(text, "%b.turned = xor i32 %b.chunk, %b.four", "%b.turned = xor i32 %b.chunk, 0");
  auto module = buildOrFail(text);
  ASSERT_NE(module, nullptr);
  Operands operands;
  takeBankCounts();
  EXPECT_EQ(multiply(*module, operands, 0), operands.expected); // slower, not wrong
  EXPECT_EQ(takeBankCounts().extraPasses, uint64_t(6 * kSteps));
}
