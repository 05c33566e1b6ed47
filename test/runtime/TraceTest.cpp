// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/trace.h"
#include "runtime/src/workers.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace {

void visit(int64_t begin, int64_t end, const int64_t *slots, char *) {
  int32_t *counts = reinterpret_cast<int32_t *>(slots[0]);
  for (int64_t task = begin; task < end; ++task)
    ++counts[task];
}

class Trace : public testing::Test {
protected:
  void SetUp() override {
    workers = nacre_workers_create(2, nullptr, 0, nullptr);
    ASSERT_NE(workers, nullptr);
    frame.workers = workers;
  }
  void TearDown() override { nacre_workers_destroy(workers); }

  /// One launch of 1000 tasks, each of which must be done once.
  void launch(int64_t number) {
    std::vector<int32_t> counts(1000, 0);
    const int64_t slots[] = {int64_t(counts.data())};
    nacre_trace_launch(&frame, visit, int64_t(counts.size()), slots, number);
    EXPECT_EQ(std::set<int32_t>(counts.begin(), counts.end()), std::set<int32_t>{1});
  }

  nacre_workers *workers = nullptr;
  nacre_frame frame = {};
};

} // namespace

TEST_F(Trace, HasEachLaunchAndAllItsShares) {
  std::vector<nacre_trace_event> events(1000);
  nacre_trace trace = {events.data(), int64_t(events.size()), 0};
  frame.trace = &trace;
  launch(7);
  launch(8);
  ASSERT_LE(trace.count, trace.capacity);
  events.resize(size_t(trace.count));
  for (int64_t number : {7, 8}) {
    int64_t shared = 0;
    const nacre_trace_event *whole = nullptr;
    for (const nacre_trace_event &event : events)
      if (event.launch == number && event.thread == 0) {
        EXPECT_EQ(whole, nullptr);
        whole = &event;
      }
    ASSERT_NE(whole, nullptr);
    EXPECT_EQ(whole->tasks, 1000);
    for (const nacre_trace_event &event : events)
      if (event.launch == number && event.thread != 0) {
        shared += event.tasks;
        EXPECT_LE(whole->begin_ns, event.begin_ns);
        EXPECT_LE(event.begin_ns, event.end_ns);
        EXPECT_LE(event.end_ns, whole->end_ns);
      }
    EXPECT_EQ(shared, 1000);
  }
}

TEST_F(Trace, CountsWhatDoesNotFit) {
  nacre_trace_event event = {-1, 0, 0, 0, 0};
  nacre_trace trace = {&event, 1, 0};
  frame.trace = &trace;
  launch(3);
  EXPECT_GT(trace.count, 1);
  EXPECT_EQ(event.launch, 3);
}

TEST_F(Trace, IsALaunchAsAnyWithoutOne) { launch(0); }
