// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What sparse codes of run-time length must hold: the threshold of batch top-k kept for inference, and errors where a call has more
// entries than their limit, or codes outside their range, with nothing kept.
#include "test/harness/CompiledProgram.h"
#include "test/harness/Judge.h"
#include "test/harness/TestProgram.h"

#include <gtest/gtest.h>

using namespace nacre;
using namespace nacre::test;

static const char kText[] = R"(
dim B <= 32
model Codes {
  param W_enc: f32[5, 16]
  param W_dec: f32[16, 5]
  state theta: f32
  state seen: f32
  fn observe(x: f32[B, 5]) -> f32[B, 5] {
    z = batch_topk(relu(linear(x, W_enc)), 2)
    update { theta = 0.9 * theta + 0.1 * min_nonzero(z) }
    return linear(z, W_dec)
  }
  fn encode(x: f32[B, 5]) -> f32[B, 5] {
    a = relu(linear(x, W_enc))
    return linear(sparsify(a * to_float(a > theta), 12), W_dec)
  }
  fn crowded(x: f32[B, 5]) -> f32[B, 5] {
    update { seen = seen + 1 }
    return linear(sparsify(linear(x, W_enc), 6), W_dec)
  }
  fn place(i: i32[B], shift: i32[B]) -> f32[B, 5] {
    update { seen = seen + 1 }
    return lookup(W_dec, as_code(to_int(to_float(i) + to_float(shift)), 16))
  }
}
)";

namespace {
struct Model {
  std::unique_ptr<TestProgram> program;
  std::unique_ptr<CompiledProgram> compiled;
  ParameterValues values; ///< of the reference
  std::string messages;

  Model() {
    program = TestProgram::parse("codes", kText, messages);
    if (!program)
      return;
    mlir::OwningOpRef<mlir::ModuleOp> copy(program->surface().clone());
    compiled = CompiledProgram::compile(*copy, messages);
    values = {{"W_enc", uniform({5, 16}, -0.7, 0.7, 1)}, {"W_dec", uniform({16, 5}, -0.7, 0.7, 2)}};
    values["theta"] = values["seen"] = Array(llvm::ArrayRef<int64_t>());
    for (const std::string &name : compiled ? compiled->parameterNames() : std::vector<std::string>())
      (void)compiled->setParameter(name, values[name], messages);
  }
  std::optional<Array> reference(llvm::StringRef function, llvm::ArrayRef<Array> inputs) {
    auto results = evaluate(program->surface().lookupSymbol<mlir::func::FuncOp>(function), inputs, values);
    return mlir::succeeded(results) ? std::optional<Array>((*results)[0][0]) : std::nullopt;
  }
  /// Both end with an error that says `why`.
  void expectRefused(llvm::StringRef function, llvm::ArrayRef<Array> inputs, const std::string &why) {
    EXPECT_FALSE(reference(function, inputs));
    EXPECT_NE(program->takeMessages().find(why), std::string::npos) << function.str();
    for (const std::string &level : compiled->levels()) {
      std::string said;
      EXPECT_FALSE(compiled->call(function, inputs, {level, 1}, said)) << function.str();
      EXPECT_NE(said.find(function.str() + ": " + why), std::string::npos) << said;
    }
    EXPECT_EQ(compiled->parameter("seen").data[0], 0) << "the call was refused, but its update was kept";
  }
};
} // namespace

TEST(SparseLimits, TheThresholdOfBatchTopkDecidesAtInference) {
  Model model;
  ASSERT_TRUE(model.compiled) << model.messages << (model.program ? model.program->takeMessages() : "");
  for (int64_t step = 0; step < 3; ++step) {
    Array x = uniform({9, 5}, -1, 1, 10 + step);
    std::optional<Array> want = model.reference("observe", {x});
    ASSERT_TRUE(want) << model.program->takeMessages();
    auto got = model.compiled->call("observe", {x}, {}, model.messages);
    ASSERT_TRUE(got) << model.messages;
    EXPECT_EQ(compare((*got)[0], *want, 2e-5), "");
    EXPECT_EQ(compare(model.compiled->parameter("theta"), model.values["theta"], 2e-5), "");
  }
  EXPECT_GT(model.values["theta"].data[0], 0.02);
  Array x = uniform({9, 5}, -1, 1, 20);
  std::optional<Array> want = model.reference("encode", {x});
  ASSERT_TRUE(want) << model.program->takeMessages();
  for (const std::string &level : model.compiled->levels()) {
    auto got = model.compiled->call("encode", {x}, {level, 2}, model.messages);
    ASSERT_TRUE(got) << model.messages;
    EXPECT_EQ(compare((*got)[0], *want, 2e-5), "");
  }
}

TEST(SparseLimits, MoreEntriesThanTheLimitAreAnError) {
  Model model;
  ASSERT_TRUE(model.compiled) << model.messages;
  model.expectRefused("crowded", {uniform({3, 5}, -1, 1, 4)}, "sparsify expects at most 18 entries, but got 48");
}

TEST(SparseLimits, ComputedCodesOutsideTheirRangeAreAnError) {
  Model model;
  ASSERT_TRUE(model.compiled) << model.messages;
  Array ids = integers({4}, 0, 16, 5), shift(llvm::ArrayRef<int64_t>{4});
  ids.data[1] = 15;
  for (double outside : {1.0, -16.0}) {
    shift.data[1] = outside;
    model.expectRefused("place", {ids, shift}, "as_code expects ids from 0 to 15, but got " + std::to_string(int(15 + outside)));
  }
}
