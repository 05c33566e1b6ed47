// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/workers.h"
#include "test/runtime/Faults.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace {

struct Pool {
  explicit Pool(int32_t count, int64_t scratchBytes = 64) : scratch(size_t(count * scratchBytes + 64)) {
    char *start = scratch.data() + (64 - uintptr_t(scratch.data()) % 64) % 64;
    workers = nacre_workers_create(count, start, scratchBytes, &error);
  }
  ~Pool() { nacre_workers_destroy(workers); }

  nacre_error error = {};
  std::vector<char> scratch;
  nacre_workers *workers = nullptr;
};

// slots: counts of visits. Plain memory: a task done twice or seen too early is a race.
void visit(int64_t begin, int64_t end, const int64_t *slots, char *scratch) {
  int32_t *counts = reinterpret_cast<int32_t *>(slots[0]);
  for (int64_t task = begin; task < end; ++task)
    ++counts[task];
  memset(scratch, 7, 64); // two workers with one scratch are a race
}

void expectEachTaskOnce(nacre_workers *workers, int64_t tasks) {
  std::vector<int32_t> counts(size_t(tasks), 0);
  const int64_t slots[] = {int64_t(counts.data())};
  nacre_launch(workers, visit, tasks, slots);
  for (int32_t count : counts)
    ASSERT_EQ(count, 1);
}

void sleepBriefly() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

} // namespace

class Workers : public testing::TestWithParam<int32_t> {};

TEST_P(Workers, DoEachTaskOnce) {
  Pool pool(GetParam());
  ASSERT_NE(pool.workers, nullptr);
  for (int64_t tasks : {0, 1, 2, 3, 7, 64, 1000, 10007})
    expectEachTaskOnce(pool.workers, tasks);
}

TEST_P(Workers, SeeWhatTheLaunchBeforeWrote) {
  Pool pool(GetParam());
  std::vector<int32_t> counts(97, 0);
  const int64_t slots[] = {int64_t(counts.data())};
  for (int launch = 0; launch < 2000; ++launch)
    nacre_launch(pool.workers, visit, 97, slots);
  for (int32_t count : counts)
    EXPECT_EQ(count, 2000);
}

TEST_P(Workers, WakeAfterSleep) {
  Pool pool(GetParam());
  for (int round = 0; round < 5; ++round) {
    sleepBriefly();
    expectEachTaskOnce(pool.workers, 50);
  }
}

TEST_P(Workers, EndAtOnce) {
  for (int round = 0; round < 20; ++round)
    Pool pool(GetParam());
}

TEST_P(Workers, WaitForASlowOne) {
  Pool pool(GetParam());
  std::vector<int32_t> counts(8, 0);
  const int64_t slots[] = {int64_t(counts.data())};
  auto slow = [](int64_t begin, int64_t end, const int64_t *slots, char *scratch) {
    sleepBriefly();
    visit(begin, end, slots, scratch);
  };
  nacre_launch(pool.workers, slow, 8, slots);
  EXPECT_EQ(counts, std::vector<int32_t>(8, 1));
}

TEST_P(Workers, LaunchWithoutAllocating) {
  Pool pool(GetParam());
  expectEachTaskOnce(pool.workers, 10);
  int64_t before = faults::allocations();
  int32_t counts[100] = {};
  const int64_t slots[] = {int64_t(counts)};
  for (int i = 0; i < 100; ++i)
    nacre_launch(pool.workers, visit, 100, slots);
  EXPECT_EQ(faults::allocations(), before);
}

INSTANTIATE_TEST_SUITE_P(Counts, Workers, testing::Values(1, 2, 3, 4, 9), testing::PrintToStringParamName());

TEST(WorkersAlone, HaveTheirOwnAlignedScratch) {
  Pool pool(4, 128);
  std::vector<int64_t> places(200, 0);
  const int64_t slots[] = {int64_t(places.data())};
  auto note = [](int64_t begin, int64_t end, const int64_t *slots, char *scratch) {
    for (int64_t task = begin; task < end; ++task)
      reinterpret_cast<int64_t *>(slots[0])[task] = int64_t(scratch);
  };
  nacre_launch(pool.workers, note, 200, slots);
  for (int64_t place : places) {
    EXPECT_EQ(place % 64, 0);
    EXPECT_GE(place, int64_t(pool.scratch.data()));
    EXPECT_LE(place + 128, int64_t(pool.scratch.data() + pool.scratch.size()));
  }
}

TEST(WorkersAlone, HaveAMebibyteOfStack) {
  Pool pool(3);
  auto deep = [](int64_t, int64_t, const int64_t *, char *) {
    volatile char room[1 << 20];
    for (size_t i = 0; i < sizeof room; i += 4096)
      room[i] = 1;
  };
  nacre_launch(pool.workers, deep, 300, nullptr);
}

TEST(WorkersAlone, OfTwoPoolsRunAtTheSameTime) {
  auto drive = [] {
    Pool pool(3);
    for (int round = 0; round < 300; ++round)
      expectEachTaskOnce(pool.workers, 37);
  };
  std::thread other(drive);
  drive();
  other.join();
}

TEST(WorkersAlone, OutliveManyLaunchNumbers) {
  Pool pool(2);
  int32_t counts[2] = {};
  const int64_t slots[] = {int64_t(counts)};
  for (int launch = 0; launch < 600000; ++launch) // the launch number in the pool's state has 19 bits
    nacre_launch(pool.workers, visit, 2, slots);
  EXPECT_EQ(counts[0], 600000);
  EXPECT_EQ(counts[1], 600000);
}

TEST(WorkersAlone, LeaveNothingBehindWhenRefused) {
  auto create = [] {
    Pool pool(4);
    if (pool.workers == nullptr) {
      EXPECT_EQ(pool.error.status, NACRE_ERR_MEMORY);
    }
    return pool.workers != nullptr;
  };
  EXPECT_EQ(faults::failEach(faults::Call::Thread, create), 3);
  EXPECT_EQ(faults::failEach(faults::Call::Allocate, create), 1);
  faults::failOnce(faults::Call::Thread, 1);
  Pool pool(4);
  faults::clear();
  EXPECT_STREQ(pool.error.message, "the system refused to start thread 3 of 4");
}

TEST(WorkersAlone, CountProcessors) {
  EXPECT_GE(nacre_processor_count(), 1);
  EXPECT_LE(nacre_processor_count(), NACRE_MAX_WORKERS);
}
