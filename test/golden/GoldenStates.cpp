// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Models whose function changes their states: one call, by the reference and compiled.
#include "test/golden/GoldenRun.h"

#include "dialects/Nacre/IR/Ops/Program.h"
#include "test/harness/Judge.h"
#include "test/harness/TestProgram.h"

using namespace nacre;
using namespace nacre::test;

namespace {
/// The function to call and what the case gives it.
struct StateCall {
  std::string function;
  std::vector<Array> inputs;
  ParameterValues states; ///< before the call
};
} // namespace

static StateCall readCall(GoldenRun &run, mlir::ModuleOp module) {
  StateCall call;
  auto function = *module.getOps<mlir::func::FuncOp>().begin();
  call.function = function.getName().str();
  auto valueOf = [&](const std::string &name) {
    const GoldenTensor *tensor = run.golden.find("in." + name);
    if (!tensor)
      run.fail(call.function, "the case has no input " + name);
    return tensor ? tensor->values : Array({}, 0.0);
  };
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    call.inputs.push_back(valueOf(function.getArgAttrOfType<mlir::StringAttr>(i, "nacre.name").str()));
  for (auto parameter : module.getOps<ParameterOp>())
    call.states[parameter.getSymName().str()] = valueOf(parameter.getSymName().str());
  return call;
}

static void check(GoldenRun &run, const StateCall &call, const std::string &stage, const Array &result, const ParameterValues &after,
                  double tolerance) {
  if (std::optional<Array> want = goldenValues(run.golden, "out", call.function))
    run.fail(stage + " " + call.function, compare(result, *want, tolerance));
  for (auto &[name, value] : after)
    if (std::optional<Array> want = goldenValues(run.golden, "out", name))
      run.fail(stage + " " + name, compare(value, *want, tolerance));
}

static void runReference(GoldenRun &run, const StateCall &call, const std::string &stage, mlir::ModuleOp module) {
  ParameterValues values = call.states;
  auto results = evaluate(module.lookupSymbol<mlir::func::FuncOp>(call.function), call.inputs, values);
  if (mlir::failed(results))
    return run.fail(stage, "it does not run");
  check(run, call, stage, (*results)[0][0], values, kReferenceTolerance);
}

static void runCompiled(GoldenRun &run, const StateCall &call, CompiledProgram &compiled, const std::string &level) {
  std::string messages;
  for (auto &[name, value] : call.states)
    if (!compiled.setParameter(name, value, messages))
      return run.fail(level, messages);
  auto results = compiled.call(call.function, call.inputs, {level, 1}, messages);
  if (!results)
    return run.fail(level, messages);
  ParameterValues after;
  for (auto &[name, value] : call.states)
    after[name] = compiled.parameter(name);
  check(run, call, level, (*results)[0], after, kForwardTolerance);
}

void test::runStates(GoldenRun &run) {
  std::string messages;
  std::unique_ptr<TestProgram> program = TestProgram::parse("golden", run.text, messages);
  if (!program)
    return run.fail("the program", messages);
  StateCall call = readCall(run, program->surface());
  mlir::OwningOpRef<mlir::ModuleOp> primitive = program->primitive();
  if (!primitive || !run.failures.empty())
    return run.fail("decompose", program->takeMessages());
  runReference(run, call, "reference", program->surface());
  runReference(run, call, "reference after decomposition", *primitive);
  auto compiled = compileCase(program->surface(), messages);
  if (!compiled)
    return run.fail("compile", program->takeMessages() + messages);
  for (const std::string &level : compiled->levels())
    runCompiled(run, call, *compiled, level);
}
