// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes as polynomials: text, arithmetic, substitution, broadcasting.
#include "dialects/Nacre/IR/Dims.h"
#include "dialects/Nacre/IR/NacreDialect.h"

#include <gtest/gtest.h>

using namespace nacre;

static Dim dim(llvm::StringRef text) {
  std::optional<Dim> parsed = Dim::parse(text);
  EXPECT_TRUE(parsed) << text.str();
  return parsed.value_or(Dim());
}

static Dims dims(std::initializer_list<const char *> texts) {
  Dims result;
  for (const char *text : texts)
    result.push_back(dim(text));
  return result;
}

TEST(Dims, CanonicalTextIsTheSameForEveryWayOfWritingIt) {
  const std::pair<const char *, const char *> forms[] = {
      {"0", "0"}, {"7", "7"}, {"-7", "-7"}, {"B", "B"}, {"-B", "-B"}, {"T*B", "B*T"}, {"1+B", "B+1"}, {"B+B", "2*B"}, {"B-B", "0"},
      {"2*3*B", "6*B"}, {"B*T+B*B", "B*B+B*T"}, {"T+12*T*B-1", "12*B*T+T-1"}, {" B + 1 ", "B+1"}, {"m.index", "m.index"}, {"B*0", "0"}};
  for (auto [text, canonical] : forms) {
    EXPECT_EQ(dim(text).str(), canonical) << text;
    EXPECT_EQ(dim(canonical).str(), canonical);
    EXPECT_TRUE(dim(text) == dim(canonical)) << text;
  }
}

TEST(Dims, MalformedTextIsRefused) {
  for (const char *text : {"*", "B*", "*B", "B**T", "+", "3x", "B T", "B+", "B/2", "(B)", "$", "B..T", " "})
    EXPECT_FALSE(Dim::parse(text)) << text;
}

TEST(Dims, ArithmeticIsThatOfPolynomials) {
  Dim b = Dim::symbol("B"), t = Dim::symbol("T"), one = Dim::constant(1);
  EXPECT_EQ(((b + one) * (b - one)).str(), "B*B-1");
  EXPECT_EQ(((b + t) * (b + t)).str(), "B*B+2*B*T+T*T");
  EXPECT_TRUE((b * t - t * b).isZero());
  EXPECT_TRUE((b - b + one).isOne());
  EXPECT_EQ((b * Dim()).asConstant(), 0);
  EXPECT_FALSE(b.asConstant());
}

TEST(Dims, DivisionAndContentLookAtEveryCoefficient) {
  EXPECT_EQ(dim("12*B*T+8*B").content(), 4);
  EXPECT_EQ(dim("12*B*T+8*B").dividedBy(4)->str(), "3*B*T+2*B");
  EXPECT_FALSE(dim("12*B*T+8*B").dividedBy(8));
  EXPECT_FALSE(dim("B").dividedBy(0));
  EXPECT_EQ(Dim().content(), 0);
  EXPECT_TRUE(Dim().dividedBy(3)->isZero());
}

TEST(Dims, SubstitutionReplacesEveryOccurrence) {
  EXPECT_EQ(dim("width*width+B*width").substitute("width", Dim::constant(3)).str(), "3*B+9");
  EXPECT_EQ(dim("B").substitute("B", dim("T+1")).str(), "T+1");
  EXPECT_EQ(dim("B*B").substitute("B", dim("B+1")).str(), "B*B+2*B+1");
  EXPECT_TRUE(dim("B*T").mentions("T"));
  EXPECT_FALSE(dim("B*T").mentions("W"));
}

TEST(Dims, EvaluationNeedsEveryName) {
  llvm::StringMap<int64_t> binding;
  binding["B"] = 5;
  EXPECT_EQ(dim("3*B*B-B+2").evaluate(binding), 72);
  EXPECT_FALSE(dim("B*T").evaluate(binding));
  EXPECT_EQ(dim("4").evaluate({}), 4);
}

TEST(Dims, BroadcastingFollowsNumPy) {
  EXPECT_EQ(text(*broadcast(dims({"B", "1", "4"}), dims({"T", "1"}))), "[B, T, 4]");
  EXPECT_EQ(text(*broadcast(dims({}), dims({"B"}))), "[B]");
  EXPECT_EQ(text(*broadcast(dims({"3"}), dims({"B", "3"}))), "[B, 3]");
  EXPECT_FALSE(broadcast(dims({"B"}), dims({"T"})));
  EXPECT_FALSE(broadcast(dims({"2"}), dims({"3"})));
  EXPECT_FALSE(broadcast(dims({"B+1"}), dims({"B"})));
}

TEST(Dims, AxesCountFromTheEndWhenNegative) {
  EXPECT_EQ(normalizeAxis(-1, 3), 2);
  EXPECT_EQ(normalizeAxis(0, 1), 0);
  EXPECT_FALSE(normalizeAxis(3, 3));
  EXPECT_FALSE(normalizeAxis(-4, 3));
  EXPECT_FALSE(normalizeAxis(0, 0));
}

TEST(Dims, TypesKeepNamesAndStaticTypesHaveNoEncoding) {
  mlir::MLIRContext context;
  context.loadDialect<NacreDialect>();
  mlir::Type f32 = mlir::Float32Type::get(&context);
  EXPECT_FALSE(tensorOf(&context, f32, dims({"3", "4"})).getEncoding());
  mlir::RankedTensorType type = tensorOf(&context, f32, dims({"T*B", "4"}));
  EXPECT_TRUE(type.getEncoding());
  EXPECT_EQ(text(dimsOf(type)), "[B*T, 4]");
}
