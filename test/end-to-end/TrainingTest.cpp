// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Training steps: compiled against the reference in f64, with the same bits for 1, 2 and 4 threads, for every optimiser on parameters of
// one, two and three axes, alone and with everything that a train block may ask for.
#include "dialects/Nacre/IR/Ops/OptimizerTable.h"
#include "dialects/Nacre/Transforms/Transforms.h"
#include "test/harness/CompiledProgram.h"
#include "test/harness/Judge.h"
#include "test/harness/TestProgram.h"

#include <gtest/gtest.h>

using namespace nacre;
using namespace nacre::test;

namespace {

/// One training on one level, a batch a step: the parameters and states after it.
struct Training {
  std::unique_ptr<TestProgram> program;
  std::unique_ptr<CompiledProgram> compiled;
  mlir::OwningOpRef<mlir::ModuleOp> step;
  std::string messages;

  /// `settings` of the train block.
  explicit Training(const std::string &settings);
  bool isReady() { return compiled && step; }
  ParameterValues start();
  ParameterValues reference(llvm::ArrayRef<std::string> calls);
  ParameterValues run(llvm::ArrayRef<std::string> calls, const CallOptions &options);
};

} // namespace

static const char kModel[] = R"(
dim B <= 33
model Training {
  param row: f32[9]
  param matrix: f32[5, 9]
  param tall: f32[9, 3]
  param stack: f32[2, 3, 4]
  state mean: f32[9] ~ zeros
  fn loss(x: f32[B, 5]) -> f32 {
    h = tanh(linear(x, matrix) + row)
    update { mean = 0.9 * mean + 0.1 * mean(h, axis = 0) }
    y = linear(h - mean, tall)
    return mean(square(linear(y, stack[0]) + linear(y, stack[1]) - 1))
  }
}
)";

Training::Training(const std::string &settings) {
  program = TestProgram::parse("training", kModel + ("train Training.loss { batch = 8  steps = 3  " + settings + " }"), messages);
  if (!program)
    return;
  step = program->surface().clone();
  if (mlir::failed(decompose(*step, /*keepDifferentiable=*/true)) || mlir::failed(addTrainingStep(*step)))
    step = nullptr;
  mlir::OwningOpRef<mlir::ModuleOp> copy(program->surface().clone());
  compiled = CompiledProgram::compile(*copy, messages);
  messages += program->takeMessages();
}

ParameterValues Training::start() {
  ParameterValues values;
  for (auto tensor : step->getOps<ParameterOp>()) {
    auto shape = mlir::cast<mlir::RankedTensorType>(tensor.getType()).getShape();
    values[tensor.getSymName().str()] = tensor.getRole() == "param" ? uniform(shape, -0.6, 0.6, values.size() + 1) : Array(shape);
  }
  return values;
}

/// The inputs of call number `index`, whatever the function draws or not.
static std::vector<Array> inputsOf(mlir::func::FuncOp function, int64_t index, int64_t step) {
  std::vector<Array> inputs = {uniform({8, 5}, -1, 1, 50 + index)};
  if (function.getNumArguments() == 5) {
    inputs.push_back(Array({}, 11));
    inputs.push_back(Array({}, double(index)));
  }
  inputs.push_back(Array({}, double(0.0125f))); // both sides take the same rate
  inputs.push_back(Array({}, double(step)));
  return inputs;
}

static int64_t stepsBefore(llvm::ArrayRef<std::string> calls, size_t index) {
  return llvm::count(calls.take_front(index), "loss_step");
}

ParameterValues Training::reference(llvm::ArrayRef<std::string> calls) {
  ParameterValues values = start();
  for (size_t i = 0; i < calls.size(); ++i) {
    auto function = step->lookupSymbol<mlir::func::FuncOp>(calls[i]);
    EXPECT_TRUE(mlir::succeeded(evaluate(function, inputsOf(function, int64_t(i), stepsBefore(calls, i) + 1), values)))
        << program->takeMessages();
  }
  return values;
}

ParameterValues Training::run(llvm::ArrayRef<std::string> calls, const CallOptions &options) {
  for (auto &[name, value] : start())
    EXPECT_TRUE(compiled->setParameter(name, value, messages)) << messages;
  for (size_t i = 0; i < calls.size(); ++i) {
    auto function = step->lookupSymbol<mlir::func::FuncOp>(calls[i]);
    EXPECT_TRUE(compiled->call(calls[i], inputsOf(function, int64_t(i), stepsBefore(calls, i) + 1), options, messages)) << messages;
  }
  ParameterValues values;
  for (const std::string &name : compiled->parameterNames())
    values[name] = compiled->parameter(name);
  return values;
}

static void check(const std::string &settings, llvm::ArrayRef<std::string> calls, double tolerance) {
  Training training(settings);
  ASSERT_TRUE(training.isReady()) << settings << ": " << training.messages;
  ParameterValues want = training.reference(calls);
  for (const std::string &level : training.compiled->levels()) {
    ParameterValues got = training.run(calls, {level, 1});
    ASSERT_EQ(got.size(), want.size());
    for (auto &[name, value] : got)
      EXPECT_EQ(compare(value, want[name], tolerance), "") << settings << ": " << name << " on " << level;
    for (int threads : {2, 4})
      for (auto &[name, value] : training.run(calls, {level, threads}))
        EXPECT_EQ(compareBits(value, got[name]), "") << settings << ": " << name << ", " << threads << " threads";
  }
}

/// Newton and Schulz's iteration of Muon multiplies differences by up to 3.4 a step, five times: 1e-7 becomes 5e-5.
TEST(Training, EveryOptimizer) {
  for (const Optimizer &optimizer : optimizers())
    check("optimizer = " + optimizer.name.str() + "(lr = 0.0125, weight_decay = 0.1)", {"loss_step", "loss_step", "loss_step"},
          optimizer.name == "muon" ? 1e-3 : 1e-4);
}

TEST(Training, OptimizersWithMomentum) {
  check("optimizer = adafactor(lr = 0.0125, momentum = 0.9)", {"loss_step", "loss_step"}, 1e-4);
  check("optimizer = sgd(lr = 0.0125, momentum = 0.9, nesterov = true)", {"loss_step", "loss_step"}, 1e-4);
}

TEST(Training, EverySetting) {
  check("optimizer = sgd(lr = 0.0125)  groups = [group(row, stack, lr = 0.1), group(tall, optimizer = adamw(lr = 0.01))]  frozen = [matrix] "
        "clip = 0.3  unit_rows = [tall]  ema = 0.9  after_step { row = row - mean(row) } "
        "update { mean = mean * 0.5 }  noise = normal(0.01, decay = 0.55)",
        {"loss_step", "loss_step", "loss_step"}, 1e-4);
}

TEST(Training, GradientsOfSeveralBatches) {
  check("optimizer = sgd(lr = 0.0125)  accumulate = 3  clip = 0.5", {"loss_accumulate", "loss_accumulate", "loss_step", "loss_accumulate",
                                                                     "loss_accumulate", "loss_step"}, 1e-4);
}

TEST(Training, TheLossByItselfChangesNoState) {
  Training training("optimizer = sgd(lr = 0.0125)");
  ASSERT_TRUE(training.isReady()) << training.messages;
  ParameterValues before = training.start(), after = training.run({"loss_step"}, {"", 1});
  std::string messages;
  ASSERT_TRUE(training.compiled->call("loss", {uniform({8, 5}, -1, 1, 1)}, {"", 1}, messages)) << messages;
  EXPECT_EQ(compareBits(training.compiled->parameter("mean"), after["mean"]), "");
  EXPECT_NE(compareBits(after["mean"], before["mean"]), "");
}
