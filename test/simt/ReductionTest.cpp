// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Barriers, shuffles, votes and shared memory: right in every order, and mistakes show.
#include "test/simt/Kernels.h"

#include <numeric>

using namespace nacre::simt;

namespace {
constexpr int kBlocks = 3, kThreads = 128;
} // namespace

/// Integers, so that sums are exact. A launch that fails gives nothing.
static std::vector<float> reduce(DeviceModule &module, int order, unsigned threads = 1) {
  std::vector<float> x(kBlocks * kThreads), out(kBlocks, -1);
  std::iota(x.begin(), x.end(), 1);
  const float *from = x.data();
  float *to = out.data();
  Failure failure = module.launch("reduce", {kBlocks}, {kThreads}, {&from, &to}, order, 0, threads);
  return failure ? std::vector<float>() : out;
}

static std::vector<float> expectedSums() {
  std::vector<float> sums;
  for (int b = 0; b < kBlocks; ++b) {
    int first = b * kThreads + 1, last = first + kThreads - 1;
    sums.push_back(float((first + last) * kThreads / 2));
  }
  return sums;
}

TEST(Reduction, IsRightInEveryOrder) {
  auto module = buildOrFail(kernelText("reduce"));
  ASSERT_NE(module, nullptr);
  for (int order : kOrders)
    EXPECT_EQ(reduce(*module, order), expectedSums()) << "order " << order;
}

TEST(Reduction, RunsBlocksOnSeveralThreads) {
  auto module = buildOrFail(kernelText("reduce"));
  ASSERT_NE(module, nullptr);
  EXPECT_EQ(reduce(*module, 2, 3), expectedSums());
}

// The first thread reads sums that other warps have not stored yet. Descending order alone would hide it: there it comes last.
TEST(Reduction, ADeletedBarrierShows) {
  auto module = buildOrFail(mutate(kernelText("reduce"), "call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)", ""));
  ASSERT_NE(module, nullptr);
  std::vector<std::vector<float>> results;
  for (int order : kOrders)
    results.push_back(reduce(*module, order));
  EXPECT_NE(results[0], expectedSums());
  EXPECT_EQ(results[1], expectedSums());
  EXPECT_NE(results[0], results[1]);
}

TEST(Reduction, AMaskWithoutTheLaneFails) {
  auto module = buildOrFail(mutate(kernelText("reduce"), "f32(i32 -1, float %v3", "f32(i32 65535, float %v3"));
  ASSERT_NE(module, nullptr);
  for (int order : kOrders)
    EXPECT_TRUE(reduce(*module, order).empty()) << "order " << order;
}

/// { x, out, count } of one warp.
static std::vector<int32_t> compact(DeviceModule &module, const std::vector<int32_t> &x, int order) {
  std::vector<int32_t> out(32, -1);
  int32_t count = 0;
  const void *launch[3] = {x.data(), out.data(), &count};
  Failure failure = module.launch("compact", {1}, {32}, {&launch}, order);
  EXPECT_FALSE(failure) << failure.message;
  out.resize(size_t(count));
  return out;
}

static std::vector<int32_t> mixedSigns() {
  std::vector<int32_t> x(32);
  for (int i = 0; i < 32; ++i)
    x[size_t(i)] = i * 7 % 5 < 3 ? i + 1 : -i;
  return x;
}

static std::vector<int32_t> positivesTurned() {
  std::vector<int32_t> kept;
  for (int32_t value : mixedSigns())
    if (value > 0) kept.insert(kept.begin(), value);
  return kept;
}

TEST(Compaction, IsRightInEveryOrder) {
  auto module = buildOrFail(kernelText("compact"));
  ASSERT_NE(module, nullptr);
  for (int order : kOrders)
    EXPECT_EQ(compact(*module, mixedSigns(), order), positivesTurned()) << "order " << order;
}

// Lanes of a warp do not march in step: shared memory between them needs a barrier too.
TEST(Compaction, ADeletedWarpBarrierShows) {
  auto module = buildOrFail(mutate(kernelText("compact"), "call void @llvm.nvvm.bar.warp.sync(i32 -1)", ""));
  ASSERT_NE(module, nullptr);
  for (int order : kOrders)
    EXPECT_NE(compact(*module, mixedSigns(), order), positivesTurned()) << "order " << order;
}
