// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Width m of a nested result equals the same function compiled for m alone, to the bit; so does a run-time choice.
#include "test/harness/CompiledProgram.h"
#include "test/harness/Judge.h"
#include "test/harness/TestProgram.h"

#include <gtest/gtest.h>

using namespace nacre;
using namespace nacre::test;

namespace {

constexpr int64_t kWidths[] = {1, 4, 9, 16, 33, 48};

/// A nested function `all`, the same for a run-time width `pick`, and for each width alone `at4`, `at9` ...
std::string nestedProgram(const std::string &nested, const std::string &alone) {
  std::string text = "dim B <= 256\nwidths W = [1, 4, 9, 16, 33, 48]\n";
  std::string inputs = "x: f32[B, 48], w: f32[48, 10], b: f32[10]";
  text += "fn all(" + inputs + ") { return " + nested + " }\n";
  text += "fn pick(" + inputs + ", m: W) { return (" + nested + ")[m] }\n";
  for (int64_t width : kWidths) {
    std::string m = std::to_string(width), body = alone;
    for (size_t at = body.find('#'); at != std::string::npos; at = body.find('#', at))
      body.replace(at, 1, m);
    text += "fn at" + m + "(" + inputs + ") { return " + body + " }\n";
  }
  return text;
}

std::unique_ptr<CompiledProgram> compileText(const std::string &text) {
  std::string messages;
  std::unique_ptr<TestProgram> program = TestProgram::parse("nested", text, messages);
  EXPECT_TRUE(program) << messages;
  if (!program)
    return nullptr;
  auto compiled = CompiledProgram::compile(program->surface(), messages);
  EXPECT_TRUE(compiled) << messages << program->takeMessages();
  return compiled;
}

Array run(CompiledProgram &compiled, const std::string &function, llvm::ArrayRef<Array> inputs, const std::string &level) {
  std::string messages;
  std::optional<std::vector<Array>> results = compiled.call(function, inputs, {level, 2}, messages);
  EXPECT_TRUE(results) << function << ": " << messages;
  return results ? (*results)[0] : Array();
}

Array memberOf(const Array &stacked, int64_t position) {
  Array member(llvm::ArrayRef<int64_t>(stacked.shape).drop_front());
  std::copy_n(stacked.data.begin() + position * member.size(), member.size(), member.data.begin());
  return member;
}

void expectEqualBits(const std::string &nested, const std::string &alone) {
  auto compiled = compileText(nestedProgram(nested, alone));
  ASSERT_TRUE(compiled);
  for (const std::string &level : compiled->levels())
    for (int64_t rows : {1, 7, 64}) {
      std::vector<Array> inputs = {uniform({rows, 48}, -2, 2, 1), uniform({48, 10}, -2, 2, 2), uniform({10}, -2, 2, 3)};
      Array all = run(*compiled, "all", inputs, level);
      int64_t position = 0;
      for (int64_t width : kWidths) {
        Array want = run(*compiled, "at" + std::to_string(width), inputs, level), member = memberOf(all, position++);
        want.shape = member.shape;
        EXPECT_EQ(compareBits(member, want), "") << level << ", width " << width << ", rows " << rows;
        std::vector<Array> chosen = inputs;
        chosen.push_back(Array({}, double(width)));
        Array picked = run(*compiled, "pick", chosen, level);
        picked.shape = member.shape;
        EXPECT_EQ(compareBits(picked, want), "") << level << ", picked width " << width << ", rows " << rows;
      }
    }
}

} // namespace

TEST(NestedBits, Linear) { expectEqualBits("nested_linear(x, w, b, widths = W)", "linear(x[:, :#], w[:#], b)"); }
TEST(NestedBits, Activation) { expectEqualBits("gelu(nested_linear(x, w, b, widths = W))", "gelu(linear(x[:, :#], w[:#], b))"); }
TEST(NestedBits, Softmax) { expectEqualBits("softmax(nested_linear(x, w, widths = W))", "softmax(linear(x[:, :#], w[:#]))"); }
TEST(NestedBits, Prefixes) {
  expectEqualBits("linear(layer_norm(prefixes(x, W)), prefixes(w, W, axis = 0), b)", "linear(layer_norm(x[:, :#]), w[:#], b)");
}
TEST(NestedBits, RowLoss) { expectEqualBits("mean(square(prefixes(x, W)), axis = 1)", "mean(square(x[:, :#]), axis = 1)"); }

TEST(NestedWidths, TheReferencePicksAlikeBeforeAndAfterExpansion) {
  std::string messages, text = nestedProgram("nested_linear(x, w, b, widths = W)", "linear(x[:, :#], w[:#], b)");
  std::unique_ptr<TestProgram> program = TestProgram::parse("nested", text, messages);
  ASSERT_TRUE(program) << messages;
  mlir::OwningOpRef<mlir::ModuleOp> primitive = program->primitive();
  ASSERT_TRUE(primitive) << program->takeMessages();
  for (int64_t width : kWidths) {
    std::vector<Array> inputs = {uniform({3, 48}, -2, 2, 1), uniform({48, 10}, -2, 2, 2), uniform({10}, -2, 2, 3)};
    auto want = evaluateReference(program->surface(), "at" + std::to_string(width), inputs);
    inputs.push_back(Array({}, double(width)));
    auto before = evaluateReference(program->surface(), "pick", inputs), after = evaluateReference(*primitive, "pick", inputs);
    ASSERT_TRUE(want && before && after) << program->takeMessages();
    EXPECT_EQ(compare((*before)[0], (*want)[0], 1e-12), "") << width;
    EXPECT_EQ(compare((*after)[0], (*want)[0], 1e-12), "") << width;
  }
}

TEST(NestedWidths, AWidthOutsideTheListIsRefused) {
  auto compiled = compileText(nestedProgram("nested_linear(x, w, b, widths = W)", "linear(x[:, :#], w[:#], b)"));
  ASSERT_TRUE(compiled);
  std::vector<Array> inputs = {uniform({2, 48}, -2, 2, 1), uniform({48, 10}, -2, 2, 2), uniform({10}, -2, 2, 3), Array({}, 5)};
  std::string messages;
  EXPECT_FALSE(compiled->call("pick", inputs, {}, messages));
  EXPECT_NE(messages.find("5"), std::string::npos) << messages;
}
