// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/philox.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

using Block = std::array<uint32_t, 4>;

static Block philox(Block counter, std::array<uint32_t, 2> key) {
  Block block;
  nacre_philox(counter.data(), key.data(), block.data());
  return block;
}

// The known answers that come with the reference implementation, Random123.
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, UniformDrawsFillTheirRange) {
  nacre_stream stream = {42, 1, 2};
  double sum = 0, least = 1, most = 0, draws[4];
  for (uint64_t block = 0; block < 5000; ++block) {
    nacre_draw_uniform(&stream, block, draws);
    for (double draw : draws) {
      sum += draw;
      least = std::min(least, draw);
      most = std::max(most, draw);
    }
  }
  EXPECT_GE(least, 0.0);
  EXPECT_LT(most, 1.0);
  EXPECT_NEAR(sum / 20000, 0.5, 0.01); // five standard errors
}

TEST(Philox, NormalDrawsHaveTheirMoments) {
  nacre_stream stream = {7, 0, 0};
  double first = 0, second = 0, fourth = 0, draws[2];
  const int count = 20000;
  for (uint64_t block = 0; block < count / 2; ++block) {
    nacre_draw_normal(&stream, block, draws);
    for (double draw : draws) {
      ASSERT_TRUE(std::isfinite(draw));
      first += draw;
      second += draw * draw;
      fourth += draw * draw * draw * draw;
    }
  }
  EXPECT_NEAR(first / count, 0.0, 5 / std::sqrt(count));
  EXPECT_NEAR(second / count, 1.0, 5 * std::sqrt(2.0 / count));
  EXPECT_NEAR(fourth / count, 3.0, 5 * std::sqrt(96.0 / count));
}

TEST(Philox, DrawsDependOnSeedStepAndSite) {
  const nacre_stream base = {1, 2, 3};
  const nacre_stream others[] = {{2, 2, 3}, {1, 3, 3}, {1, 2, 4}, {1 + (UINT64_C(1) << 32), 2, 3}};
  double a[4], b[4];
  nacre_draw_uniform(&base, 5, a);
  for (const nacre_stream &other : others) {
    nacre_draw_uniform(&other, 5, b);
    EXPECT_NE(a[0], b[0]);
  }
  nacre_draw_uniform(&base, 5 + (UINT64_C(1) << 32), b);
  EXPECT_NE(a[0], b[0]);
  nacre_draw_uniform(&base, 5, b);
  EXPECT_EQ(a[3], b[3]);
}
