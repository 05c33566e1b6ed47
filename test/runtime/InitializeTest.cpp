// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/ToyModel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

static const nacre_api &api = nacre_runtime_api;

namespace {

// A model of one parameter, drawn.
struct Drawn {
  Drawn(std::vector<int64_t> shape, nacre_init_kind init, double value = 0, uint64_t seed = 1) {
    parameter = {"p", nullptr, NACRE_F32, int32_t(shape.size()), {}, 0, NACRE_PARAM, 0, init, value};
    int64_t count = 1;
    for (size_t axis = 0; axis < shape.size(); ++axis)
      count *= parameter.shape[axis] = shape[axis];
    model.abi_version = NACRE_ABI_VERSION;
    model.name = "drawn";
    model.parameters = &parameter;
    model.parameter_count = 1;
    model.parameter_bytes = count * 4;
    nacre_parameters *parameters = api.parameters_create(&model, nullptr);
    status = api.parameters_init(parameters, seed, &error);
    nacre_tensor view;
    api.parameters_get(parameters, "p", &view, nullptr);
    values.assign(static_cast<float *>(view.data), static_cast<float *>(view.data) + count);
    api.parameters_destroy(parameters);
  }

  double mean() const {
    double sum = 0;
    for (float value : values)
      sum += value;
    return sum / double(values.size());
  }
  double meanSquare() const {
    double sum = 0;
    for (float value : values)
      sum += double(value) * value;
    return sum / double(values.size());
  }

  nacre_parameter parameter;
  nacre_model model = {};
  nacre_status status;
  nacre_error error = {};
  std::vector<float> values;
};

} // namespace

TEST(Initialize, Constants) {
  for (auto [init, expected] : {std::pair(NACRE_INIT_ZEROS, 0.0f), {NACRE_INIT_ONES, 1.0f}, {NACRE_INIT_CONSTANT, 2.5f}}) {
    Drawn drawn({3, 2}, init, 2.5);
    EXPECT_EQ(std::count(drawn.values.begin(), drawn.values.end(), expected), 6);
  }
}

// 20,000 draws: the tolerances are five standard errors.
TEST(Initialize, NormalHasItsDeviation) {
  Drawn drawn({100, 200}, NACRE_INIT_NORMAL, 0.02);
  EXPECT_NEAR(drawn.mean(), 0, 5 * 0.02 / std::sqrt(20000));
  EXPECT_NEAR(drawn.meanSquare(), 0.0004, 5 * 0.0004 * std::sqrt(2.0 / 20000));
}

TEST(Initialize, UniformStaysInItsRange) {
  Drawn drawn({100, 200}, NACRE_INIT_UNIFORM, 0.3);
  EXPECT_GE(*std::min_element(drawn.values.begin(), drawn.values.end()), -0.3f);
  EXPECT_LT(*std::max_element(drawn.values.begin(), drawn.values.end()), 0.3f);
  EXPECT_NEAR(drawn.meanSquare(), 0.03, 0.03 * 5 * std::sqrt(0.8 / 20000));
}

TEST(Initialize, KaimingAndXavierUseTheFans) {
  Drawn kaiming({50, 2, 200}, NACRE_INIT_KAIMING);
  EXPECT_NEAR(kaiming.meanSquare(), 0.02, 0.02 * 5 * std::sqrt(2.0 / 20000));
  Drawn xavier({100, 200}, NACRE_INIT_XAVIER);
  double limit = std::sqrt(6.0 / 300);
  EXPECT_NEAR(xavier.meanSquare(), limit * limit / 3, limit * limit / 3 * 5 * std::sqrt(0.8 / 20000));
  EXPECT_LE(*std::max_element(xavier.values.begin(), xavier.values.end()), float(limit));
}

TEST(Initialize, UnitRowsHaveLengthOne) {
  Drawn drawn({7, 33}, NACRE_INIT_UNIT_ROWS);
  for (int row = 0; row < 7; ++row) {
    double sum = 0;
    for (int i = 0; i < 33; ++i)
      sum += std::pow(double(drawn.values[size_t(row * 33 + i)]), 2);
    EXPECT_NEAR(sum, 1, 33 * 0x1p-24);
  }
}

TEST(Initialize, AcceptsEmptyAndScalarParameters) {
  EXPECT_EQ(Drawn({0, 4}, NACRE_INIT_KAIMING).status, NACRE_OK);
  EXPECT_EQ(Drawn({3, 0}, NACRE_INIT_UNIT_ROWS).status, NACRE_OK);
  EXPECT_TRUE(std::isfinite(Drawn({}, NACRE_INIT_XAVIER).values[0]));
}

TEST(Initialize, DependsOnTheSeedAlone) {
  EXPECT_EQ(Drawn({9, 9}, NACRE_INIT_NORMAL, 1, 5).values, Drawn({9, 9}, NACRE_INIT_NORMAL, 1, 5).values);
  EXPECT_NE(Drawn({9, 9}, NACRE_INIT_NORMAL, 1, 5).values, Drawn({9, 9}, NACRE_INIT_NORMAL, 1, 6).values);
  // An element's value does not depend on how many there are.
  EXPECT_EQ(Drawn({3}, NACRE_INIT_NORMAL, 1, 5).values[2], Drawn({1000}, NACRE_INIT_NORMAL, 1, 5).values[2]);
  EXPECT_EQ(Drawn({3}, NACRE_INIT_UNIFORM, 1, 5).values[2], Drawn({1000}, NACRE_INIT_UNIFORM, 1, 5).values[2]);
}

TEST(Initialize, FillsAWholeModel) {
  Toy toy;
  ASSERT_EQ(api.parameters_init(toy.parameters, 3, &toy.error), NACRE_OK);
  EXPECT_EQ(reinterpret_cast<int32_t *>(toy.parameter("ids"))[2], 7);
  EXPECT_EQ(toy.parameter("mean")[1], 1.0f);
  EXPECT_NE(toy.parameter("w")[0], toy.parameter("t")[0]);
  EXPECT_EQ(toy.parameter("optimizer.w.m")[5], 0.0f);
}

TEST(Initialize, RefusesWhatItDoesNotKnow) {
  Drawn unknown({2}, nacre_init_kind(50));
  EXPECT_EQ(unknown.status, NACRE_ERR_VALUE);
  EXPECT_STREQ(unknown.error.message, "parameter 'p' has an unknown initialiser");
  nacre_parameter whole = {"n", nullptr, NACRE_I32, 1, {2}, 0, NACRE_PARAM, 0, NACRE_INIT_NORMAL, 1};
  nacre_model model = toyModel();
  model.parameters = &whole;
  model.parameter_count = 1;
  nacre_error error;
  nacre_parameters *parameters = api.parameters_create(&model, nullptr);
  EXPECT_EQ(api.parameters_init(parameters, 1, &error), NACRE_ERR_VALUE);
  EXPECT_STREQ(error.message, "parameter 'n' is i32 and cannot be drawn at random");
  api.parameters_destroy(parameters);
}
