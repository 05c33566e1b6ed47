// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/size.h"

#include <gtest/gtest.h>

static const nacre_dim dimNames[] = {{"B", 100}, {"T", 100}};

template <size_t N> static nacre_size sizeOf(const nacre_term (&terms)[N]) { return {terms, int64_t(N)}; }

TEST(Size, EvaluatesPolynomials) {
  const nacre_term terms[] = {{12, {1, 1}}, {-1, {0, 2}}, {7, {}}};
  const int64_t dims[] = {3, 5};
  int64_t value = 0;
  nacre_size size = sizeOf(terms);
  ASSERT_TRUE(nacre_size_evaluate(&size, dims, 2, &value));
  EXPECT_EQ(value, 12 * 15 - 25 + 7);
}

TEST(Size, OfNoTermsIsZero) {
  nacre_size size = {nullptr, 0};
  int64_t value = 5;
  EXPECT_TRUE(nacre_size_evaluate(&size, nullptr, 0, &value));
  EXPECT_EQ(value, 0);
}

TEST(Size, SeesOverflowInProductsAndSums) {
  const int64_t dims[] = {INT64_C(1) << 40, INT64_MAX};
  int64_t value = 0;
  const nacre_term product[] = {{1, {2}}};
  nacre_size size = sizeOf(product);
  EXPECT_FALSE(nacre_size_evaluate(&size, dims, 2, &value));
  const nacre_term sum[] = {{1, {0, 1}}, {1, {}}};
  size = sizeOf(sum);
  EXPECT_FALSE(nacre_size_evaluate(&size, dims, 2, &value));
}

TEST(Size, ListsItsDims) {
  const nacre_term terms[] = {{2, {0, 1}}, {1, {}}};
  nacre_size size = sizeOf(terms);
  EXPECT_EQ(nacre_size_dims(&size, 2), 2u);
}

TEST(Size, SolvesForOneUnknown) {
  const nacre_term terms[] = {{2, {1, 1}}, {3, {}}}; // 2*B*T + 3
  const int64_t dims[] = {0, 5};
  int32_t dim = -1;
  int64_t value = -1;
  nacre_size size = sizeOf(terms);
  EXPECT_EQ(nacre_size_solve(&size, dims, 2, 2, 43, &dim, &value), NACRE_SOLVED);
  EXPECT_EQ(dim, 0);
  EXPECT_EQ(value, 4);
  EXPECT_EQ(nacre_size_solve(&size, dims, 2, 2, 44, &dim, &value), NACRE_NO_VALUE);
  EXPECT_EQ(nacre_size_solve(&size, dims, 2, 2, -7, &dim, &value), NACRE_NO_VALUE);
  EXPECT_EQ(nacre_size_solve(&size, dims, 2, 0, 43, &dim, &value), NACRE_NOT_LINEAR);
}

TEST(Size, SolvesNothingThatIsNotLinear) {
  int32_t dim = -1;
  int64_t value = -1;
  const nacre_term square[] = {{1, {2}}};
  nacre_size size = sizeOf(square);
  const int64_t dims[] = {0, 0};
  EXPECT_EQ(nacre_size_solve(&size, dims, 2, 0, 9, &dim, &value), NACRE_NOT_LINEAR);
  const nacre_term product[] = {{1, {1, 1}}};
  size = sizeOf(product);
  EXPECT_EQ(nacre_size_solve(&size, dims, 2, 2, 0, &dim, &value), NACRE_NOT_LINEAR); // 0 * B
}

TEST(Size, SolvesAtTheEdgeOfTheRange) {
  int32_t dim = -1;
  int64_t value = -1;
  const int64_t dims[] = {0, 0};
  const nacre_term negated[] = {{-1, {1}}};
  nacre_size size = sizeOf(negated);
  EXPECT_EQ(nacre_size_solve(&size, dims, 2, 0, INT64_MIN, &dim, &value), NACRE_NO_VALUE);
  const nacre_term shifted[] = {{1, {1}}, {1, {}}};
  size = sizeOf(shifted);
  EXPECT_EQ(nacre_size_solve(&size, dims, 2, 0, INT64_MIN, &dim, &value), NACRE_NOT_LINEAR);
}

TEST(Size, WritesItsFormula) {
  const nacre_term terms[] = {{12, {1, 2}}, {1, {1}}, {5, {}}};
  nacre_size size = sizeOf(terms);
  char text[64];
  EXPECT_STREQ(nacre_size_text(&size, dimNames, 2, text, sizeof text), "12*B*T*T + B + 5");
  EXPECT_STREQ(nacre_size_text(&size, dimNames, 2, text, 6), "12*B*");
  size.count = 0;
  EXPECT_STREQ(nacre_size_text(&size, dimNames, 2, text, sizeof text), "0");
}
