// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Optimisers: the training step of a model with one parameter, run for given gradients.
#include "test/golden/GoldenRun.h"

#include "dialects/Nacre/IR/Ops/Program.h"
#include "dialects/Nacre/Transforms/Transforms.h"
#include "test/harness/Judge.h"
#include "test/harness/TestProgram.h"

using namespace nacre;
using namespace nacre::test;

/// The inputs of step `t`, counted from 1: the gradient as a batch of one, the learning rate and the step.
static std::vector<Array> stepInputs(const GoldenCase &golden, int64_t t) {
  const Array &all = golden.find("in.g")->values;
  llvm::SmallVector<int64_t, 4> shape = all.shape;
  shape[0] = 1;
  Array g(shape);
  std::copy_n(all.data.begin() + (t - 1) * g.size(), g.size(), g.data.begin());
  return {g, Array({}, golden.attributes.getNumber("lr").value_or(0)), Array({}, double(t))};
}

/// Parameters as the program names them, against w and the moments of the case.
static void checkParameters(GoldenRun &run, const std::string &stage, const ParameterValues &values, double tolerance) {
  for (auto &[name, value] : values) {
    auto [kind, rest] = llvm::StringRef(name).drop_front(llvm::StringRef(name).find('.') + 1).split('.');
    if (std::optional<Array> want = goldenValues(run.golden, "out", name == "w" ? "w" : kind))
      run.fail(stage + " " + name, compare(value, *want, tolerance));
  }
}

static bool runReference(GoldenRun &run, mlir::ModuleOp module) {
  ParameterValues values;
  for (auto parameter : module.getOps<ParameterOp>())
    values[parameter.getSymName().str()] = Array(mlir::cast<mlir::RankedTensorType>(parameter.getType()).getShape());
  values["w"] = run.golden.find("in.w")->values;
  auto step = module.lookupSymbol<mlir::func::FuncOp>("loss_step");
  for (int64_t t = 1; t <= run.golden.find("in.g")->values.shape[0]; ++t)
    if (mlir::failed(evaluate(step, stepInputs(run.golden, t), values)))
      return false;
  checkParameters(run, "reference", values, kReferenceTolerance);
  return true;
}

static void runCompiled(GoldenRun &run, CompiledProgram &compiled, const std::string &level) {
  std::string messages;
  bool ok = compiled.setParameter("w", run.golden.find("in.w")->values, messages);
  for (const std::string &name : compiled.parameterNames())
    ok &= name == "w" || compiled.setParameter(name, Array(compiled.parameter(name).shape), messages);
  for (int64_t t = 1; ok && t <= run.golden.find("in.g")->values.shape[0]; ++t)
    ok = compiled.call("loss_step", stepInputs(run.golden, t), {level, 1}, messages).has_value();
  if (!ok)
    return run.fail(level, messages);
  ParameterValues values;
  for (const std::string &name : compiled.parameterNames())
    values[name] = compiled.parameter(name);
  checkParameters(run, level, values, kForwardTolerance);
}

/// w and a gradient of its shape for every step.
static bool hasInputs(const GoldenCase &golden) {
  const GoldenTensor *w = golden.find("in.w"), *g = golden.find("in.g");
  return w && g && !g->values.shape.empty() && llvm::ArrayRef<int64_t>(g->values.shape).drop_front().equals(w->values.shape);
}

void test::runTraining(GoldenRun &run) {
  std::string messages;
  if (!hasInputs(run.golden))
    return run.fail("the case", "expected in.w and in.g: [steps, shape of w]");
  std::unique_ptr<TestProgram> program = TestProgram::parse("golden", run.text, messages);
  if (!program)
    return run.fail("the program", messages);
  mlir::OwningOpRef<mlir::ModuleOp> step = program->surface().clone();
  if (mlir::failed(decompose(*step, /*keepDifferentiable=*/true)) || mlir::failed(addTrainingStep(*step)) || !runReference(run, *step))
    return run.fail("reference", program->takeMessages());
  auto compiled = compileCase(program->surface(), messages);
  if (!compiled)
    return run.fail("compile", program->takeMessages() + messages);
  for (const std::string &level : compiled->levels())
    runCompiled(run, *compiled, level);
}
