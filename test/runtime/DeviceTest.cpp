// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls on a device: the same results as on the CPU, where the parameters are, what is recorded and what is allocated.
#include "test/runtime/DeviceModel.h"
#include "test/runtime/Faults.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

namespace {

const nacre_api &api = nacre_runtime_api;
using Weights = std::vector<float>;

struct Device : testing::Test {
  void SetUp() override { cuda = FakeCuda(); }
  void TearDown() override {
    EXPECT_EQ(cuda.live, 0);
    EXPECT_EQ(cuda.used, 0u);
    cuda = FakeCuda();
  }
  FakeCuda &cuda = fakeCuda();
};

TEST_F(Device, ComputesWhatTheCpuComputes) {
  DeviceRun there("cuda"), here("cpu");
  for (int64_t rows : {1, 3, 64}) {
    ASSERT_EQ(there.scale(rows), NACRE_OK) << there.error.message;
    ASSERT_EQ(here.scale(rows), NACRE_OK) << here.error.message;
    EXPECT_EQ(there.y, here.y) << rows;
  }
  EXPECT_EQ(cuda.launches.size(), 6u);
  EXPECT_EQ(cuda.count("cuMemcpyHtoDAsync"), 3) << "all short inputs and the status word go in one copy";
  EXPECT_EQ(cuda.count("cuMemcpyDtoHAsync"), 3);
}

TEST_F(Device, ACallWithoutTasksLaunchesNothing) {
  DeviceRun run;
  ASSERT_EQ(run.scale(0), NACRE_OK) << run.error.message;
  EXPECT_TRUE(cuda.launches.empty());
}

// 4.8 MB, 1.2 MB and 4.8 MB: through chunks of pinned memory of 4 MB.
TEST_F(Device, LongPortsGoThroughChunks) {
  DeviceRun there("cuda", 300000), here("cpu", 300000);
  for (int64_t rows : {300000, 65537, 5}) {
    ASSERT_EQ(there.scale(rows), NACRE_OK) << there.error.message;
    ASSERT_EQ(here.scale(rows), NACRE_OK) << here.error.message;
    EXPECT_TRUE(there.y == here.y) << rows;
  }
}

TEST_F(Device, LaunchesAsManyBlocksAsRunAtOnce) {
  DeviceRun run;
  ASSERT_EQ(run.scale(64), NACRE_OK);
  ASSERT_EQ(run.scale(5), NACRE_OK);
  ASSERT_EQ(cuda.launches.size(), 4u);
  EXPECT_EQ(cuda.launches[0].blocks, 6u) << "2 multiprocessors, 3 blocks each";
  EXPECT_EQ(cuda.launches[0].threads, 64u);
  EXPECT_EQ(cuda.launches[2].blocks, 3u) << "5 tasks, 2 workers a block";
  EXPECT_EQ(cuda.launches[3].blocks, 5u);
  EXPECT_EQ(cuda.launches[1].sharedBytes, 65536u);
  EXPECT_EQ(cuda.count("cuFuncSetAttribute"), 1) << "only the kernel with more than 48 KiB";
}

TEST_F(Device, ScratchBoundsTheBlocks) {
  cuda.memoryBytes = 32 * 70 * 10;
  cuda.blocksEach = 1000;
  DeviceRun run;
  ASSERT_EQ(run.scale(64), NACRE_OK) << run.error.message;
  EXPECT_EQ(cuda.launches[0].blocks, 21u) << "700 bytes of scratch, 32 a block";
}

// ---- parameters

TEST_F(Device, StepsStayOnTheDeviceUntilTheHostReads) {
  DeviceRun run;
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(run.step(3), NACRE_OK) << run.error.message;
  EXPECT_EQ(run.loss, 5);
  EXPECT_EQ(cuda.count("cuMemcpyDtoH"), 0);
  EXPECT_EQ(run.weights(), (Weights{6, 7, 8, 9}));
  EXPECT_EQ(cuda.count("cuMemcpyDtoH"), 1);
  EXPECT_EQ(run.weights(), (Weights{6, 7, 8, 9}));
  EXPECT_EQ(cuda.count("cuMemcpyDtoH"), 1);
}

TEST_F(Device, WhatTheHostWritesIsReadByTheNextCall) {
  DeviceRun run;
  ASSERT_EQ(run.step(3), NACRE_OK);
  nacre_tensor view = {};
  ASSERT_EQ(api.parameters_get(run.parameters, "w", &view, nullptr), NACRE_OK);
  static_cast<float *>(view.data)[0] = 100;
  ASSERT_EQ(run.step(3), NACRE_OK);
  EXPECT_EQ(run.loss, 100);
  EXPECT_EQ(run.weights(), (Weights{101, 4, 5, 6}));
}

TEST_F(Device, ContextsOnAllPlacesShareTheParameters) {
  cuda.devices = 2;
  DeviceRun run;
  const int64_t most = 64;
  nacre_options other = {1, nullptr, &most, "cuda:1"}, cpu = {1, nullptr, &most, "cpu"};
  nacre_context *own = run.context;
  nacre_context *contexts[] = {own, api.context_create(&deviceModel(), run.parameters, &other, nullptr),
                               api.context_create(&deviceModel(), run.parameters, &cpu, nullptr),
                               api.context_create(&deviceModel(), run.parameters, nullptr, &run.error)};
  ASSERT_NE(contexts[3], nullptr) << run.error.message;
  for (int i = 0; i < 12; ++i) {
    run.context = contexts[i % 4];
    ASSERT_EQ(run.step(3), NACRE_OK) << run.error.message;
    EXPECT_EQ(run.loss, float(1 + i)) << i;
  }
  run.context = own;
  EXPECT_EQ(run.weights(), (Weights{13, 14, 15, 16}));
  EXPECT_EQ(cuda.count("cuModuleLoadDataEx"), 2) << "once a device";
  api.context_destroy(contexts[1]);
  api.context_destroy(contexts[2]);
  api.context_destroy(contexts[3]);
}

TEST_F(Device, SavesWhatTheDeviceHas) {
  std::string path = testing::TempDir() + "device.safetensors";
  DeviceRun run;
  ASSERT_EQ(run.step(3), NACRE_OK);
  ASSERT_EQ(api.parameters_save(run.parameters, path.c_str(), NACRE_SAVE_MODEL, &run.error), NACRE_OK) << run.error.message;
  ASSERT_EQ(run.step(3), NACRE_OK);
  ASSERT_EQ(api.parameters_load(run.parameters, path.c_str(), NACRE_LOAD_STRICT, &run.error), NACRE_OK) << run.error.message;
  ASSERT_EQ(run.step(3), NACRE_OK);
  EXPECT_EQ(run.loss, 2);
  ASSERT_EQ(api.parameters_init(run.parameters, 0, &run.error), NACRE_OK);
  EXPECT_EQ(run.weights(), (Weights{1, 1, 1, 1}));
  remove(path.c_str());
}

// ---- graphs

TEST_F(Device, AStepIsRecordedTheSecondTimeAndReplayedFromThenOn) {
  DeviceRun run;
  for (int i = 0; i < 4; ++i)
    ASSERT_EQ(run.step(3), NACRE_OK) << run.error.message;
  EXPECT_EQ(cuda.launches.size(), 6u) << "three eager ones, three recorded ones";
  EXPECT_EQ(cuda.count("cuStreamBeginCapture"), 1);
  EXPECT_EQ(cuda.count("cuGraphLaunch"), 3);
  EXPECT_EQ(run.weights(), (Weights{5, 6, 7, 8}));
  ASSERT_EQ(run.scale(3), NACRE_OK);
  ASSERT_EQ(run.scale(3), NACRE_OK);
  EXPECT_EQ(cuda.count("cuStreamBeginCapture"), 1) << "only what writes parameters";
}

TEST_F(Device, AReplayedStepReadsNewInputs) {
  DeviceRun there("cuda", 100000), here("cpu", 100000);
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(there.step(100000, float(i)), NACRE_OK) << there.error.message; // x is long, the rate is short
    ASSERT_EQ(here.step(100000, float(i)), NACRE_OK);
    EXPECT_EQ(there.loss, here.loss);
  }
  EXPECT_EQ(there.weights(), here.weights());
}

TEST_F(Device, FewGraphsAreKept) {
  DeviceRun run;
  for (int64_t rows = 1; rows <= 9; ++rows)
    for (int i = 0; i < 2; ++i)
      ASSERT_EQ(run.step(rows), NACRE_OK);
  EXPECT_EQ(cuda.count("cuGraphInstantiate"), 9);
  EXPECT_EQ(cuda.count("cuGraphExecDestroy"), 1) << "the one that was used least recently";
  ASSERT_EQ(run.step(2), NACRE_OK);
  EXPECT_EQ(cuda.count("cuGraphInstantiate"), 9);
  ASSERT_EQ(run.step(1), NACRE_OK);
  EXPECT_EQ(cuda.count("cuGraphExecDestroy"), 2);
  EXPECT_EQ(run.weights(), (Weights{21, 22, 23, 24}));
}

TEST_F(Device, CallsAllocateNothing) {
  DeviceRun run;
  for (int i = 0; i < 2; ++i)
    ASSERT_EQ(run.step(3), NACRE_OK);
  ASSERT_EQ(run.scale(3), NACRE_OK);
  int64_t host = faults::allocations(), there = cuda.live;
  nacre_api const &api = nacre_runtime_api;
  float x[12] = {}, y[12], rate = 1, loss;
  int32_t which[3] = {};
  const int64_t dims[] = {3};
  void *scaleIn[] = {x, which}, *scaleOut[] = {y}, *stepIn[] = {x, &rate}, *stepOut[] = {&loss};
  int64_t before = faults::allocations() - host;
  ASSERT_EQ(api.call_typed(run.context, DeviceScale, dims, scaleIn, scaleOut, nullptr), NACRE_OK);
  ASSERT_EQ(api.call_typed(run.context, DeviceStep, dims, stepIn, stepOut, nullptr), NACRE_OK);
  EXPECT_EQ(faults::allocations() - host, before);
  EXPECT_EQ(cuda.live, there);
}

// ---- refusals by kernels

TEST_F(Device, ANonFiniteLossWritesNothing) {
  DeviceRun run;
  for (int i = 0; i < 3; ++i) { // eager, recorded, replayed
    run.loss = -7;
    ASSERT_EQ(run.step(3, 1, NAN), NACRE_ERR_NONFINITE);
    EXPECT_STREQ(run.error.message, "step: the loss is not finite; nothing was written");
    EXPECT_EQ(run.loss, -7);
    EXPECT_EQ(run.weights(), (Weights{1, 2, 3, 4}));
  }
  ASSERT_EQ(run.step(3), NACRE_OK) << "the status word is clean again";
  EXPECT_EQ(run.weights(), (Weights{2, 3, 4, 5}));
}

TEST_F(Device, ACheckSaysWhatTheCpuSays) {
  DeviceRun there("cuda"), here("cpu");
  EXPECT_EQ(there.count(3, 7), NACRE_ERR_VALUE);
  EXPECT_EQ(here.count(3, 7), NACRE_ERR_VALUE);
  EXPECT_STREQ(there.error.message, "count: count expects at most 6 pieces, but got 7");
  EXPECT_STREQ(here.error.message, there.error.message);
  EXPECT_EQ(there.count(3, 6), NACRE_OK);
  EXPECT_EQ(there.many, 3);
}

TEST_F(Device, InputsAreCheckedBeforeAnythingIsSent) {
  DeviceRun run;
  int32_t which[1] = {4};
  float x[4] = {}, y[4];
  const int64_t dims[] = {1};
  void *inputs[] = {x, which}, *outputs[] = {y};
  cuda.clear();
  EXPECT_EQ(api.call_typed(run.context, DeviceScale, dims, inputs, outputs, &run.error), NACRE_ERR_VALUE);
  EXPECT_STREQ(run.error.message, "scale: input 'which' holds 4 at position 0, expected a value in [0, 4)");
  EXPECT_TRUE(cuda.calls.empty());
}

// ---- taps

TEST_F(Device, TapsReadAndChangeValues) {
  DeviceRun there("cuda"), here("cpu");
  float seenThere[8], seenHere[8], half = 0.5f;
  auto items = [&](float *seen) {
    nacre_intervention scaled = {0, NACRE_TAP_SCALE, 1, 0, {1}, {&half, NACRE_F32, 0, {}}};
    nacre_intervention read = {0, NACRE_TAP_READ, 0, 0, {}, {seen, NACRE_F32, 2, {2, 4}}};
    return std::vector<nacre_intervention>{scaled, read};
  };
  ASSERT_EQ(there.scale(2, items(seenThere)), NACRE_OK) << there.error.message;
  ASSERT_EQ(here.scale(2, items(seenHere)), NACRE_OK) << here.error.message;
  EXPECT_EQ(there.y, here.y);
  EXPECT_EQ(std::vector<float>(seenThere, seenThere + 8), std::vector<float>(seenHere, seenHere + 8));
  seenThere[0] = seenHere[0] = -1;
  ASSERT_EQ(there.scale(2, items(seenThere), 0), NACRE_OK) << there.error.message;
  ASSERT_EQ(here.scale(2, items(seenHere), 0), NACRE_OK) << here.error.message;
  EXPECT_EQ(there.y, here.y);
  EXPECT_EQ(seenThere[0], -1) << "its guard does not hold";
  int64_t waits = cuda.count("cuStreamSynchronize");
  ASSERT_EQ(there.scale(2), NACRE_OK);
  EXPECT_EQ(cuda.count("cuStreamSynchronize"), waits + 1) << "a call without interventions waits once, at its end";
}

} // namespace
