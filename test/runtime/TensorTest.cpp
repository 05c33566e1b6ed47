// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

TEST(Tensor, KnowsEveryType) {
  EXPECT_EQ(nacre_dtype_bytes(NACRE_F64), 8);
  EXPECT_EQ(nacre_dtype_bytes(NACRE_BOOL), 1);
  EXPECT_STREQ(nacre_dtype_name(NACRE_BF16), "bf16");
  EXPECT_TRUE(nacre_dtype_is_float(NACRE_F16));
  EXPECT_FALSE(nacre_dtype_is_float(NACRE_I64));
  EXPECT_EQ(nacre_dtype_bytes(nacre_dtype(77)), 0);
  EXPECT_STREQ(nacre_dtype_name(nacre_dtype(-1)), "unknown");
}

TEST(Tensor, CountsElements) {
  int64_t count = -1;
  const int64_t shape[] = {3, 4, 5};
  EXPECT_TRUE(nacre_element_count(3, shape, &count));
  EXPECT_EQ(count, 60);
  EXPECT_TRUE(nacre_element_count(0, nullptr, &count));
  EXPECT_EQ(count, 1);
}

TEST(Tensor, RefusesSizesThatOverflow) {
  int64_t count = 0;
  const int64_t large[] = {INT64_C(1) << 40, INT64_C(1) << 40};
  EXPECT_FALSE(nacre_element_count(2, large, &count));
  const int64_t negative[] = {0, -1};
  EXPECT_FALSE(nacre_element_count(2, negative, &count));
  const int64_t empty[] = {INT64_C(1) << 40, 0, INT64_C(1) << 40};
  EXPECT_TRUE(nacre_element_count(3, empty, &count));
  EXPECT_EQ(count, 0);
  int64_t bytes = 0;
  nacre_tensor wide = {nullptr, NACRE_F64, 1, {INT64_C(1) << 60}};
  EXPECT_FALSE(nacre_tensor_bytes(&wide, &bytes));
  wide.rank = 9;
  EXPECT_FALSE(nacre_tensor_bytes(&wide, &bytes));
}

TEST(Tensor, SeesSharedMemory) {
  float memory[8];
  nacre_tensor a = {memory, NACRE_F32, 1, {4}};
  nacre_tensor b = {memory + 4, NACRE_F32, 1, {4}};
  EXPECT_FALSE(nacre_tensors_overlap(&a, &b));
  b.data = memory + 3;
  EXPECT_TRUE(nacre_tensors_overlap(&a, &b));
  b.shape[0] = 0;
  EXPECT_FALSE(nacre_tensors_overlap(&a, &b));
}

TEST(Tensor, SeesAlignment) {
  alignas(8) char memory[16];
  nacre_tensor tensor = {memory, NACRE_F32, 0, {}};
  EXPECT_TRUE(nacre_tensor_is_aligned(&tensor));
  tensor.data = memory + 2;
  EXPECT_FALSE(nacre_tensor_is_aligned(&tensor));
}

TEST(Tensor, WritesShapes) {
  char text[16];
  const int64_t shape[] = {2, 30, 4};
  EXPECT_STREQ(nacre_shape_text(3, shape, text, sizeof text), "[2, 30, 4]");
  EXPECT_STREQ(nacre_shape_text(0, shape, text, sizeof text), "[]");
  EXPECT_STREQ(nacre_shape_text(3, shape, text, 6), "[2, 3");
}

TEST(Tensor, ConvertsHalves) {
  const uint16_t halves[] = {0x3C00, 0xC000, 0x0001, 0x8000, 0x7BFF, 0x7C00, 0xFC00, 0x0400, 0x83FF};
  const float expected[] = {1.0f, -2.0f, 0x1p-24f, -0.0f, 65504.0f, INFINITY, -INFINITY, 0x1p-14f, -0x1.ff8p-15f};
  float values[9];
  EXPECT_EQ(nacre_convert(NACRE_F16, halves, 9, NACRE_F32, values), -1);
  for (int i = 0; i < 9; ++i)
    EXPECT_EQ(values[i], expected[i]) << i;
  EXPECT_TRUE(std::signbit(values[3]));
  const uint16_t nan = 0x7E00;
  nacre_convert(NACRE_F16, &nan, 1, NACRE_F32, values);
  EXPECT_TRUE(std::isnan(values[0]));
}

TEST(Tensor, ConvertsBrainFloatsAndDoubles) {
  const uint16_t brain[] = {0x3F80, 0xC020, 0xFF80};
  float values[3];
  nacre_convert(NACRE_BF16, brain, 3, NACRE_F32, values);
  EXPECT_EQ(values[0], 1.0f);
  EXPECT_EQ(values[1], -2.5f);
  EXPECT_EQ(values[2], -INFINITY);
  const double doubles[] = {0.1, 1e300, -1e-320};
  nacre_convert(NACRE_F64, doubles, 3, NACRE_F32, values);
  EXPECT_EQ(values[0], 0.1f);
  EXPECT_EQ(values[1], INFINITY);
  EXPECT_EQ(values[2], -0.0f);
}

TEST(Tensor, ConvertsFromAnyAddress) {
  std::vector<char> bytes(1 + 2 * sizeof(double));
  const double doubles[] = {1.5, -3.0};
  memcpy(bytes.data() + 1, doubles, sizeof doubles);
  float values[2];
  nacre_convert(NACRE_F64, bytes.data() + 1, 2, NACRE_F32, values);
  EXPECT_EQ(values[1], -3.0f);
}

TEST(Tensor, WidensWholeNumbers) {
  int32_t values[2];
  float floats[2];
  const int8_t small[] = {-128, 127};
  const uint8_t bytes[] = {0, 255};
  const int16_t shorts[] = {-32768, 7};
  nacre_convert(NACRE_I8, small, 2, NACRE_I32, values);
  EXPECT_EQ(values[0], -128);
  nacre_convert(NACRE_U8, bytes, 2, NACRE_I32, values);
  EXPECT_EQ(values[1], 255);
  nacre_convert(NACRE_BOOL, bytes, 2, NACRE_I32, values);
  EXPECT_EQ(values[1], 1);
  nacre_convert(NACRE_I16, shorts, 2, NACRE_F32, floats);
  EXPECT_EQ(floats[0], -32768.0f);
  nacre_convert(NACRE_I32, values, 2, NACRE_I32, values);
  nacre_convert(NACRE_U8, bytes, 2, NACRE_F32, floats);
  EXPECT_EQ(floats[1], 255.0f);
}

TEST(Tensor, ReportsTheFirstIntegerThatDoesNotFit) {
  const int64_t wide[] = {INT32_MIN, INT32_MAX, INT64_C(1) << 31, -5};
  int32_t values[4] = {9, 9, 9, 9};
  EXPECT_EQ(nacre_convert(NACRE_I64, wide, 4, NACRE_I32, values), 2);
  EXPECT_EQ(values[0], INT32_MIN);
  EXPECT_EQ(values[2], 9);
  EXPECT_EQ(nacre_convert(NACRE_I64, wide, 2, NACRE_I32, values), -1);
}

TEST(Tensor, ConvertsNoFloatToInteger) {
  EXPECT_FALSE(nacre_can_convert(NACRE_F32, NACRE_I32));
  EXPECT_TRUE(nacre_can_convert(NACRE_I64, NACRE_I32));
  EXPECT_TRUE(nacre_can_convert(NACRE_BOOL, NACRE_F32));
  EXPECT_FALSE(nacre_can_convert(nacre_dtype(50), NACRE_F32));
  EXPECT_FALSE(nacre_can_convert(NACRE_F32, NACRE_F64));
}
