// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packed weights without a compiler: when they are made, from what, and who waits for whom.
#include "test/runtime/ToyModel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>

namespace {

std::atomic<int> packings;

/// "Packs" all 128 weights as their doubles.
int32_t pack(const nacre_frame *frame) {
  ++packings;
  for (int i = 0; i < 128; ++i)
    reinterpret_cast<float *>(frame->packed)[i] = 2 * reinterpret_cast<const float *>(frame->parameters)[i];
  return NACRE_OK;
}

int32_t refusePacking(const nacre_frame *) { return NACRE_ERR_DEVICE; }

/// The sum of packed weights.
int32_t runSum(const nacre_frame *frame) {
  float sum = 0;
  for (int i = 0; i < 128; ++i)
    sum += reinterpret_cast<const float *>(frame->packed)[i];
  *static_cast<float *>(frame->outputs[0]) = sum;
  return NACRE_OK;
}

/// Adds 1 to the first weight.
int32_t runStep(const nacre_frame *frame) {
  ++*reinterpret_cast<float *>(frame->parameters);
  return NACRE_OK;
}

nacre_port scalarPort() { return {"sum", "", NACRE_F32, 0, nullptr, 0, nullptr, 0, -1, -1}; }

class Packed : public testing::Test {
protected:
  Packed() {
    functions[0].name = "sum", functions[0].outputs = &port, functions[0].output_count = 1, functions[0].program = runSum;
    functions[0].reads_packed = 1;
    functions[1].name = "step", functions[1].program = runStep, functions[1].writes_parameters = 1;
    model.functions = functions, model.function_count = 2;
    model.packed_bytes = 512, model.pack = pack;
    packings = 0;
    parameters = api.parameters_create(&model, &error);
    context = api.context_create(&model, parameters, nullptr, &error);
    fill(1);
  }
  ~Packed() override {
    api.context_destroy(context);
    api.parameters_destroy(parameters);
  }

  void fill(float value) {
    float values[128];
    std::fill_n(values, 128, value);
    nacre_tensor tensor = f32(values, {64, 2});
    ASSERT_EQ(api.parameters_set(parameters, "w", &tensor, &error), NACRE_OK) << error.message;
  }
  float sum(nacre_context *on) {
    float result = -1;
    nacre_tensor output = f32(&result, {});
    nacre_error own = {};
    EXPECT_EQ(api.call(on, 0, nullptr, 0, &output, 1, &own), NACRE_OK) << own.message;
    return result;
  }

  const nacre_api &api = nacre_runtime_api;
  nacre_port port = scalarPort();
  nacre_function functions[2] = {};
  nacre_model model = toyModel();
  nacre_parameters *parameters = nullptr;
  nacre_context *context = nullptr;
  nacre_error error = {};
};

} // namespace

TEST_F(Packed, AreMadeByTheFirstCallAndKept) {
  EXPECT_EQ(packings, 0);
  EXPECT_EQ(sum(context), 256);
  EXPECT_EQ(sum(context), 256);
  EXPECT_EQ(packings, 1);
}

TEST_F(Packed, FollowEveryChange) {
  EXPECT_EQ(sum(context), 256);
  fill(2);
  EXPECT_EQ(sum(context), 512);
  nacre_tensor view = {};
  ASSERT_EQ(api.parameters_get(parameters, "w", &view, &error), NACRE_OK);
  static_cast<float *>(view.data)[0] = 3;
  EXPECT_EQ(sum(context), 514);
  ASSERT_EQ(api.call(context, 1, nullptr, 0, nullptr, 0, &error), NACRE_OK) << error.message;
  EXPECT_EQ(sum(context), 516);
  EXPECT_EQ(packings, 4);
}

TEST_F(Packed, ThatCannotBeMadeEndTheCallAndAreTriedAgain) {
  model.pack = refusePacking;
  float result = -1;
  nacre_tensor output = f32(&result, {});
  EXPECT_EQ(api.call(context, 0, nullptr, 0, &output, 1, &error), NACRE_ERR_DEVICE);
  EXPECT_EQ(result, -1);
  model.pack = pack;
  EXPECT_EQ(sum(context), 256);
}

TEST_F(Packed, ThatDoNotFitAreAnErrorOfTheContext) {
  model.packed_bytes = INT64_MAX;
  nacre_parameters *other = api.parameters_create(&model, &error);
  EXPECT_EQ(api.context_create(&model, other, nullptr, &error), nullptr);
  EXPECT_EQ(error.status, NACRE_ERR_MEMORY);
  api.parameters_destroy(other);
}

TEST_F(Packed, AreMadeOnceForAllContextsThatWantThem) {
  nacre_context *others[3];
  for (nacre_context *&other : others)
    other = api.context_create(&model, parameters, nullptr, &error);
  for (int round = 1; round <= 20; ++round) {
    fill(float(round));
    std::vector<std::thread> threads;
    for (nacre_context *other : others)
      threads.emplace_back([&, other] {
        for (int i = 0; i < 20; ++i)
          EXPECT_EQ(sum(other), 256 * float(round));
      });
    for (std::thread &thread : threads)
      thread.join();
    EXPECT_EQ(packings, round);
  }
  for (nacre_context *other : others)
    api.context_destroy(other);
}
