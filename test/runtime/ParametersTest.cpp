// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/ToyModel.h"

#include <gtest/gtest.h>

static const nacre_api &api = nacre_runtime_api;

class Parameters : public testing::Test {
protected:
  Parameters() : parameters(api.parameters_create(&toyModel(), nullptr)) {}
  ~Parameters() override { api.parameters_destroy(parameters); }

  nacre_parameters *parameters;
  nacre_error error = {};
  nacre_tensor view = {};
};

TEST_F(Parameters, StartZeroedAndAligned) {
  ASSERT_EQ(api.parameters_get(parameters, "w", &view, &error), NACRE_OK);
  EXPECT_EQ(uintptr_t(view.data) % 64, 0u);
  EXPECT_EQ(view.rank, 2);
  EXPECT_EQ(view.shape[0], 64);
  EXPECT_EQ(static_cast<float *>(view.data)[127], 0.0f);
}

TEST_F(Parameters, AreSetByName) {
  float values[] = {3, 4};
  nacre_tensor value = f32(values, {2});
  ASSERT_EQ(api.parameters_set(parameters, "mean", &value, &error), NACRE_OK) << error.message;
  api.parameters_get(parameters, "mean", &view, nullptr);
  EXPECT_EQ(static_cast<float *>(view.data)[1], 4.0f);
  EXPECT_EQ(api.parameters_set(parameters, "mean", &view, &error), NACRE_OK); // onto itself
}

TEST_F(Parameters, HaveNoOtherNames) {
  nacre_tensor value = f32(nullptr, {2});
  EXPECT_EQ(api.parameters_get(parameters, "none", &view, &error), NACRE_ERR_NAME);
  EXPECT_STREQ(error.message, "model 'toy' has no parameter 'none'");
  EXPECT_EQ(api.parameters_set(parameters, "none", &value, &error), NACRE_ERR_NAME);
}

TEST_F(Parameters, KeepTheirForm) {
  float values[4] = {};
  nacre_tensor value = f32(values, {4});
  EXPECT_EQ(api.parameters_set(parameters, "mean", &value, &error), NACRE_ERR_SHAPE);
  EXPECT_STREQ(error.message, "parameter 'mean' has shape [2], but got [4]");
  value.rank = 100;
  EXPECT_EQ(api.parameters_set(parameters, "mean", &value, &error), NACRE_ERR_SHAPE);
  value.rank = -1;
  EXPECT_EQ(api.parameters_set(parameters, "mean", &value, &error), NACRE_ERR_SHAPE);
  value = f32(values, {2});
  value.dtype = NACRE_I32;
  EXPECT_EQ(api.parameters_set(parameters, "mean", &value, &error), NACRE_ERR_VALUE);
  EXPECT_STREQ(error.message, "parameter 'mean' is f32, but got values of type i32");
  value = f32(nullptr, {2});
  EXPECT_EQ(api.parameters_set(parameters, "mean", &value, &error), NACRE_ERR_VALUE);
}
