// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/RowData.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>

using namespace nacre::tool;

namespace {

std::vector<int64_t> numbers(int64_t count) {
  std::vector<int64_t> result(count);
  std::iota(result.begin(), result.end(), 100);
  return result;
}

TEST(Shuffle, IsAPermutationKeyedBySeedAndEpoch) {
  std::vector<int64_t> once = shuffled(numbers(1000), 7, 3), sorted = once;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, numbers(1000));
  EXPECT_EQ(once, shuffled(numbers(1000), 7, 3));
  EXPECT_NE(once, shuffled(numbers(1000), 8, 3));
  EXPECT_NE(once, shuffled(numbers(1000), 7, 4));
  EXPECT_TRUE(shuffled({}, 7, 3).empty());
}

// Trained parameters depend on it: a change of this order is a change of every result.
TEST(Shuffle, IsTheSameOnEveryMachine) {
  EXPECT_EQ(shuffled(numbers(8), 0, 0), (std::vector<int64_t>{100, 107, 106, 103, 104, 101, 102, 105}));
  EXPECT_EQ(shuffled(numbers(8), 1, 5), (std::vector<int64_t>{107, 103, 100, 102, 106, 101, 105, 104}));
}

// Each place is taken by each row about equally often: 4000 epochs of 5 rows, expected 800, standard deviation about 25.
TEST(Shuffle, IsFair) {
  int counts[5][5] = {};
  for (uint32_t epoch = 0; epoch < 4000; ++epoch) {
    std::vector<int64_t> order = shuffled({0, 1, 2, 3, 4}, 42, epoch);
    for (int place = 0; place < 5; ++place)
      ++counts[place][order[place]];
  }
  for (auto &place : counts)
    for (int count : place)
      EXPECT_NEAR(count, 800, 150); // six standard deviations
}

TEST(RowData, GathersRowsInTheGivenOrder) {
  RowData data;
  data.rows = 3;
  data.inputs = {Array::zeros(NACRE_I32, {3, 2}), Array::zeros(NACRE_F32, {3})};
  int32_t pairs[6] = {1, 2, 3, 4, 5, 6};
  std::memcpy(data.inputs[0].bytes.data(), pairs, sizeof pairs);
  std::vector<Array> batch = data.gather({2, 0, 2});
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(batch[0].shape, (std::vector<int64_t>{3, 2}));
  int32_t expected[6] = {5, 6, 1, 2, 5, 6};
  EXPECT_EQ(std::memcmp(batch[0].bytes.data(), expected, sizeof expected), 0);
  EXPECT_EQ(batch[1].shape, (std::vector<int64_t>{3}));
}

} // namespace
