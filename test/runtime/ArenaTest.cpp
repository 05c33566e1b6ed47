// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/arena.h"
#include "test/runtime/Faults.h"

#include <gtest/gtest.h>

TEST(Arena, IsZeroedAlignedAndWritable) {
  nacre_arena arena;
  ASSERT_EQ(nacre_arena_reserve(&arena, 1000, nullptr), NACRE_OK);
  EXPECT_EQ(uintptr_t(arena.data) % 64, 0u);
  EXPECT_EQ(arena.data[999], 0);
  arena.data[999] = 1;
  nacre_arena_release(&arena);
  EXPECT_EQ(arena.data, nullptr);
  nacre_arena_release(&arena);
}

TEST(Arena, MayBeEmpty) {
  nacre_arena arena;
  ASSERT_EQ(nacre_arena_reserve(&arena, 0, nullptr), NACRE_OK);
  EXPECT_NE(arena.data, nullptr);
  nacre_arena_release(&arena);
}

TEST(Arena, ReservesMoreThanTheMachineHas) {
  nacre_arena arena;
  ASSERT_EQ(nacre_arena_reserve(&arena, INT64_C(1) << 38, nullptr), NACRE_OK);
  arena.data[INT64_C(1) << 37] = 1;
  nacre_arena_release(&arena);
}

TEST(Arena, SaysWhenTheSystemRefuses) {
  nacre_arena arena;
  nacre_error error;
  EXPECT_EQ(nacre_arena_reserve(&arena, INT64_MAX, &error), NACRE_ERR_MEMORY);
  EXPECT_EQ(arena.data, nullptr);
  EXPECT_EQ(nacre_arena_reserve(&arena, -1, &error), NACRE_ERR_MEMORY);
  faults::failOnce(faults::Call::Map, 0);
  EXPECT_EQ(nacre_arena_reserve(&arena, 64, &error), NACRE_ERR_MEMORY);
  EXPECT_STREQ(error.message, "the system refused to reserve 64 bytes");
  nacre_arena_release(&arena);
}

TEST(Arena, RoundsUpTo64) {
  EXPECT_EQ(nacre_round_up_64(0), 0);
  EXPECT_EQ(nacre_round_up_64(1), 64);
  EXPECT_EQ(nacre_round_up_64(64), 64);
  EXPECT_EQ(nacre_round_up_64(-1), -1);
  EXPECT_EQ(nacre_round_up_64(INT64_MAX), -1);
}
