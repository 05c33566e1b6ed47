// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/schedule.h"

#include <gtest/gtest.h>

static nacre_model modelWith(nacre_schedule_kind kind, int32_t warmup) {
  nacre_model model = {};
  model.training.rate = 0.5;
  model.training.schedule = kind;
  model.training.warmup_steps = warmup;
  return model;
}

TEST(Schedule, ConstantStaysAtThePeak) {
  nacre_model model = modelWith(NACRE_SCHEDULE_CONSTANT, 0);
  EXPECT_EQ(nacre_training_rate(&model, 1, 100), 0.5);
  EXPECT_EQ(nacre_training_rate(&model, 100, 100), 0.5);
}

TEST(Schedule, WarmsUpLinearlyFromZero) {
  for (auto kind : {NACRE_SCHEDULE_CONSTANT, NACRE_SCHEDULE_LINEAR, NACRE_SCHEDULE_COSINE}) {
    nacre_model model = modelWith(kind, 10);
    EXPECT_EQ(nacre_training_rate(&model, 0, 100), 0.0);
    EXPECT_DOUBLE_EQ(nacre_training_rate(&model, 1, 100), 0.05);
    EXPECT_DOUBLE_EQ(nacre_training_rate(&model, 5, 100), 0.25);
    EXPECT_EQ(nacre_training_rate(&model, 10, 100), 0.5);
  }
}

TEST(Schedule, LinearFallsToZero) {
  nacre_model model = modelWith(NACRE_SCHEDULE_LINEAR, 10);
  EXPECT_DOUBLE_EQ(nacre_training_rate(&model, 55, 100), 0.25);
  EXPECT_EQ(nacre_training_rate(&model, 100, 100), 0.0);
  EXPECT_EQ(nacre_training_rate(&model, 200, 100), 0.0);
}

TEST(Schedule, CosineFallsToZero) {
  nacre_model model = modelWith(NACRE_SCHEDULE_COSINE, 0);
  EXPECT_NEAR(nacre_training_rate(&model, 25, 100), 0.25 * (1 + 0.70710678118654752), 1e-15);
  EXPECT_NEAR(nacre_training_rate(&model, 50, 100), 0.25, 1e-15);
  EXPECT_EQ(nacre_training_rate(&model, 100, 100), 0.0);
}

TEST(Schedule, SurvivesAWarmUpLongerThanTheTraining) {
  nacre_model model = modelWith(NACRE_SCHEDULE_COSINE, 100);
  EXPECT_DOUBLE_EQ(nacre_training_rate(&model, 50, 50), 0.25);
  EXPECT_EQ(nacre_training_rate(&model, 150, 50), 0.5);
  EXPECT_EQ(nacre_training_rate(&model, 1, 0), 0.005);
}
