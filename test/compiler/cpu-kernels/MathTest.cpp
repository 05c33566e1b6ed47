// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The polynomials of ExpandMath.h: errors in units of the last place against f64, special values, and equal bits of an element
// in a vector, in a tail and on every level.
#include "compiler/Target/CPU/VectorBuilder.h"
#include "test/compiler/cpu-kernels/KernelLoader.h"
#include "llvm/Support/FormatVariadic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

using namespace nacre::cpu;

namespace {

struct Function {
  const char *name;
  Value (VectorBuilder::*emit)(Value);
  double (*exact)(double);
  double from, to;
  double ulps;
};

const Function functions[] = {
    {"exp", &VectorBuilder::exp, std::exp, -86.9, 88.72, 1.1}, {"exp2", &VectorBuilder::exp2, std::exp2, -126.0, 127.4, 2.0},
    {"log", &VectorBuilder::log, std::log, 1e-44, 3.4e38, 1.0}, {"tanh", &VectorBuilder::tanh, std::tanh, -12, 12, 1.7},
    {"erf", &VectorBuilder::erf, std::erf, -6, 6, 1.5},
};

/// y[i] = f(x[i]) for i < n; slots: x, y, n.
void emitMap(mlir::ModuleOp module, const Function &function, const Level &level) {
  auto [kernel, b] = createKernel(module, (llvm::Twine(function.name) + "_" + level.name).str(), level);
  Value x = b.slotPointer(kernel.slots, 0), y = b.slotPointer(kernel.slots, 1), n = b.slotInteger(kernel.slots, 2);
  b.loop(b.integer(0), n, level.lanes, [&, &b = b](Value i) {
    Value mask = b.mask(b.sub(n, i));
    b.store((b.*function.emit)(b.load(b.at(x, i), mask)), b.at(y, i), mask);
  });
}

class MathTest : public testing::Test {
protected:
  static void SetUpTestSuite() {
    loader = new KernelLoader;
    for (const Function &function : functions)
      for (const Level &level : levels())
        emitMap(loader->module(), function, level);
    loader->compile();
  }
  static std::vector<float> apply(const Function &function, const Level &level, const std::vector<float> &x) {
    std::vector<float> y(x.size());
    int64_t slots[] = {reinterpret_cast<int64_t>(x.data()), reinterpret_cast<int64_t>(y.data()),
                       static_cast<int64_t>(x.size())};
    loader->find(llvm::formatv("{0}_{1}", function.name, level.name).str())(0, 1, slots, nullptr);
    return y;
  }
  static KernelLoader *loader;
};
KernelLoader *MathTest::loader = nullptr;

/// Every 1009th float of [from, to].
std::vector<float> sample(double from, double to) {
  std::vector<float> values;
  for (uint64_t bits = 0; bits < (uint64_t(1) << 32); bits += 1009) {
    float value;
    const auto word = static_cast<uint32_t>(bits);
    std::memcpy(&value, &word, sizeof value);
    if (value >= from && value <= to)
      values.push_back(value);
  }
  return values;
}

double errorInUlps(float found, double exact) {
  const double size = std::max(std::fabs(exact), 1.1754943508222875e-38);
  return std::fabs(found - exact) / std::ldexp(1.0, std::ilogb(size) - 23);
}

TEST_F(MathTest, ErrorsStayWithinTheStatedUlps) {
  for (const Function &function : functions)
    for (const Level &level : levels()) {
      if (!machineSupports(level.name))
        continue;
      const std::vector<float> x = sample(function.from, function.to), y = apply(function, level, x);
      double worst = 0, at = 0;
      for (size_t i = 0; i < x.size(); ++i)
        if (const double error = errorInUlps(y[i], function.exact(x[i])); error > worst)
          worst = error, at = x[i];
      EXPECT_LE(worst, function.ulps) << function.name << " " << level.name.str() << " at " << at;
    }
}

TEST_F(MathTest, SpecialValues) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  const std::vector<float> x = {-inf, inf, nan, 0.0f, -200.0f, 200.0f, -1.0f};
  for (const Level &level : levels()) {
    if (!machineSupports(level.name))
      continue;
    for (int f : {0, 1}) {
      const std::vector<float> y = apply(functions[f], level, x);
      EXPECT_EQ(y[0], 0.0f);
      EXPECT_EQ(y[1], inf);
      EXPECT_TRUE(std::isnan(y[2]));
      EXPECT_EQ(y[3], 1.0f);
      EXPECT_EQ(y[4], 0.0f);
      EXPECT_EQ(y[5], inf);
    }
    const std::vector<float> log = apply(functions[2], level, x);
    EXPECT_TRUE(std::isnan(log[0]));
    EXPECT_EQ(log[1], inf);
    EXPECT_TRUE(std::isnan(log[2]));
    EXPECT_EQ(log[3], -inf);
    EXPECT_TRUE(std::isnan(log[6]));
    for (int f : {3, 4}) {
      const std::vector<float> y = apply(functions[f], level, x);
      EXPECT_EQ(y[0], -1.0f);
      EXPECT_EQ(y[1], 1.0f);
      EXPECT_TRUE(std::isnan(y[2]));
      EXPECT_EQ(y[3], 0.0f);
    }
  }
}

TEST_F(MathTest, BitsDependOnNeitherPlaceNorLevel) {
  std::vector<float> x(37);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = 0.31f * static_cast<float>(i) + 0.01f;
  for (const Function &function : functions) {
    const std::vector<float> whole = apply(function, levels()[0], x);
    for (const Level &level : levels())
      for (size_t i = 0; machineSupports(level.name) && i < x.size(); ++i)
        EXPECT_EQ(apply(function, level, {x[i]})[0], whole[i]) << function.name << " " << level.name.str();
  }
}

} // namespace
