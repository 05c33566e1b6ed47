// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Stages of one function: as written, as primitives, as differentiated (f64); compiled (f32). How f32 is judged: within the tolerance of
// the golden cases; what is beyond is measured against the effect of rounding, by running the reference again with every result of every
// primitive moved by a few units in the last place (Monte Carlo arithmetic, Parker 1997).
#include "test/random/Check.h"

#include "compiler/Pipelines/Compile.h"
#include "dialects/Nacre/IR/Dims.h"
#include "dialects/Nacre/IR/Infer.h"
#include "dialects/Nacre/Transforms/Transforms.h"
#include "dialects/Plan/IR/Unfused.h"
#include "test/harness/CompiledProgram.h"
#include "test/harness/Judge.h"
#include "test/harness/TestProgram.h"
#include "test/random/Draw.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace nacre;
using namespace nacre::test;

static constexpr double kDefinitionTolerance = 1e-9;  // f64 against f64: a few thousand roundings
static constexpr double kForwardTolerance = 2e-5, kGradientTolerance = 1e-4; // f32 as in test/golden/README.md
static constexpr double kDifferenceTolerance = 1e-5, kDifferenceStep = 1e-5; // central differences: O(h^2) and eps / h
static constexpr double kLargest = 1e4;               // of any value: beyond, f32 has nothing to compare
static constexpr double kUnit = 0x1p-24;              // rounding to nearest in f32
static constexpr int kRoundedRuns = 16;
static constexpr double kRoundedShare = 4;  // 16 draws of the effect of rounding, at 4 units an operator, reach a quarter of its bound
static constexpr double kDecided = 1e-2;    // rounding that moves results by more than this share changes a choice

namespace {

/// All stages of a text.
struct Stages {
  std::unique_ptr<TestProgram> program;
  mlir::OwningOpRef<mlir::ModuleOp> primitive, differentiated, primitiveGradient;
  std::unique_ptr<CompiledProgram> compiled;
  std::string level;
};

/// One function at one binding of its dims.
class Case {
public:
  Case(Stages &stages, const Calls &calls, const DimSizes &sizes);
  Verdict check();

private:
  using Results = std::optional<std::vector<Array>>;

  Results reference(mlir::ModuleOp module, const std::string &function, llvm::ArrayRef<Array> inputs, ResultObserver observer = nullptr);
  Results compiled(const std::string &function, llvm::ArrayRef<Array> inputs, int threads = 1);
  /// Fails unless all of `got` is within tolerance of `want`, or undecided by rounding of `module`.
  void judge(llvm::StringRef what, const Results &got, const Results &want, double tolerance, mlir::ModuleOp module,
             const std::string &function, llvm::ArrayRef<Array> inputs);
  void judgeByRounding(const std::string &why, llvm::ArrayRef<Array> got, llvm::ArrayRef<Array> want, double tolerance,
                       mlir::ModuleOp module, const std::string &function, llvm::ArrayRef<Array> inputs);
  void checkForward();
  void checkGradient();
  void checkDerivative(llvm::ArrayRef<Array> gradient, const Array &cotangent);
  double valueAlong(llvm::ArrayRef<Array> direction, double step, const Array &cotangent);
  void fail(llvm::StringRef why);
  void leaveOpen(llvm::StringRef why);

  Stages &stages;
  const Calls &calls;
  const DimSizes &sizes;
  std::vector<Array> inputs;
  std::vector<bool> isFloat;
  Results want;
  Verdict verdict;
};

} // namespace

static std::string textOf(const DimSizes &sizes) {
  std::string text;
  for (auto &[dim, size] : sizes)
    text += dim + "=" + std::to_string(size) + " ";
  return text;
}

static std::vector<Array> drawInputs(mlir::func::FuncOp function, const Calls &calls, const DimSizes &sizes) {
  llvm::StringMap<int64_t> binding;
  for (auto &[dim, size] : sizes)
    binding[dim] = size;
  std::vector<Array> inputs;
  for (mlir::BlockArgument argument : function.getArguments()) {
    llvm::SmallVector<int64_t> shape;
    for (const Dim &dim : dimsOf(argument.getType()))
      shape.push_back(dim.evaluate(binding).value_or(1));
    uint64_t key = calls.key * 64 + inputs.size() + 1;
    if (plainType(argument).getElementType().isF32()) {
      inputs.push_back(uniform(shape, -2, 2, key));
      continue;
    }
    auto name = function.getArgAttrOfType<mlir::StringAttr>(argument.getArgNumber(), "nacre.name");
    auto found = calls.integers.find(name.str());
    IntegerRange range = found == calls.integers.end() ? IntegerRange() : found->second;
    int64_t below = range.below.empty() ? 0 : Dim::parse(range.below)->evaluate(binding).value_or(0);
    inputs.push_back(integers(shape, range.low, range.high + below, key));
  }
  return inputs;
}

Case::Case(Stages &stages, const Calls &calls, const DimSizes &sizes) : stages(stages), calls(calls), sizes(sizes) {
  auto function = stages.program->surface().lookupSymbol<mlir::func::FuncOp>(calls.function);
  inputs = drawInputs(function, calls, sizes);
  for (mlir::BlockArgument argument : function.getArguments())
    isFloat.push_back(plainType(argument).getElementType().isF32());
}

Case::Results Case::reference(mlir::ModuleOp module, const std::string &function, llvm::ArrayRef<Array> inputs, ResultObserver observer) {
  Results results = evaluateReference(module, function, inputs, observer);
  if (!results)
    fail("the reference of " + function + " does not run: " + stages.program->takeMessages());
  return results;
}

Case::Results Case::compiled(const std::string &function, llvm::ArrayRef<Array> inputs, int threads) {
  std::string messages;
  Results results = stages.compiled->call(function, inputs, {stages.level, threads}, messages);
  if (!results)
    fail(function + " does not run: " + messages);
  return results;
}

void Case::fail(llvm::StringRef why) {
  if (verdict.outcome != Outcome::Failed)
    verdict = {Outcome::Failed, textOf(sizes) + why.str()};
}

void Case::leaveOpen(llvm::StringRef why) {
  if (verdict.outcome == Outcome::Clean)
    verdict = {Outcome::Undecided, textOf(sizes) + why.str()};
}

//===--- judgement ---===//

static double scaleOf(const Array &array) {
  double scale = 1;
  for (double value : array.data)
    scale = std::isfinite(value) ? std::fmax(scale, 1 + std::fabs(value)) : scale;
  return scale;
}

/// Moves every inexact element by up to 4 units of itself and one of the largest; an exact 0 stays (it may be a place without entry).
static void moveByRounding(mlir::Value value, Array &array, Draw &draw) {
  if (!plainType(value).getElementType().isF32())
    return;
  double largest = 0;
  for (double element : array.data)
    largest = std::fmax(largest, std::fabs(element));
  auto sign = [&] { return double(draw.next() >> 11) * 0x1p-52 - 1; };
  for (double &element : array.data)
    if (element != 0)
      element += kUnit * (4 * std::fabs(element) * sign() + largest * sign());
}

void Case::judge(llvm::StringRef what, const Results &got, const Results &want, double tolerance, mlir::ModuleOp module,
                 const std::string &function, llvm::ArrayRef<Array> inputs) {
  if (!got || !want)
    return;
  if (got->size() < want->size())
    return fail((what + ": " + llvm::Twine(got->size()) + " results").str());
  std::string why;
  for (size_t i = 0; i < want->size() && why.empty(); ++i)
    if (std::string difference = compare((*got)[i], (*want)[i], tolerance); !difference.empty())
      why = llvm::formatv("{0}, result {1}: {2}", what, i, difference);
  if (!why.empty())
    judgeByRounding(why, *got, *want, tolerance, module, function, inputs);
}

void Case::judgeByRounding(const std::string &why, llvm::ArrayRef<Array> got, llvm::ArrayRef<Array> want, double tolerance,
                           mlir::ModuleOp module, const std::string &function, llvm::ArrayRef<Array> inputs) {
  Draw draw(calls.key);
  std::vector<double> spread(want.size(), 0);
  for (int run = 0; run < kRoundedRuns; ++run) {
    Results moved = reference(module, function, inputs, [&](mlir::Value value, Array &array) { moveByRounding(value, array, draw); });
    for (size_t i = 0; moved && i < want.size(); ++i)
      for (int64_t j = 0; j < want[i].size(); ++j) {
        double distance = std::fabs((*moved)[i].data[j] - want[i].data[j]);
        spread[i] = std::fmax(spread[i], std::isnan(distance) ? INFINITY : distance);
      }
  }
  for (size_t i = 0; i < want.size(); ++i)
    if (spread[i] > kDecided * scaleOf(want[i]))
      return leaveOpen(why);
  for (size_t i = 0; i < want.size(); ++i)
    if (!compare(got[i], want[i], tolerance + kRoundedShare * spread[i] / scaleOf(want[i])).empty())
      return fail(llvm::formatv("{0}; rounding alone moves it by {1}", why, spread[i]).str());
}

//===--- the checks ---===//

void Case::checkForward() {
  const std::string &name = calls.function;
  want = reference(stages.program->surface(), name, inputs);
  if (!want)
    return;
  judge("as primitives", reference(*stages.primitive, name, inputs), want, kDefinitionTolerance, *stages.primitive, name, inputs);
  if (stages.compiled && stages.compiled->has(name))
    judge("compiled", compiled(name, inputs), want, kForwardTolerance, *stages.primitive, name, inputs);
}

void Case::checkGradient() {
  std::string name = calls.function + "_gradient";
  if (!want || !stages.differentiated->lookupSymbol(name))
    return;
  std::vector<Array> both = inputs;
  both.push_back(uniform((*want)[0].shape, -1, 1, calls.key * 64));
  Results gradient = reference(*stages.differentiated, name, both);
  if (!gradient)
    return;
  if (!calls.hasSurrogate)
    checkDerivative(llvm::ArrayRef<Array>(*gradient).drop_front(), both.back());
  if (!stages.compiled)
    return;
  Results got = compiled(name, both), again = compiled(name, both, 3);
  judge("compiled with the gradient", got, want, kForwardTolerance, *stages.primitive, calls.function, inputs);
  judge("gradient", got, gradient, kGradientTolerance, *stages.primitiveGradient, name, both);
  for (size_t i = 0; got && again && i < got->size(); ++i)
    if (std::string why = compareBits((*again)[i], (*got)[i]); !why.empty())
      fail("three threads: " + why);
}

/// sum(f(inputs + step * direction) * cotangent)
double Case::valueAlong(llvm::ArrayRef<Array> direction, double step, const Array &cotangent) {
  std::vector<Array> moved = inputs;
  for (size_t i = 0, next = 0; i < moved.size(); ++i)
    if (isFloat[i]) {
      for (int64_t j = 0; j < moved[i].size(); ++j)
        moved[i].data[j] += step * direction[next].data[j];
      ++next;
    }
  Results results = reference(stages.program->surface(), calls.function, moved);
  double sum = 0;
  for (int64_t j = 0; results && j < cotangent.size(); ++j)
    sum += (*results)[0].data[j] * cotangent.data[j];
  return sum;
}

/// The gradient along one random direction against central differences of the program as written. Two steps that disagree saw a kink.
void Case::checkDerivative(llvm::ArrayRef<Array> gradient, const Array &cotangent) {
  std::vector<Array> direction;
  double got = 0, scale = 1;
  for (const Array &part : gradient) {
    direction.push_back(uniform(part.shape, -1, 1, calls.key * 64 + 32 + direction.size()));
    for (int64_t j = 0; j < part.size(); ++j) {
      got += part.data[j] * direction.back().data[j];
      scale += std::fabs(part.data[j] * direction.back().data[j]);
    }
  }
  double differences[3], step = kDifferenceStep;
  for (double &difference : differences) {
    difference = (valueAlong(direction, step, cotangent) - valueAlong(direction, -step, cotangent)) / (2 * step);
    scale = std::fmax(scale, std::fabs(difference));
    step /= 4;
  }
  auto agree = [&](double a, double b) { return std::fabs(a - b) <= kDifferenceTolerance * scale; };
  if (agree(differences[0], got) || agree(differences[1], got) || agree(differences[2], got))
    return;
  std::string why = llvm::formatv("the derivative along a direction is {0}, the gradient says {1}", differences[1], got);
  bool isSmooth = agree(differences[0], differences[1]) && agree(differences[1], differences[2]);
  isSmooth ? fail(why) : leaveOpen(why);
}

Verdict Case::check() {
  checkForward();
  checkGradient();
  return verdict;
}

//===--- programs ---===//

/// Functions that are not fused are marked; of those with a gradient, that alone is compiled: it returns the results too.
static void prepareUnfused(mlir::ModuleOp module, llvm::ArrayRef<Calls> calls) {
  auto mark = mlir::UnitAttr::get(module.getContext());
  for (const Calls &one : calls) {
    auto function = module.lookupSymbol<mlir::func::FuncOp>(one.function);
    auto gradient = module.lookupSymbol<mlir::func::FuncOp>(one.function + "_gradient");
    if (one.isFused || !function)
      continue;
    (gradient ? gradient : function)->setAttr(plan::kUnfused, mark);
    if (gradient)
      function.erase();
  }
}

static bool makeStages(Stages &stages, llvm::StringRef text, llvm::ArrayRef<Calls> calls, std::string &problem) {
  stages.program = TestProgram::parse("random", text, problem);
  if (!stages.program)
    return false;
  stages.primitive = stages.program->primitive();
  stages.differentiated = stages.program->differentiated();
  if (!stages.primitive || !stages.differentiated) {
    problem = "the rewrites fail: " + stages.program->takeMessages();
    return false;
  }
  (void)stages.program->takeMessages(); // functions without a gradient say so
  stages.primitiveGradient = stages.differentiated->clone();
  if (mlir::failed(decompose(*stages.primitiveGradient, /*keepDifferentiable=*/false))) {
    problem = "the gradient does not decompose: " + stages.program->takeMessages();
    return false;
  }
  mlir::OwningOpRef<mlir::ModuleOp> module = stages.differentiated->clone();
  prepareUnfused(*module, calls);
  if (stages.level.empty()) {
    CompileOptions options;
    options.stopAfter = Stage::Plan;
    bool isPlanned = mlir::succeeded(compile(*module, options));
    problem += isPlanned ? "" : stages.program->takeMessages();
    return isPlanned;
  }
  stages.compiled = CompiledProgram::compile(*module, problem, stages.level);
  if (!stages.compiled)
    problem += ": " + stages.program->takeMessages();
  return bool(stages.compiled);
}

std::optional<std::vector<Verdict>> test::checkPrograms(llvm::StringRef text, llvm::ArrayRef<Calls> calls, const std::string &level,
                                                        std::string &problem) {
  Stages stages;
  stages.level = level;
  if (!makeStages(stages, text, calls, problem))
    return std::nullopt;
  std::vector<Verdict> verdicts;
  for (const Calls &one : calls) {
    Verdict worst;
    for (const DimSizes &sizes : one.sizes)
      if (Verdict verdict = Case(stages, one, sizes).check(); verdict.outcome > worst.outcome)
        worst = verdict;
    verdicts.push_back(worst);
  }
  return verdicts;
}

/// Whether all values of a function are finite and moderate at all its sizes.
static bool isModerate(TestProgram &parsed, const Calls &calls) {
  auto function = parsed.surface().lookupSymbol<mlir::func::FuncOp>(calls.function);
  bool ok = bool(function);
  auto observe = [&](mlir::Value, Array &array) {
    for (double value : array.data)
      ok &= std::fabs(value) < kLargest;
  };
  for (const DimSizes &sizes : calls.sizes)
    if (ok)
      ok &= bool(evaluateReference(parsed.surface(), calls.function, drawInputs(function, calls, sizes), observe));
  return ok;
}

std::vector<bool> test::areFit(llvm::ArrayRef<RandomProgram> programs) {
  std::string text = dimDeclarations(), problem;
  for (const RandomProgram &program : programs)
    text += program.text();
  std::vector<bool> fit;
  if (std::unique_ptr<TestProgram> parsed = TestProgram::parse("random", text, problem)) {
    for (const RandomProgram &program : programs)
      fit.push_back(isModerate(*parsed, program.calls));
  } else if (programs.size() == 1) {
    llvm::errs() << "refused: " << problem << text;
    fit.push_back(false);
  } else { // one of them spoils it
    fit = areFit(programs.take_front(programs.size() / 2));
    std::vector<bool> others = areFit(programs.drop_front(programs.size() / 2));
    fit.insert(fit.end(), others.begin(), others.end());
  }
  return fit;
}
