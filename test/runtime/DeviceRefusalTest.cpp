// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each call of the driver refused once, in all that a context does: an error value, nothing left behind, parameters as before, and the
// next attempt works.
#include "test/runtime/DeviceModel.h"
#include "test/runtime/Faults.h"

#include <gtest/gtest.h>

#include <functional>

namespace {

using Weights = std::vector<float>;

struct DeviceRefusal : testing::Test {
  void SetUp() override { cuda = FakeCuda(); }
  void TearDown() override {
    EXPECT_EQ(cuda.live, 0);
    EXPECT_EQ(cuda.used, 0u);
    cuda = FakeCuda();
  }

  /// Calls `attempt` with the first call of the driver refused, then the second, ..., until none is. It returns a status.
  /// `check` looks at what is left after each refusal.
  void refuseEach(const std::function<nacre_status()> &attempt, const std::function<void()> &check) {
    for (int position = 0;; ++position) {
      cuda.clear();
      cuda.refuseAt = position;
      nacre_status status = attempt();
      std::string refused = cuda.refused;
      cuda.clear();
      if (refused.empty()) {
        EXPECT_EQ(status, NACRE_OK);
        return;
      }
      EXPECT_EQ(status, NACRE_ERR_DEVICE) << refused << ", call " << position;
      SCOPED_TRACE(refused + ", call " + std::to_string(position));
      check();
      if (HasFailure()) return;
    }
  }
  FakeCuda &cuda = fakeCuda();
};

TEST_F(DeviceRefusal, OfCreatingAContext) {
  fakeCuda();
  DeviceRun first; // has the driver open
  const int64_t most = 100000; // with chunks and their events
  nacre_options options = {1, nullptr, &most, "cuda"};
  nacre_parameters *parameters = nullptr;
  int64_t live = cuda.live;
  refuseEach(
      [&] {
        nacre_error error = {};
        parameters = nacre_runtime_api.parameters_create(&deviceModel(), &error);
        nacre_context *context = nacre_runtime_api.context_create(&deviceModel(), parameters, &options, &error);
        cuda.refuseAt = -1;
        nacre_runtime_api.context_destroy(context);
        nacre_runtime_api.parameters_destroy(parameters);
        return context ? NACRE_OK : error.status;
      },
      [&] { EXPECT_EQ(cuda.live, live); });
}

TEST_F(DeviceRefusal, OfACall) {
  DeviceRun run("cuda", 100000);
  ASSERT_EQ(run.step(3), NACRE_OK); // so that the parameters are newer on the device
  int64_t live = cuda.live;
  refuseEach([&] { return run.scale(100000); },
             [&] {
               EXPECT_EQ(cuda.live, live);
               EXPECT_EQ(run.weights(), (Weights{2, 3, 4, 5}));
               ASSERT_EQ(run.scale(3), NACRE_OK) << run.error.message;
               EXPECT_EQ(run.y[1], 2 * 0.125f * 3 / 2 + 10);
             });
}

TEST_F(DeviceRefusal, OfATappedCall) {
  DeviceRun run;
  float half = 0.5f;
  nacre_intervention scaled = {0, NACRE_TAP_SCALE, 0, 0, {}, {&half, NACRE_F32, 0, {}}};
  refuseEach([&] { return run.scale(3, {scaled}); }, [&] { ASSERT_EQ(run.scale(3), NACRE_OK) << run.error.message; });
}

/// Steps at `rows` rows until one succeeds; after each refusal the parameters are those of the last success.
void refuseSteps(DeviceRefusal &test, DeviceRun &run, int64_t rows, Weights before) {
  int64_t live = test.cuda.live;
  test.refuseEach([&] { return run.step(rows); },
                  [&] {
                    EXPECT_LE(test.cuda.live, live + 1) << "at most the graph";
                    EXPECT_EQ(run.weights(), before);
                  });
  for (float &w : before)
    w += 1;
  EXPECT_EQ(run.weights(), before);
}

TEST_F(DeviceRefusal, OfAStepThatRunsEagerly) {
  DeviceRun run("cuda", 100000);
  Weights before = {1, 2, 3, 4};
  for (int position = 0;; ++position) { // a new set of dims each time, for a second step at one would be recorded
    ASSERT_EQ(run.step(90000), NACRE_OK); // values on the device that the host has not seen
    for (float &w : before)
      w += 1;
    cuda.clear();
    cuda.refuseAt = position;
    nacre_status status = run.step(80000 + position);
    std::string refused = cuda.refused;
    cuda.clear();
    if (refused.empty()) break;
    EXPECT_EQ(status, NACRE_ERR_DEVICE) << refused;
    EXPECT_EQ(run.weights(), before) << refused << ", call " << position;
  }
}

TEST_F(DeviceRefusal, OfAStepThatIsRecorded) {
  DeviceRun run("cuda", 100000);
  ASSERT_EQ(run.step(100000), NACRE_OK);
  refuseSteps(*this, run, 100000, {2, 3, 4, 5});
}

// When waiting fails, the step may have run or not: the parameters are those that the host has seen last.
TEST_F(DeviceRefusal, OfAStepThatIsReplayed) {
  DeviceRun run("cuda", 100000);
  ASSERT_EQ(run.step(100000), NACRE_OK);
  ASSERT_EQ(run.step(100000), NACRE_OK);
  EXPECT_EQ(run.weights(), (Weights{3, 4, 5, 6}));
  refuseSteps(*this, run, 100000, {3, 4, 5, 6});
}

TEST_F(DeviceRefusal, OfReadingParameters) {
  DeviceRun run;
  ASSERT_EQ(run.step(3), NACRE_OK);
  refuseEach([&] { return run.weights().empty() ? run.error.status : NACRE_OK; }, [] {});
  EXPECT_EQ(run.weights(), (Weights{2, 3, 4, 5}));
}

TEST_F(DeviceRefusal, OfMemoryOfTheHost) {
  fakeCuda();
  DeviceRun first;
  int64_t live = cuda.live;
  int64_t count = faults::failEach(faults::Call::Allocate, [&] {
    DeviceRun run;
    bool made = run.context != nullptr;
    EXPECT_TRUE(made || run.error.status == NACRE_ERR_MEMORY) << run.error.message;
    return made;
  });
  EXPECT_GT(count, 5);
  EXPECT_EQ(cuda.live, live);
}

// A device whose every answer is an error loses what only it had, but parameters can be drawn or loaded anew.
TEST_F(DeviceRefusal, ADeadDeviceDoesNotKeepTheParameters) {
  DeviceRun run;
  ASSERT_EQ(run.step(3), NACRE_OK);
  cuda.clear();
  cuda.refuseAt = 1; // the copy, behind the push
  cuda.refuseWith = 700;
  EXPECT_TRUE(run.weights().empty());
  EXPECT_EQ(run.error.status, NACRE_ERR_DEVICE);
  EXPECT_STREQ(run.error.message,
               "cuMemcpyDtoH: FAKE_ERROR_700 (as the test wants it); the device's memory is lost to this process: start it afresh");
  ASSERT_EQ(nacre_runtime_api.parameters_init(run.parameters, 0, &run.error), NACRE_OK);
  EXPECT_EQ(run.weights(), (Weights{1, 1, 1, 1}));
}

} // namespace
