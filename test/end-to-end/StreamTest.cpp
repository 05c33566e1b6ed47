// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Streams: what one call leaves in its context for the next. A token at a time gives what all tokens at once give.
#include "dialects/Nacre/IR/Ops/Program.h"
#include "test/harness/CompiledProgram.h"
#include "test/harness/Judge.h"
#include "test/harness/TestProgram.h"

#include <gtest/gtest.h>

using namespace nacre;
using namespace nacre::test;

static const char kText[] = R"(
dim T <= 32
model Stream {
  stream keys, values: f32[5, 4] ~ zeros
  stream valid: f32[5] ~ zeros
  stream hidden: f32[1, 4] ~ zeros
  param w: f32[4, 4]
  param u: f32[4, 4]

  fn full(q: f32[1, 1, T, 4], k: f32[1, 1, T, 4], v: f32[1, 1, T, 4]) -> f32[1, 1, T, 4] {
    return attention(q, k, v, causal = true, window = 5)
  }
  /// One query against the ring with the newest key and value.
  fn token(q: f32[1, 4], k: f32[1, 4], v: f32[1, 4]) -> f32[1, 4] {
    ring = concat(keys[1:], k, axis = 0)
    held = concat(values[1:], v, axis = 0)
    mask = concat(valid[1:], valid[:1] * 0 + 1, axis = 0)
    score = select(mask > 0, linear(q, transpose(ring)) * 0.5, -1e30)
    update { keys = ring  values = held  valid = mask }
    return linear(softmax(score), held)
  }
  fn cell(x: f32[1, 4]) -> f32[1, 4] {
    h = tanh(linear(x, w) + linear(hidden, u))
    update { hidden = h }
    return h
  }
}
)";

namespace {
struct Model {
  std::unique_ptr<TestProgram> program;
  std::unique_ptr<CompiledProgram> compiled;
  ParameterValues values; ///< of the reference: parameters and streams
  std::string messages;

  Model() {
    program = TestProgram::parse("stream", kText, messages);
    if (!program)
      return;
    mlir::OwningOpRef<mlir::ModuleOp> copy(program->surface().clone());
    compiled = CompiledProgram::compile(*copy, messages);
    for (auto tensor : program->surface().getOps<ParameterOp>()) {
      auto shape = mlir::cast<mlir::RankedTensorType>(tensor.getType()).getShape();
      values[tensor.getSymName().str()] = tensor.getRole() == "stream" ? Array(shape) : uniform(shape, -0.7, 0.7, values.size() + 1);
    }
    for (const std::string &name : compiled ? compiled->parameterNames() : std::vector<std::string>())
      (void)compiled->setParameter(name, values[name], messages);
  }
  Array run(llvm::StringRef function, llvm::ArrayRef<Array> inputs, const CallOptions &options) {
    auto results = compiled->call(function, inputs, options, messages);
    EXPECT_TRUE(results) << messages;
    return results && !results->empty() ? (*results)[0] : Array();
  }
  Array reference(llvm::StringRef function, llvm::ArrayRef<Array> inputs) {
    auto results = evaluate(program->surface().lookupSymbol<mlir::func::FuncOp>(function), inputs, values);
    EXPECT_TRUE(mlir::succeeded(results)) << program->takeMessages();
    return mlir::succeeded(results) ? (*results)[0][0] : Array();
  }
};
} // namespace

static Array row(const Array &all, int64_t t) {
  const int64_t shape[] = {1, 4};
  Array result(shape);
  std::copy_n(all.data.begin() + 4 * t, 4, result.data.begin());
  return result;
}

/// Tokens one by one against the whole; then once more after a reset, with the same bits; other contexts see nothing of it.
TEST(Stream, AttentionAgainstARingIsWindowedAttention) {
  Model model;
  ASSERT_TRUE(model.compiled) << model.messages << (model.program ? model.program->takeMessages() : "");
  const int64_t tokens = 13;
  Array q = uniform({1, 1, tokens, 4}, -1, 1, 7), k = uniform({1, 1, tokens, 4}, -1, 1, 8), v = uniform({1, 1, tokens, 4}, -1, 1, 9);
  Array whole = model.reference("full", {q, k, v});
  for (const std::string &level : model.compiled->levels()) {
    CallOptions options{level, 1};
    EXPECT_EQ(compare(model.run("full", {q, k, v}, options), whole, 2e-5), "");
    std::vector<Array> first;
    for (int64_t t = 0; t < tokens; ++t) {
      first.push_back(model.run("token", {row(q, t), row(k, t), row(v, t)}, options));
      EXPECT_EQ(compare(first.back(), row(whole, t), 2e-5), "") << "token " << t;
    }
    CallOptions other{level, 2};
    EXPECT_EQ(compareBits(model.run("token", {row(q, 0), row(k, 0), row(v, 0)}, other), first[0]), "");
    (void)model.run("reset_streams", {}, options);
    (void)model.run("reset_streams", {}, other);
    for (int64_t t = 0; t < tokens; ++t)
      EXPECT_EQ(compareBits(model.run("token", {row(q, t), row(k, t), row(v, t)}, options), first[t]), "") << "token " << t;
  }
  for (int64_t t = 0; t < tokens; ++t)
    EXPECT_EQ(compare(model.reference("token", {row(q, t), row(k, t), row(v, t)}), row(whole, t), 1e-10), "") << "token " << t;
}

TEST(Stream, ARecurrentCellKeepsItsState) {
  Model model;
  ASSERT_TRUE(model.compiled) << model.messages;
  Array x = uniform({9, 4}, -1, 1, 3);
  for (int64_t t = 0; t < 9; ++t) {
    Array want = model.reference("cell", {row(x, t)});
    for (const std::string &level : model.compiled->levels())
      EXPECT_EQ(compare(model.run("cell", {row(x, t)}, {level, 1}), want, 2e-5), "") << "step " << t;
  }
}

/// Streams are in no table of parameters, so in no file, and a call that only changes them leaves the parameters to others.
TEST(Stream, BelongsToTheContext) {
  Model model;
  ASSERT_TRUE(model.compiled) << model.messages;
  EXPECT_EQ(model.compiled->parameterNames(), (std::vector<std::string>{"w", "u"}));
  const nacre_model &table = model.compiled->table();
  for (int32_t i = 0; i < table.function_count; ++i)
    EXPECT_EQ(table.functions[i].writes_parameters, 0) << table.functions[i].name;
}
