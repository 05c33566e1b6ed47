// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A training step of the digits model in device code: launched, recorded as a graph and replayed, against the same steps on the CPU.
#include "test/harness/CompiledProgram.h"
#include "test/harness/Judge.h"
#include "test/harness/TestProgram.h"
#include "test/simt/DeviceModule.h"

#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>

using namespace nacre;
using namespace nacre::test;

namespace {

constexpr int kSteps = 4; // launched, recorded, replayed twice
constexpr double kTolerance = 1e-4; // f32 against f32 over a few steps, as for the CPU's training steps

struct Digits {
  std::unique_ptr<TestProgram> program;
  std::unique_ptr<CompiledProgram> compiled;
  std::string messages;

  Digits() {
    auto text = llvm::MemoryBuffer::getFile(NACRE_EXAMPLES "/digits/digits.nacre");
    program = text ? TestProgram::parse("digits", (*text)->getBuffer(), messages) : nullptr;
    if (program)
      compiled = CompiledProgram::compileForDevice(program->surface(), messages);
    if (program)
      messages += program->takeMessages();
  }

  /// Inputs of the step function: pixels, labels, and what follows them as scalars: the rate and the number of the step.
  std::vector<Array> inputs(const nacre_function &function, int step) const {
    std::vector<Array> arrays;
    for (int32_t i = 0; i < function.input_count; ++i) {
      const nacre_port &port = function.inputs[i];
      llvm::SmallVector<int64_t> shape;
      for (int32_t axis = 0; axis < port.rank; ++axis)
        shape.push_back(axis == 0 ? kBatch : port.shape[axis].terms[0].coefficient);
      uint64_t key = uint64_t(step * 10 + i);
      if (port.rank == 0)
        arrays.push_back(Array({}, std::string(port.name) == "step" ? double(step) : 0.001));
      else if (port.dtype == NACRE_I32)
        arrays.push_back(integers(shape, 0, port.value_bound, key));
      else
        arrays.push_back(uniform(shape, 0, 1, key));
    }
    return arrays;
  }

  /// Losses of the steps, then all parameters.
  std::vector<Array> train(const std::string &level) {
    EXPECT_TRUE(compiled->initialize(7, messages)) << messages;
    const nacre_model &model = compiled->table();
    const nacre_function &function = model.functions[model.api->function_index(&model, model.training.function)];
    std::vector<Array> results;
    for (int step = 1; step <= kSteps; ++step) {
      auto loss = compiled->call(model.training.function, inputs(function, step), {level, 1}, messages);
      EXPECT_TRUE(loss) << level << ", step " << step << ": " << messages;
      if (!loss)
        return {};
      results.push_back((*loss)[0]);
    }
    for (const std::string &name : compiled->parameterNames())
      results.push_back(compiled->parameter(name));
    return results;
  }

  static constexpr int64_t kBatch = 16;
};

} // namespace

TEST(DeviceTraining, DigitsTrainsAsOnTheCpuWithTheSameBitsInEveryOrder) {
  Digits digits;
  ASSERT_NE(digits.compiled, nullptr) << digits.messages;
  std::vector<Array> want = digits.train("v3"), first;
  for (int order : simt::kOrders) {
    nacre_simt_set_order(order);
    std::vector<Array> got = digits.train(kDeviceLevel);
    ASSERT_EQ(got.size(), want.size());
    if (first.empty())
      first = got;
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(compare(got[i], want[i], kTolerance), "") << "result " << i << ", order " << order;
      ASSERT_EQ(compareBits(got[i], first[i]), "") << "result " << i << ", order " << order;
    }
  }
}
