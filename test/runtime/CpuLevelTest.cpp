// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/cpu_level.h"
#include "runtime/src/cpu_supports.h"

#include <gtest/gtest.h>

#include <cstdlib>

static nacre_model modelWith(const nacre_level *levels, int32_t count) {
  nacre_model model = {};
  model.levels = levels;
  model.level_count = count;
  return model;
}

class CpuLevel : public testing::Test {
protected:
  void SetUp() override { unsetenv("NACRE_CPU"); }
  void TearDown() override { unsetenv("NACRE_CPU"); }
  nacre_error error = {};
};

TEST_F(CpuLevel, AgreesWithTheCompiler) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  __builtin_cpu_init();
  bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
            __builtin_cpu_supports("bmi2");
  bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  EXPECT_EQ(nacre_cpu_supports("v3"), v3);
  EXPECT_EQ(nacre_cpu_supports("v4"), v4);
  EXPECT_TRUE(nacre_cpu_supports("v1"));
#endif
  EXPECT_TRUE(nacre_cpu_supports("generic"));
  EXPECT_FALSE(nacre_cpu_supports("v9"));
}

TEST_F(CpuLevel, TakesTheLastSupportedOne) {
  const nacre_level levels[] = {{"generic", nullptr}, {"generic", nullptr}, {"v9", nullptr}};
  nacre_model model = modelWith(levels, 3);
  EXPECT_EQ(nacre_choose_level(&model, nullptr, &error), &levels[1]);
}

TEST_F(CpuLevel, TakesNativeOnlyWhenAskedOrAlone) {
  const nacre_level levels[] = {{"generic", nullptr}, {"native", nullptr}};
  nacre_model both = modelWith(levels, 2);
  nacre_model alone = modelWith(levels + 1, 1);
  EXPECT_EQ(nacre_choose_level(&both, nullptr, &error), &levels[0]);
  EXPECT_EQ(nacre_choose_level(&both, "native", &error), &levels[1]);
  EXPECT_EQ(nacre_choose_level(&alone, nullptr, &error), &levels[1]);
}

TEST_F(CpuLevel, ObeysTheEnvironmentUnlessTold) {
  const nacre_level levels[] = {{"generic", nullptr}, {"native", nullptr}};
  nacre_model model = modelWith(levels, 2);
  setenv("NACRE_CPU", "native", 1);
  EXPECT_EQ(nacre_choose_level(&model, nullptr, &error), &levels[1]);
  EXPECT_EQ(nacre_choose_level(&model, "generic", &error), &levels[0]);
  setenv("NACRE_CPU", "", 1);
  EXPECT_EQ(nacre_choose_level(&model, nullptr, &error), &levels[0]);
}

TEST_F(CpuLevel, SaysWhatIsMissing) {
  const nacre_level levels[] = {{"v8", nullptr}, {"v9", nullptr}};
  nacre_model model = modelWith(levels, 2);
  EXPECT_EQ(nacre_choose_level(&model, "v3", &error), nullptr);
  EXPECT_STREQ(error.message, "the library has no CPU level 'v3', only v8, v9");
  EXPECT_EQ(error.status, NACRE_ERR_DEVICE);
  EXPECT_EQ(nacre_choose_level(&model, "v9", &error), nullptr);
  EXPECT_STREQ(error.message, "this machine does not support the CPU level 'v9'");
  EXPECT_EQ(nacre_choose_level(&model, nullptr, &error), nullptr);
  EXPECT_STREQ(error.message, "this machine supports none of the library's CPU levels (v8, v9)");
}
