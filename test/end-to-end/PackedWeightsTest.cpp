// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights that are packed once: the bits of weights packed in every task, whatever changes them and whoever shares them; and narrow
// numbers, whose results are the same on all levels and as near to f32 as runtime/README.md says.
#include "test/harness/CompiledProgram.h"
#include "test/harness/Judge.h"
#include "test/harness/TestProgram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <thread>

using namespace nacre;
using namespace nacre::test;

// No extent is a multiple of a panel or a vector; one matrix is read in two ways.
static const char kText[] = R"(
dim B <= 400
model Packed {
  param w: f32[37, 50]
  param bias: f32[50]
  param u: f32[50, 131]
  param both: f32[61, 131]
  param long: f32[700, 49]
  param nested: f32[61, 40]
  fn layers(x: f32[B, 37]) -> f32[B, 61] { return matmul(linear(gelu(linear(x, w, bias)), u), transpose(both)) }
  fn forth(x: f32[B, 61]) -> f32[B, 131] { return matmul(x, both) }
  fn deep(x: f32[B, 700]) -> f32[B, 49] { return tanh(matmul(x, long)) }
  fn columns(x: f32[37, B]) -> f32[B, 50] { return matmul(transpose(x), w) }
  fn prefixes(x: f32[B, 61]) -> nested[[8, 33, 61]] f32[B, 40] { return nested_linear(x, nested, widths = [8, 33, 61]) }
  state moving: f32[50, 50] ~ ones
  fn move(x: f32[50, 50]) -> f32 {
    update { moving = x }
    return sum(x)
  }
  fn moved(x: f32[B, 50]) -> f32[B, 50] { return matmul(x, moving) }
}
)";

namespace {

struct Model {
  std::unique_ptr<TestProgram> program;
  std::unique_ptr<CompiledProgram> compiled;
  std::string messages;

  explicit Model(const WeightOptions &weights, llvm::ArrayRef<std::string> levels = {"v3", "v4"}) {
    program = TestProgram::parse("packed", kText, messages);
    if (!program)
      return;
    mlir::OwningOpRef<mlir::ModuleOp> copy(program->surface().clone());
    compiled = CompiledProgram::compile(*copy, messages, levels, weights);
    messages += program->takeMessages();
    if (compiled)
      draw(1);
  }

  void draw(uint64_t key) {
    for (const std::string &name : compiled->parameterNames()) {
      Array old = compiled->parameter(name);
      EXPECT_TRUE(compiled->setParameter(name, uniform(old.shape, -0.3, 0.3, key++), messages)) << messages;
    }
  }

  std::vector<Array> call(llvm::StringRef function, const Array &x, const CallOptions &options = {}) {
    auto results = compiled->call(function, {x}, options, messages);
    EXPECT_TRUE(results) << messages;
    return results ? *results : std::vector<Array>();
  }
};

/// One model a way of keeping weights for all tests, since compiling takes longest; weights are those of draw(1).
Model &modelWith(plan::Precision precision, bool packed = true) {
  static std::map<std::pair<plan::Precision, bool>, std::unique_ptr<Model>> models;
  std::unique_ptr<Model> &model = models[{precision, packed}];
  llvm::SmallVector<std::string> levels = {"v3", "v4"};
  if (precision != plan::Precision::F32)
    levels.push_back(precision == plan::Precision::Bf16 ? "v4-bf16" : "v4-vnni");
  if (!model)
    model = std::make_unique<Model>(WeightOptions{packed, precision}, levels);
  else if (model->compiled)
    model->draw(1);
  return *model;
}

Array inputFor(llvm::StringRef function, int64_t rows) {
  int64_t depth = function == "layers" ? 37 : function == "deep" ? 700 : 61;
  return function == "columns" ? uniform({37, rows}, -1, 1, 9) : uniform({rows, depth}, -1, 1, 9);
}

const char *const kFunctions[] = {"layers", "forth", "deep", "columns", "prefixes"};

void expectSameBits(llvm::ArrayRef<Array> got, llvm::ArrayRef<Array> want, const std::string &what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_EQ(compareBits(got[i], want[i]), "") << what;
}

/// Least cosine between rows of two matrices.
double leastCosine(const Array &a, const Array &b) {
  int64_t width = a.shape.back();
  double least = 1;
  for (int64_t row = 0; row < a.size() / width; ++row) {
    double ab = 0, aa = 0, bb = 0;
    for (int64_t j = row * width; j < (row + 1) * width; ++j)
      ab += a.data[j] * b.data[j], aa += a.data[j] * a.data[j], bb += b.data[j] * b.data[j];
    least = std::min(least, ab / std::sqrt(aa * bb));
  }
  return least;
}

} // namespace

TEST(PackedWeights, GiveTheBitsOfPackingInEveryTask) {
  Model &once = modelWith(plan::Precision::F32), &always = modelWith(plan::Precision::F32, /*packed=*/false);
  ASSERT_TRUE(once.compiled) << once.messages;
  ASSERT_TRUE(always.compiled) << always.messages;
  EXPECT_GT(once.compiled->table().packed_bytes, 0);
  EXPECT_EQ(always.compiled->table().packed_bytes, 0);
  for (const std::string &level : once.compiled->levels())
    for (const char *function : kFunctions)
      for (int64_t rows : {1, 3, 9, 17, 130, 400})
        for (int threads : {1, 3})
          expectSameBits(once.call(function, inputFor(function, rows), {level, threads}),
                         always.call(function, inputFor(function, rows), {level, threads}),
                         level + " " + function + " " + std::to_string(rows));
}

TEST(PackedWeights, AreMadeAnewWhenParametersChange) {
  Model &once = modelWith(plan::Precision::F32), &always = modelWith(plan::Precision::F32, /*packed=*/false);
  ASSERT_TRUE(once.compiled && always.compiled) << once.messages << always.messages;
  Array x = inputFor("layers", 20);
  auto compare = [&](const std::string &after) { expectSameBits(once.call("layers", x), always.call("layers", x), after); };
  compare("the first set");
  Array before = once.call("layers", x)[0];
  for (Model *model : {&once, &always}) {
    model->draw(100);
    EXPECT_NE(compareBits(model->call("layers", x)[0], before), "");
  }
  compare("a second set");
  Array rows = uniform({20, 50}, -1, 1, 4), still = once.call("moved", rows)[0];
  for (Model *model : {&once, &always})
    model->call("move", uniform({50, 50}, -1, 1, 5));
  Array moved = once.call("moved", rows)[0];
  EXPECT_NE(compareBits(moved, still), "");
  expectSameBits({moved}, always.call("moved", rows), "a function that changes a state");
  for (Model *model : {&once, &always})
    EXPECT_TRUE(model->compiled->initialize(5, model->messages));
  compare("a new draw");
  for (const std::string &name : once.compiled->parameterNames())
    EXPECT_EQ(compareBits(once.compiled->parameter(name), always.compiled->parameter(name)), "") << "packing left " << name;
}

TEST(PackedWeights, AreSharedByContextsOnManyThreads) {
  Model &model = modelWith(plan::Precision::F32);
  ASSERT_TRUE(model.compiled) << model.messages;
  std::vector<CallOptions> contexts;
  for (const std::string &level : model.compiled->levels())
    for (int threads : {1, 2})
      contexts.push_back({level, threads});
  Array x = inputFor("layers", 20);
  for (const CallOptions &options : contexts)
    model.call("layers", x, options); // makes the context, which the harness does for one thread at a time
  for (int round = 0; round < 5; ++round) {
    model.draw(10 * round + 1); // all copies are old now
    std::vector<Array> results(contexts.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < contexts.size(); ++i)
      threads.emplace_back([&, i] {
        std::string messages;
        auto result = model.compiled->call("layers", {x}, contexts[i], messages);
        if (result)
          results[i] = (*result)[0];
      });
    for (std::thread &thread : threads)
      thread.join();
    for (size_t i = 0; i < contexts.size(); ++i)
      expectSameBits(model.call("layers", x, contexts[i]), {results[i]}, "context " + std::to_string(i));
  }
}

TEST(PackedWeights, OfNarrowNumbersGiveTheSameBitsOnAllLevels) {
  for (plan::Precision precision : {plan::Precision::Bf16, plan::Precision::Int8}) {
    Model &model = modelWith(precision);
    ASSERT_TRUE(model.compiled) << model.messages;
    const std::vector<std::string> &levels = model.compiled->levels();
    for (const char *function : {"forth", "columns"}) // products alone: no other operator rounds by level
      for (int64_t rows : {1, 2, 9, 193, 400})
        for (const std::string &other : levels)
          for (int threads : {1, 2})
            expectSameBits(model.call(function, inputFor(function, rows), {other, threads}),
                           model.call(function, inputFor(function, rows), {levels[0], 1}), other + " " + function + " " + std::to_string(rows));
  }
}

TEST(PackedWeights, OfNarrowNumbersAreNearF32) {
  Model &f32 = modelWith(plan::Precision::F32);
  ASSERT_TRUE(f32.compiled) << f32.messages;
  for (auto [precision, bound] : {std::pair(plan::Precision::Bf16, 0.9999), {plan::Precision::Int8, 0.999}}) {
    Model &narrow = modelWith(precision);
    ASSERT_TRUE(narrow.compiled) << narrow.messages;
    EXPECT_LT(narrow.compiled->table().packed_bytes, f32.compiled->table().packed_bytes);
    for (const std::string &on : narrow.compiled->levels())
      for (const char *function : {"layers", "forth", "deep", "columns"})
        for (int64_t rows : {1, 9, 200}) {
          Array x = inputFor(function, rows);
          EXPECT_GT(leastCosine(narrow.call(function, x, {on, 1})[0], f32.call(function, x)[0]), bound) << on << " " << function << " " << rows;
        }
    Array x = inputFor("prefixes", 20);
    expectSameBits(narrow.call("prefixes", x, {"v3", 1}), f32.call("prefixes", x, {"v3", 1}), "nested heads stay f32");
  }
}

/// Integers that both types hold are multiplied without any error.
TEST(PackedWeights, OfNarrowNumbersAreExactForSmallIntegers) {
  Model &bf16 = modelWith(plan::Precision::Bf16), &f32 = modelWith(plan::Precision::F32);
  ASSERT_TRUE(bf16.compiled && f32.compiled) << bf16.messages << f32.messages;
  for (Model *model : {&bf16, &f32})
    for (const char *name : {"both", "long"})
      EXPECT_TRUE(model->compiled->setParameter(name, integers(model->compiled->parameter(name).shape, -100, 100, 3), model->messages));
  Array x = integers({19, 61}, -100, 100, 4);
  for (const std::string &level : bf16.compiled->levels())
    expectSameBits(bf16.call("forth", x, {level, 1}), f32.call("forth", x), level);
}
