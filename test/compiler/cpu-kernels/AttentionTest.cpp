// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention, forward and backward, against naive f64 loops: all masks and biases, grouped heads, odd widths and
// lengths, rows without keys.
#include "test/compiler/cpu-kernels/AttentionReference.h"
#include "test/compiler/cpu-kernels/KernelLoader.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

using namespace nacre::cpu;
using Slot = AttentionSlots;

namespace {

/// Kernels for biases that a specification has.
std::map<std::string, BiasGradient> biasGradients(const AttentionSpec &spec) {
  std::map<std::string, BiasGradient> of;
  if (spec.bias)
    of["Bias"] = BiasGradient::Bias;
  if (spec.relative)
    of["Relative"] = BiasGradient::Relative;
  if (spec.factors)
    of["Factors"] = BiasGradient::Factors;
  return of;
}

/// One kernel: a combination of flags that changes the code.
const std::map<std::string, AttentionSpec> &specs() {
  static const std::map<std::string, AttentionSpec> all = [] {
    std::map<std::string, AttentionSpec> map;
    AttentionSpec spec;
    spec.scale = 0.25, spec.logSumExp = true;
    map["plain"] = spec;
    AttentionSpec causal = spec;
    causal.causal = true;
    map["causal"] = causal;
    causal.lengths = causal.window = true;
    map["window"] = causal;
    causal.prefix = true;
    map["prefix"] = causal;
    AttentionSpec bias = spec;
    bias.bias = bias.lengths = true;
    map["bias"] = bias;
    AttentionSpec cap = spec;
    cap.softCap = 3, cap.bias = cap.causal = true;
    map["cap"] = cap;
    AttentionSpec urpe = spec;
    urpe.bias = urpe.factors = urpe.causal = true;
    map["urpe"] = urpe;
    AttentionSpec mask = spec;
    mask.mask = mask.relative = mask.alibi = true, mask.widthBound = 256;
    map["mask"] = mask;
    mask.causal = mask.window = mask.lengths = mask.factors = true, mask.softCap = 2;
    map["all"] = mask;
    return map;
  }();
  return all;
}

const AttentionShape shapes[] = {
    {1, 1, 1, 1, 1, 8},    {2, 3, 3, 5, 5, 32},     {2, 2, 2, 20, 20, 32},  {1, 4, 2, 17, 33, 40},  {2, 3, 1, 33, 17, 64},
    {1, 1, 1, 100, 100, 1}, {1, 2, 2, 128, 128, 32}, {1, 1, 1, 97, 530, 24}, {1, 2, 1, 1, 300, 128}, {1, 1, 1, 260, 600, 16},
};
const AttentionShape wide = {1, 2, 1, 30, 70, 200}; // for kernels made for heads wider than 128

class AttentionTest : public testing::TestWithParam<std::tuple<const char *, std::string>> {
protected:
  static void SetUpTestSuite() {
    if (loader)
      return;
    loader = new KernelLoader;
    for (const Level &level : levels())
      for (const auto &[name, spec] : specs()) {
        const std::string forward = name + level.name.str(), backward = forward + "Backward";
        infos[forward] = emitAttention(loader->module(), forward, level, spec);
        infos[backward] = emitAttentionBackward(loader->module(), backward, level, spec);
        for (const auto &[of, gradient] : biasGradients(spec))
          infos[forward + of] = emitAttentionBiasBackward(loader->module(), forward + of, level, spec, gradient);
      }
    loader->compile();
  }
  void SetUp() override {
    if (!machineSupports(std::get<0>(GetParam())))
      GTEST_SKIP() << "this machine lacks the level";
  }
  std::string kernelName() const { return std::get<1>(GetParam()) + std::get<0>(GetParam()); }
  const AttentionSpec &spec() const { return specs().at(std::get<1>(GetParam())); }
  std::vector<AttentionShape> allShapes() const {
    std::vector<AttentionShape> all(std::begin(shapes), std::end(shapes));
    if (spec().widthBound >= wide.width)
      all.push_back(wide);
    return all;
  }

  static KernelLoader *loader;
  static std::map<std::string, KernelInfo> infos;
};
KernelLoader *AttentionTest::loader = nullptr;
std::map<std::string, KernelInfo> AttentionTest::infos;

TEST_P(AttentionTest, ForwardMatchesTheFormula) {
  for (const AttentionShape &shape : allShapes()) {
    AttentionProblem problem(spec(), shape);
    problem.solve();
    Launch launch(infos[kernelName()], loader->find(kernelName()));
    problem.fill(launch);
    launch.run(2, true); // the last tasks first
    problem.expectForward();
  }
}

TEST_P(AttentionTest, BackwardMatchesTheFormula) {
  const std::string name = kernelName() + "Backward";
  for (const AttentionShape &shape : allShapes()) {
    AttentionProblem problem(spec(), shape);
    problem.solve();
    problem.storeForward();
    Launch launch(infos[name], loader->find(name));
    problem.fill(launch, true);
    launch.run(2, true);
    problem.expectBackward();
  }
}

TEST_P(AttentionTest, GradientsOfBiasesMatchTheFormula) {
  for (const auto &[of, gradient] : biasGradients(spec()))
    for (const AttentionShape &shape : allShapes()) {
      AttentionProblem problem(spec(), shape);
      problem.solve();
      problem.storeForward();
      const std::string name = kernelName() + of;
      Launch launch(infos[name], loader->find(name));
      problem.fill(launch, gradient);
      launch.run(2, true);
      problem.expectBias(gradient);
    }
}

std::vector<std::string> specNames() {
  std::vector<std::string> names;
  for (const auto &[name, spec] : specs())
    names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Levels, AttentionTest, testing::Combine(testing::Values("v3", "v4"), testing::ValuesIn(specNames())),
                         [](const auto &info) { return std::get<1>(info.param) + "_" + std::get<0>(info.param); });

} // namespace
