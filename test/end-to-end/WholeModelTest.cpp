// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The models of the examples, as they stand in their files, with random weights: compiled code against the reference in f64, on every
// level and with the same bits for 1, 2 and 4 threads; and two libraries at once in one process.
#include "dialects/Nacre/IR/Ops/Program.h"
#include "test/harness/CompiledProgram.h"
#include "test/harness/Judge.h"
#include "test/harness/TestProgram.h"

#include "llvm/Support/MemoryBuffer.h"

#include <gtest/gtest.h>
#include <thread>

using namespace nacre;
using namespace nacre::test;

namespace {

/// A model with random weights, in the reference and compiled.
struct WholeModel {
  std::unique_ptr<TestProgram> program;
  std::unique_ptr<CompiledProgram> compiled;
  mlir::OwningOpRef<mlir::ModuleOp> differentiated;
  ParameterValues weights;

  /// An example; or, with `gradients`, a file of end-to-end/Inputs with the gradient functions of its functions.
  void load(const std::string &name, bool gradients = false);
  Array reference(llvm::StringRef function, llvm::ArrayRef<Array> inputs);
  Array run(llvm::StringRef function, llvm::ArrayRef<Array> inputs, const CallOptions &options);
};

void WholeModel::load(const std::string &name, bool gradients) {
  auto text = llvm::MemoryBuffer::getFile(gradients ? std::string(NACRE_INPUTS) + "/" + name + ".nacre"
                                                    : std::string(NACRE_EXAMPLES) + "/" + name + "/" + name + ".nacre");
  ASSERT_TRUE(bool(text));
  std::string messages;
  program = TestProgram::parse(name, (*text)->getBuffer(), messages);
  ASSERT_TRUE(program) << messages;
  if (gradients) differentiated = program->differentiated();
  mlir::OwningOpRef<mlir::ModuleOp> copy((gradients ? *differentiated : program->surface()).clone());
  compiled = CompiledProgram::compile(*copy, messages);
  ASSERT_TRUE(compiled) << messages << program->takeMessages();
  uint64_t key = 1;
  for (auto parameter : program->surface().getOps<ParameterOp>()) {
    // Matrices small enough for sums of 1,536 terms to stay near 1; vectors around 1, as norms have them.
    auto type = mlir::cast<mlir::RankedTensorType>(parameter.getType());
    double low = type.getRank() > 1 ? -0.05 : 0.5, high = type.getRank() > 1 ? 0.05 : 1.5;
    Array value = uniform(type.getShape(), low, high, key++);
    ASSERT_TRUE(compiled->setParameter(parameter.getSymName(), value, messages)) << messages;
    weights[parameter.getSymName().str()] = std::move(value);
  }
}

Array WholeModel::reference(llvm::StringRef function, llvm::ArrayRef<Array> inputs) {
  auto results = evaluate(program->surface().lookupSymbol<mlir::func::FuncOp>(function), inputs, weights);
  EXPECT_TRUE(mlir::succeeded(results)) << program->takeMessages();
  return mlir::succeeded(results) ? (*results)[0][0] : Array();
}

Array WholeModel::run(llvm::StringRef function, llvm::ArrayRef<Array> inputs, const CallOptions &options) {
  std::string messages;
  auto results = compiled->call(function, inputs, options, messages);
  EXPECT_TRUE(results) << messages;
  return results ? (*results)[0] : Array();
}

Array scalar(double value) { return Array(llvm::ArrayRef<int64_t>(), value); }

/// Sentences of 9, 4, 1 and 0 tokens in one padded batch.
std::vector<Array> sentences() {
  int64_t count = 4;
  Array lengths((llvm::ArrayRef<int64_t>(count)));
  lengths.data = {9, 4, 1, 0};
  return {integers({4, 9}, 0, 30522, 7), lengths};
}

} // namespace

TEST(WholeModel, MiniLmWithRandomWeightsAgreesWithTheReference) {
  WholeModel model;
  ASSERT_NO_FATAL_FAILURE(model.load("minilm"));
  Array want = model.reference("encode", sentences());
  for (const std::string &level : model.compiled->levels()) {
    Array one = model.run("encode", sentences(), {level, 1});
    EXPECT_EQ(compare(one, want, 2e-5), "") << level;
    for (int threads : {2, 4})
      EXPECT_EQ(compareBits(model.run("encode", sentences(), {level, threads}), one), "") << level << ", " << threads << " threads";
  }
}

TEST(WholeModel, TwoLibrariesInOneProcessAndTwoThreadsDoNotMeet) {
  WholeModel first, second;
  ASSERT_NO_FATAL_FAILURE(first.load("digits"));
  ASSERT_NO_FATAL_FAILURE(second.load("digits"));
  std::vector<Array> images = {uniform({50, 64}, 0, 1, 3)};
  Array want = first.run("encode", images, {"", 1});
  auto repeat = [&](WholeModel &model) {
    for (int i = 0; i < 200; ++i)
      EXPECT_EQ(compareBits(model.run("encode", images, {"", 2}), want), "");
  };
  std::thread other([&] { repeat(second); });
  repeat(first);
  other.join();
}

TEST(WholeModel, DigitsStepLowersItsOwnLoss) {
  WholeModel model;
  ASSERT_NO_FATAL_FAILURE(model.load("digits"));
  Array rate = scalar(3e-3), images = uniform({64, 64}, 0, 1, 3), labels = integers({64}, 0, 10, 4);
  double first = 0, last = 0;
  for (int step = 1; step <= 200; ++step) {
    last = model.run("loss_step", {images, labels, rate, scalar(step)}, {"", 2}).data[0];
    first = step == 1 ? last : first;
  }
  EXPECT_LT(last, 0.8 * first);
}

/// The derivative by one weight, from two evaluations.
static double difference(WholeModel &model, const std::string &weight, llvm::ArrayRef<Array> inputs) {
  constexpr double kStep = 1e-5; // the square root of the reference's precision and some
  double &value = model.weights[weight].data[3], before = value, sides[2];
  for (int side : {0, 1}) {
    value = before + (side ? kStep : -kStep);
    sides[side] = model.reference("exit_loss", inputs).data[0];
  }
  value = before;
  return (sides[1] - sides[0]) / (2 * kStep);
}

TEST(WholeModel, GradientsGoThroughTheLayersThatRan) {
  WholeModel model;
  ASSERT_NO_FATAL_FAILURE(model.load("exits", /*gradients=*/true));
  auto gradient = model.differentiated->lookupSymbol<mlir::func::FuncOp>("exit_loss_gradient");
  ASSERT_TRUE(gradient);
  Array lengths((llvm::ArrayRef<int64_t>(int64_t(3))));
  lengths.data = {5, 3, 1};
  for (double depth : {1.0, 2.0, 3.0}) {
    std::vector<Array> inputs = {integers({3, 5}, 0, 20, 7), lengths, uniform({3, 8}, -1, 1, 5), scalar(depth)};
    std::vector<Array> seeded = inputs;
    seeded.push_back(scalar(1));
    auto want = evaluate(gradient, seeded, model.weights);
    ASSERT_TRUE(mlir::succeeded(want));
    std::vector<std::string> names = model.compiled->parameterNames();
    size_t first = want->size() - names.size(); // the gradients of the parameters come last
    for (int layer = 0; layer < 3; ++layer) {
      std::string name = "blocks." + std::to_string(layer) + ".w1";
      double got = (*want)[first + (llvm::find(names, name) - names.begin())][0].data[3];
      EXPECT_NEAR(got, difference(model, name, inputs), 1e-6) << name << " at depth " << depth;
      EXPECT_EQ(got == 0, layer >= depth) << name << " at depth " << depth;
    }
    std::string messages;
    auto results = model.compiled->call("exit_loss_gradient", seeded, {"", 2}, messages);
    ASSERT_TRUE(results) << messages;
    for (size_t i = 0; i < results->size(); ++i)
      EXPECT_EQ(compare((*results)[i], (*want)[i][0], 1e-4), "") << "result " << i << " at depth " << depth;
  }
}
