// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What every row of the operator table must fulfil.
#include "test/dialects/OperatorBench.h"
#include "test/harness/Judge.h"

#include <gtest/gtest.h>

using namespace nacre;
using namespace nacre::test;

namespace {

constexpr double kDefinitionTolerance = 1e-12; // f64 against f64: rounding of a few hundred operations
constexpr double kDifferenceTolerance = 1e-6;  // central differences with step h: O(h^2) and eps / h
constexpr double kDifferenceStep = 1e-5;
constexpr int64_t kDifferenceElements = 700; // each costs two evaluations
constexpr double kForwardTolerance = 2e-5, kGradientTolerance = 1e-4; // f32 as in test/golden/README.md

class Operator : public ::testing::TestWithParam<OperatorRow> {
protected:
  void SetUp() override {
    bench.compile();
    ASSERT_EQ(bench.problem, "");
  }

  std::vector<Array> reference(mlir::ModuleOp module, const std::string &function, llvm::ArrayRef<Array> inputs) {
    std::optional<std::vector<Array>> results = evaluateReference(module, function, inputs);
    EXPECT_TRUE(results) << function << ": " << bench.program->takeMessages();
    return results.value_or(std::vector<Array>());
  }
  std::vector<Array> compiled(const std::string &function, llvm::ArrayRef<Array> inputs, const CallOptions &options) {
    std::string messages;
    std::optional<std::vector<Array>> results = bench.compiled->call(function, inputs, options, messages);
    EXPECT_TRUE(results) << function << " on " << options.level << ": " << messages;
    return results.value_or(std::vector<Array>());
  }
  void expectClose(llvm::ArrayRef<Array> got, llvm::ArrayRef<Array> want, double tolerance, const std::string &what) {
    ASSERT_EQ(got.size(), want.size()) << what;
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_EQ(compare(got[i], want[i], tolerance), "") << what << ", result " << i;
  }
  std::vector<Array> withCotangents(std::vector<Array> inputs, llvm::ArrayRef<Array> results) {
    for (Array &cotangent : OperatorBench::cotangents(results))
      inputs.push_back(std::move(cotangent));
    return inputs;
  }
  bool isEmpty(llvm::ArrayRef<Array> arrays) {
    return llvm::any_of(arrays, [](const Array &array) { return array.size() == 0; });
  }

  OperatorBench &bench = OperatorBench::get();
  const OperatorRow &row = GetParam();
  std::string name = functionName(row);
};

std::string textOf(const Sizes &sizes) {
  std::string text;
  for (auto &[name, size] : sizes.named())
    text += name + "=" + std::to_string(size) + " ";
  return text;
}

} // namespace

/// The operator's own reference against its definition by other operators, nested values as plain tensors.
TEST_P(Operator, IsWhatItsDefinitionSays) {
  for (const Sizes &sizes : oddSizes()) {
    std::vector<Array> inputs = bench.inputs(row, sizes);
    std::vector<Array> want = reference(bench.program->surface(), name, inputs);
    expectClose(reference(*bench.primitive, name, inputs), want, kDefinitionTolerance, "definition, " + textOf(sizes));
    expectClose(reference(*bench.differentiated, name, inputs), want, kDefinitionTolerance, "kept whole, " + textOf(sizes));
  }
}

/// sum(out * cotangent) as a function of one input element.
static double scalarOf(llvm::ArrayRef<Array> results, llvm::ArrayRef<Array> cotangents) {
  double sum = 0;
  for (size_t i = 0; i < results.size(); ++i)
    for (int64_t j = 0; j < results[i].size(); ++j)
      sum += results[i].data[j] * cotangents[i].data[j];
  return sum;
}

TEST_P(Operator, DerivativeAgreesWithFiniteDifferences) {
  if (!bench.hasGradient(row))
    return;
  std::vector<Array> inputs = bench.inputs(row, kTinySizes);
  int64_t elements = 0;
  for (const Array &input : inputs)
    elements += input.size();
  if (elements > kDifferenceElements)
    return; // forms for long axes; a smaller one of the same operator is differentiated
  std::vector<Array> results = reference(*bench.differentiated, name, inputs), cotangents = OperatorBench::cotangents(results);
  std::vector<Array> got = reference(*bench.differentiated, name + "_gradient", withCotangents(inputs, results));
  size_t next = results.size();
  std::string differenced = differencedName(row);
  auto function = bench.program->surface().lookupSymbol<mlir::func::FuncOp>(name);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!mlir::cast<mlir::RankedTensorType>(function.getArgument(i).getType()).getElementType().isF32())
      continue;
    Array want(inputs[i].shape);
    for (int64_t j = 0; j < want.size(); ++j) {
      double value = inputs[i].data[j];
      inputs[i].data[j] = value + kDifferenceStep;
      double up = scalarOf(reference(bench.program->surface(), differenced, inputs), cotangents);
      inputs[i].data[j] = value - kDifferenceStep;
      double down = scalarOf(reference(bench.program->surface(), differenced, inputs), cotangents);
      inputs[i].data[j] = value;
      want.data[j] = (up - down) / (2 * kDifferenceStep);
    }
    ASSERT_LT(next, got.size());
    EXPECT_EQ(compare(got[next++], want, kDifferenceTolerance), "") << "by input " << i;
  }
}

TEST_P(Operator, CompiledCodeAgreesWithTheReferenceOnOddShapes) {
  for (const Sizes &sizes : oddSizes()) {
    std::vector<Array> inputs = bench.inputs(row, sizes);
    std::vector<Array> want = reference(bench.program->surface(), name, inputs);
    for (const std::string &level : bench.compiled->levels())
      expectClose(compiled(name, inputs, {level, 1}), want, kForwardTolerance, level + ", " + textOf(sizes));
  }
}

TEST_P(Operator, CompiledGradientAgreesWithTheReferenceOnOddShapes) {
  if (!bench.hasGradient(row))
    return;
  for (const Sizes &sizes : oddSizes()) {
    std::vector<Array> inputs = bench.inputs(row, sizes);
    if (isEmpty(inputs))
      continue; // the gradient of a mean over nothing is not a number
    std::vector<Array> results = reference(bench.program->surface(), name, inputs);
    std::vector<Array> both = withCotangents(inputs, results);
    std::vector<Array> want = reference(*bench.differentiated, name + "_gradient", both);
    for (const std::string &level : bench.compiled->levels())
      expectClose(compiled(name + "_gradient", both, {level, 1}), want, kGradientTolerance, level + ", " + textOf(sizes));
  }
}

TEST_P(Operator, AnyNumberOfThreadsGivesTheSameBits) {
  std::vector<Array> inputs = bench.inputs(row, kWideSizes);
  std::vector<Array> alone = compiled(name, inputs, {"", 1});
  if (bench.hasGradient(row))
    inputs = withCotangents(inputs, alone);
  std::string function = name + (bench.hasGradient(row) ? "_gradient" : "");
  std::vector<Array> want = compiled(function, inputs, {"", 1});
  for (int threads : {2, 4}) {
    std::vector<Array> got = compiled(function, inputs, {"", threads});
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_EQ(compareBits(got[i], want[i]), "") << threads << " threads, result " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Operator, ::testing::ValuesIn(operatorTable()),
                         [](const ::testing::TestParamInfo<OperatorRow> &info) { return std::string(info.param.name); });
