// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Faults.h"
#include "test/runtime/ToyModel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <thread>

static const nacre_api &api = nacre_runtime_api;

// Column sums through a weight of ones and twos, for `rows` rows, on `toy`.
static void expectEncodes(Toy &toy, int64_t rows) {
  std::vector<float> x(size_t(rows) * 64);
  std::vector<float> z(size_t(rows) * 2, -1);
  std::iota(x.begin(), x.end(), 0.0f);
  ASSERT_EQ(toy.call(Encode, {f32(x.data(), {rows, 64})}, {f32(z.data(), {rows, 2})}), NACRE_OK) << toy.error.message;
  for (int64_t row = 0; row < rows; ++row) {
    float sum = std::accumulate(&x[size_t(row) * 64], &x[size_t(row) * 64] + 64, 0.0f);
    ASSERT_EQ(z[size_t(row) * 2], sum);
    ASSERT_EQ(z[size_t(row) * 2 + 1], 2 * sum);
  }
}

static void setWeights(Toy &toy) {
  float *w = toy.parameter("w");
  for (int i = 0; i < 64; ++i) {
    w[2 * i] = 1;
    w[2 * i + 1] = 2;
  }
}

class Contexts : public testing::TestWithParam<int32_t> {};

TEST_P(Contexts, RunAnyBatchSize) {
  Toy toy(GetParam());
  ASSERT_NE(toy.context, nullptr) << toy.error.message;
  setWeights(toy);
  for (int64_t rows : {0, 1, 2, 3, 17, 256, 4096})
    expectEncodes(toy, rows);
}

INSTANTIATE_TEST_SUITE_P(Threads, Contexts, testing::Values(1, 2, 4), testing::PrintToStringParamName());

TEST(Context, ShareParametersBetweenThreads) {
  Toy toy;
  setWeights(toy);
  auto drive = [&] {
    const nacre_options options = {2, nullptr, nullptr};
    nacre_error error;
    nacre_context *context = api.context_create(&toyModel(), toy.parameters, &options, &error);
    ASSERT_NE(context, nullptr) << error.message;
    std::vector<float> x(64 * 64, 1.0f), z(64 * 2);
    const nacre_tensor in = f32(x.data(), {64, 64});
    nacre_tensor out = f32(z.data(), {64, 2});
    for (int round = 0; round < 200; ++round) {
      std::fill(z.begin(), z.end(), 0.0f);
      ASSERT_EQ(api.call(context, Encode, &in, 1, &out, 1, &error), NACRE_OK) << error.message;
      ASSERT_EQ(z[127], 128.0f);
    }
    api.context_destroy(context);
  };
  std::thread other(drive);
  drive();
  other.join();
}

TEST(Context, CallsWithoutAllocating) {
  Toy toy(2);
  std::vector<float> x(64 * 64), z(128);
  int64_t before = faults::allocations();
  const nacre_tensor in = f32(x.data(), {64, 64});
  nacre_tensor out = f32(z.data(), {64, 2});
  for (int round = 0; round < 10; ++round)
    EXPECT_EQ(api.call(toy.context, Encode, &in, 1, &out, 1, nullptr), NACRE_OK);
  out.shape[0] = 1;
  EXPECT_EQ(api.call(toy.context, Encode, &in, 1, &out, 1, &toy.error), NACRE_ERR_SHAPE);
  EXPECT_EQ(faults::allocations(), before);
}

TEST(Context, TakesRunTimeWidths) {
  Toy toy;
  float x[128], y[128], which = -1;
  std::iota(x, x + 128, 0.0f);
  int32_t width = 4;
  ASSERT_EQ(toy.call(Cut, {f32(x, {2, 64}), i32(&width, {})}, {f32(y, {2, 4}), f32(&which, {})}), NACRE_OK)
      << toy.error.message;
  EXPECT_EQ(y[4], 64.0f);
  EXPECT_EQ(which, 0.0f);
  width = 64;
  ASSERT_EQ(toy.call(Cut, {f32(x, {2, 64}), i32(&width, {})}, {f32(y, {2, 64}), f32(&which, {})}), NACRE_OK);
  EXPECT_EQ(which, 2.0f);
  width = 5;
  EXPECT_EQ(toy.call(Cut, {f32(x, {2, 64}), i32(&width, {})}, {f32(y, {2, 5}), f32(&which, {})}), NACRE_ERR_VALUE);
}

TEST(Context, RefusesValuesBeforeTheFirstKernel) {
  Toy toy;
  int32_t ids[] = {1, 2, 1000000, 3}, n[] = {2, 2};
  float sum[2] = {-1, -1};
  EXPECT_EQ(toy.call(Lookup, {i32(ids, {2, 2}), i32(n, {2})}, {f32(sum, {2})}), NACRE_ERR_VALUE);
  EXPECT_EQ(sum[0], -1.0f);
  ids[2] = 9;
  EXPECT_EQ(toy.call(Lookup, {i32(ids, {2, 2}), i32(n, {2})}, {f32(sum, {2})}), NACRE_OK);
  EXPECT_EQ(sum[1], 12.0f);
}

TEST(Context, ReportsALossThatIsNotFinite) {
  Toy toy;
  float x[] = {1, NAN, 2}, rate = 0.5f, loss = 0;
  EXPECT_EQ(toy.call(Step, {f32(x, {3}), f32(&rate, {})}, {f32(&loss, {})}), NACRE_ERR_NONFINITE);
  EXPECT_STREQ(toy.error.message, "step: the loss is not finite; nothing was written");
  EXPECT_EQ(toy.parameter("w")[0], 0.0f);
  x[1] = 0;
  EXPECT_EQ(toy.call(Step, {f32(x, {3}), f32(&rate, {})}, {f32(&loss, {})}), NACRE_OK);
  EXPECT_EQ(toy.parameter("w")[0], 0.5f);
}

TEST(Context, KnowsFunctionsByName) {
  EXPECT_EQ(api.function_index(&toyModel(), "cut"), Cut);
  EXPECT_EQ(api.function_index(&toyModel(), "none"), -1);
  Toy toy;
  EXPECT_EQ(api.call(toy.context, 6, nullptr, 0, nullptr, 0, &toy.error), NACRE_ERR_NAME);
  EXPECT_STREQ(toy.error.message, "model 'toy' has no function number 6");
  EXPECT_EQ(api.call_typed(toy.context, -1, nullptr, nullptr, nullptr, &toy.error), NACRE_ERR_NAME);
}

TEST(Context, CallsWithGivenDims) {
  Toy toy;
  setWeights(toy);
  float x[64], z[2];
  std::fill(x, x + 64, 1.0f);
  void *inputs[] = {x};
  void *outputs[] = {z};
  int64_t dims[] = {1, 0, 0, 0};
  ASSERT_EQ(api.call_typed(toy.context, Encode, dims, inputs, outputs, &toy.error), NACRE_OK) << toy.error.message;
  EXPECT_EQ(z[1], 128.0f);
  dims[0] = 5000;
  EXPECT_EQ(api.call_typed(toy.context, Encode, dims, inputs, outputs, &toy.error), NACRE_ERR_SHAPE);
  EXPECT_STREQ(toy.error.message, "encode: dim 'B' is 5000, above its bound of 4096");
  dims[0] = -1;
  EXPECT_EQ(api.call_typed(toy.context, Encode, dims, inputs, outputs, &toy.error), NACRE_ERR_SHAPE);
  EXPECT_STREQ(toy.error.message, "encode: dim 'B' is -1, below 0");
}

TEST(Context, ChecksChoicesAndValuesOfTypedCalls) {
  Toy toy;
  float x[64] = {}, y[64], which;
  int32_t width = 16;
  void *inputs[] = {x, &width};
  void *outputs[] = {y, &which};
  const int64_t dims[] = {1, 0, 0, 0};
  ASSERT_EQ(api.call_typed(toy.context, Cut, dims, inputs, outputs, &toy.error), NACRE_OK) << toy.error.message;
  EXPECT_EQ(which, 1.0f);
  width = 17;
  EXPECT_EQ(api.call_typed(toy.context, Cut, dims, inputs, outputs, &toy.error), NACRE_ERR_VALUE);
  inputs[1] = nullptr;
  EXPECT_EQ(api.call_typed(toy.context, Cut, dims, inputs, outputs, &toy.error), NACRE_ERR_VALUE);
  int32_t ids[] = {10}, n[] = {1};
  void *lookup[] = {ids, n};
  const int64_t one[] = {1, 1, 0, 0};
  EXPECT_EQ(api.call_typed(toy.context, Lookup, one, lookup, outputs, &toy.error), NACRE_ERR_VALUE);
}

TEST(Context, KeepsToItsLargestDims) {
  const int64_t maxDims[] = {8, 0, 0, 0};
  Toy toy(1, maxDims);
  ASSERT_NE(toy.context, nullptr) << toy.error.message;
  setWeights(toy);
  expectEncodes(toy, 8);
  float x[9 * 64], z[18];
  EXPECT_EQ(toy.call(Encode, {f32(x, {9, 64})}, {f32(z, {9, 2})}), NACRE_ERR_SHAPE);
  const int64_t tooLarge[] = {4097, 0, 0, 0};
  Toy refused(1, tooLarge);
  EXPECT_EQ(refused.context, nullptr);
  EXPECT_STREQ(refused.error.message, "the largest size of dim 'B' is 4097, expected 0 to its bound of 4096");
}

TEST(Context, UsesAllProcessorsByDefault) {
  Toy toy(0);
  setWeights(toy);
  expectEncodes(toy, 100);
}

TEST(Context, RefusesOptionsThatMakeNoSense) {
  for (int32_t threads : {-1, 1025}) {
    Toy toy(threads);
    EXPECT_EQ(toy.context, nullptr);
    EXPECT_EQ(toy.error.status, NACRE_ERR_VALUE);
  }
  Toy toy;
  const nacre_options options = {1, "v9", nullptr};
  EXPECT_EQ(api.context_create(&toyModel(), toy.parameters, &options, &toy.error), nullptr);
  EXPECT_EQ(toy.error.status, NACRE_ERR_DEVICE);
}

TEST(Context, RefusesParametersOfAnotherModel) {
  nacre_model other = toyModel();
  other.name = "other";
  Toy toy;
  EXPECT_EQ(api.context_create(&other, toy.parameters, nullptr, &toy.error), nullptr);
  EXPECT_STREQ(toy.error.message, "the parameters belong to model 'toy', not to 'other'");
  EXPECT_EQ(api.context_create(&other, nullptr, nullptr, &toy.error), nullptr);
  EXPECT_STREQ(toy.error.message, "model 'other' needs parameters, but got none");
  other.parameter_bytes = 0;
  nacre_context *context = api.context_create(&other, nullptr, nullptr, &toy.error);
  EXPECT_NE(context, nullptr) << toy.error.message;
  api.context_destroy(context);
}

TEST(Context, RefusesAnotherInterfaceVersion) {
  nacre_model other = toyModel();
  nacre_error error;
  other.abi_version = NACRE_ABI_VERSION + 1;
  EXPECT_EQ(api.parameters_create(&other, &error), nullptr);
  EXPECT_EQ(api.context_create(&other, nullptr, nullptr, &error), nullptr);
  EXPECT_EQ(error.status, NACRE_ERR_ABI);
  EXPECT_STREQ(error.message, "expected a library of interface version 2, but got version 3");
  other.abi_version = NACRE_ABI_VERSION;
  other.dim_count = 17;
  EXPECT_EQ(api.context_create(&other, nullptr, nullptr, &error), nullptr);
  EXPECT_EQ(error.status, NACRE_ERR_ABI);
}

TEST(Context, RefusesAnArenaThatOverflows) {
  nacre_dim large[] = {{"B", INT64_MAX / 2}, {"T", 16}, {"width", 64}, {"choice", 2}};
  nacre_model other = toyModel();
  other.dims = large;
  other.parameter_bytes = 0;
  nacre_error error;
  EXPECT_EQ(api.context_create(&other, nullptr, nullptr, &error), nullptr);
  EXPECT_STREQ(error.message, "the arena of 'encode' does not fit in 63 bits at the largest dims");
  other.dims = toyModel().dims;
  other.scratch_bytes = INT64_MAX - 100;
  EXPECT_EQ(api.context_create(&other, nullptr, nullptr, &error), nullptr);
  EXPECT_EQ(error.status, NACRE_ERR_MEMORY);
}

TEST(Context, RefusesMoreArenaThanItHolds) {
  const nacre_term falling[] = {{-64, {1}}, {64 * 4096, {}}}; // needs most memory for the smallest batch
  nacre_model other = toyModel();
  nacre_function encode = toyModel().functions[Encode];
  encode.arena_bytes = {falling, 2};
  other.functions = &encode;
  other.function_count = 1;
  Toy toy;
  nacre_parameters *parameters = api.parameters_create(&other, nullptr);
  nacre_context *context = api.context_create(&other, parameters, nullptr, &toy.error);
  ASSERT_NE(context, nullptr) << toy.error.message;
  float x[64] = {}, z[2];
  const nacre_tensor in = f32(x, {1, 64});
  nacre_tensor out = f32(z, {1, 2});
  EXPECT_EQ(api.call(context, 0, &in, 1, &out, 1, &toy.error), NACRE_ERR_MEMORY);
  EXPECT_STREQ(toy.error.message, "encode: these sizes need more memory than the context holds");
  api.context_destroy(context);
  api.parameters_destroy(parameters);
}

TEST(Context, PassesOnAnyOtherStatusOfAProgram) {
  const nacre_term linear[] = {{1, {0, 1}}};
  const nacre_size shape[] = {{linear, 1}};
  nacre_port in = toyModel().functions[Square].inputs[0];
  in.shape = shape;
  nacre_function square = toyModel().functions[Square];
  square.inputs = &in;
  nacre_model other = toyModel();
  other.functions = &square;
  other.function_count = 1;
  other.parameter_bytes = 0;
  nacre_error error;
  nacre_context *context = api.context_create(&other, nullptr, nullptr, &error);
  float x[3] = {}, z;
  const nacre_tensor input = f32(x, {3});
  nacre_tensor output = f32(&z, {});
  EXPECT_EQ(api.call(context, 0, &input, 1, &output, 1, &error), NACRE_ERR_DEVICE);
  EXPECT_STREQ(error.message, "square: the program ended with status 7");
  api.context_destroy(context);
}

TEST(Context, LeavesNothingBehindWhenRefused) {
  auto create = [] {
    Toy toy(3);
    if (toy.context == nullptr) {
      EXPECT_EQ(toy.error.status, NACRE_ERR_MEMORY);
    }
    return toy.context != nullptr;
  };
  EXPECT_EQ(faults::failEach(faults::Call::Allocate, create), 4);
  EXPECT_EQ(faults::failEach(faults::Call::Map, create), 2);
  EXPECT_EQ(faults::failEach(faults::Call::Thread, create), 2);
}

TEST(Context, EndsNothing) {
  api.context_destroy(nullptr);
  api.parameters_destroy(nullptr);
}
