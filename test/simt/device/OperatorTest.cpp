// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every row of the operator table in device code: forward and gradient against the reference, and the same bits in every order of threads.
#include "test/dialects/OperatorBench.h"
#include "test/harness/Judge.h"
#include "test/simt/DeviceModule.h"

#include <gtest/gtest.h>

using namespace nacre;
using namespace nacre::test;

namespace {

constexpr double kForwardTolerance = 2e-5, kGradientTolerance = 1e-4; // as on the CPU (test/golden/README.md)

class DeviceOperator : public ::testing::TestWithParam<OperatorRow> {
protected:
  /// Each row is compiled by itself, so that one that fails hides no other.
  void SetUp() override {
    ASSERT_EQ(bench.problem, "");
    mlir::OwningOpRef<mlir::ModuleOp> alone = bench.differentiated->clone();
    for (auto function : llvm::make_early_inc_range(alone->getOps<mlir::func::FuncOp>()))
      if (function.getName() != name && function.getName() != gradient)
        function.erase();
    std::string messages;
    compiled = CompiledProgram::compileForDevice(*alone, messages);
    ASSERT_NE(compiled, nullptr) << bench.program->takeMessages() << messages;
  }

  std::vector<Array> reference(const std::string &function, llvm::ArrayRef<Array> inputs) {
    std::optional<std::vector<Array>> results = evaluateReference(*bench.differentiated, function, inputs);
    EXPECT_TRUE(results) << function << ": " << bench.program->takeMessages();
    return results.value_or(std::vector<Array>());
  }
  std::vector<Array> onDevice(const std::string &function, llvm::ArrayRef<Array> inputs, int order) {
    std::string messages;
    nacre_simt_set_order(order);
    std::optional<std::vector<Array>> results = compiled->call(function, inputs, {kDeviceLevel, 1}, messages);
    EXPECT_TRUE(results) << function << ", order " << order << ": " << messages;
    return results.value_or(std::vector<Array>());
  }
  /// Right in the first of the orders, and the same bits in the others.
  void check(const std::string &function, llvm::ArrayRef<Array> inputs, llvm::ArrayRef<Array> want, double tolerance,
             llvm::ArrayRef<int> orders) {
    std::vector<Array> first = onDevice(function, inputs, orders[0]);
    ASSERT_EQ(first.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i)
      ASSERT_EQ(compare(first[i], want[i], tolerance), "") << function << ", result " << i << ", order " << orders[0];
    for (int order : orders.drop_front()) {
      std::vector<Array> other = onDevice(function, inputs, order);
      ASSERT_EQ(other.size(), want.size());
      for (size_t i = 0; i < want.size(); ++i)
        ASSERT_EQ(compareBits(other[i], first[i]), "") << function << ", result " << i << ", order " << order;
    }
  }

  OperatorBench &bench = OperatorBench::get();
  const OperatorRow &row = GetParam();
  std::string name = functionName(row), gradient = name + "_gradient";
  std::unique_ptr<CompiledProgram> compiled;
};

/// All of them where rows are longer than a warp, which is where lanes have most to do with each other; one each at other sizes.
llvm::ArrayRef<int> ordersFor(size_t position, const Sizes &sizes) {
  llvm::ArrayRef<int> all = simt::kOrders;
  return sizes.B > 32 ? all : all.slice(position % all.size(), 1);
}

bool isEmpty(llvm::ArrayRef<Array> arrays) {
  return llvm::any_of(arrays, [](const Array &array) { return array.size() == 0; });
}

} // namespace

TEST_P(DeviceOperator, AgreesWithTheReferenceInEveryOrder) {
  for (auto [position, sizes] : llvm::enumerate(oddSizes())) {
    llvm::ArrayRef<int> orders = ordersFor(position, sizes);
    std::vector<Array> inputs = bench.inputs(row, sizes), want = reference(name, inputs);
    check(name, inputs, want, kForwardTolerance, orders);
    if (!bench.hasGradient(row) || isEmpty(inputs) || HasFatalFailure()) // the gradient of a mean over nothing is not a number
      continue;
    for (Array &cotangent : OperatorBench::cotangents(want))
      inputs.push_back(std::move(cotangent));
    check(gradient, inputs, reference(gradient, inputs), kGradientTolerance, orders);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, DeviceOperator, ::testing::ValuesIn(operatorTable()),
                         [](const ::testing::TestParamInfo<OperatorRow> &info) { return std::string(info.param.name); });
