// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre -> simplified -> with its training step -> plan -> kernels and programs -> LLVM -> object.
#include "compiler/Pipelines/Compile.h"

#include "compiler/Pipelines/Describe.h"
#include "compiler/Target/CPU/EmitObject.h"
#include "compiler/Target/CPU/EmitProgram.h"
#include "compiler/Target/CPU/LowerKernels.h"
#include "compiler/Transforms/BuildProgram.h"
#include "compiler/Transforms/PlanBuffers.h"
#include "dialects/Nacre/Transforms/Transforms.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace nacre;
using namespace mlir;

void nacre::registerDialects(DialectRegistry &registry) {
  registry.insert<NacreDialect, plan::PlanDialect, func::FuncDialect>();
  cpu::registerKernelDialects(registry);
}

static LogicalResult cleanUp(ModuleOp module) {
  PassManager passes(module.getContext());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createCanonicalizerPass());
  return passes.run(module);
}

/// Surface operators, nested and sparse values -> primitives, and the training step.
static LogicalResult lowerToPrimitives(ModuleOp module) {
  if (failed(decompose(module, /*keepDifferentiable=*/true)))
    return failure();
  for (auto function : module.getOps<func::FuncOp>())
    if (failed(expandNested(function)) || failed(expandSparse(function)))
      return failure();
  if (failed(cleanUp(module)) || failed(addTrainingStep(module)))
    return failure();
  if (failed(decompose(module, /*keepDifferentiable=*/false)) || failed(simplify(module)))
    return failure();
  return cleanUp(module);
}

static std::string printed(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream(text) << module << "\n";
  return text;
}

/// A function of the training step has the loss's inputs, then rate and step; it returns the loss.
static void describeTrained(ModelDescription &model, const std::string &name, StringRef doc) {
  for (const FunctionDescription &loss : model.functions) {
    if (loss.name != model.training.loss)
      continue;
    FunctionDescription step = loss;
    step.name = name;
    step.doc = doc.str();
    step.program = symbolPrefix(model.name) + "_program_" + step.name;
    auto add = [&](StringRef name, StringRef doc, bool isInteger) {
      PortDescription port;
      port.name = name.str();
      port.doc = doc.str();
      port.isInteger = isInteger;
      step.inputs.push_back(port);
    };
    bool hasDraws = !step.inputs.empty() && step.inputs.back().name == "draw" && step.inputs.back().shape.empty();
    if (model.training.draws && !hasDraws) {
      add("seed", "seed of the random draws", true);
      add("draw", "number of the batch; equal numbers give equal draws", true);
    }
    add("rate", "learning rate", false);
    add("step", "number of the step, from 1", false);
    model.functions.push_back(step);
    return;
  }
}

static void describeStep(ModelDescription &model) {
  const TrainingDescription training = model.training;
  if (training.loss.empty())
    return;
  if (!training.accumulation.empty())
    describeTrained(model, training.accumulation, "Adds the gradient of a batch to what the next step uses. Returns the loss.");
  describeTrained(model, training.step, "One training step: forward, backward, optimiser. Returns the loss before the step.");
}

/// Programs and kernels with all buffers placed, and what the artefact says about them.
static LogicalResult planModel(ModuleOp module, ModelDescription &model) {
  describeParameters(module, model);
  if (failed(buildPrograms(module)))
    return failure();
  for (auto program : module.getOps<plan::ProgramOp>()) {
    planBuffers(program);
    for (FunctionDescription &function : model.functions)
      if (function.name == program.getSymName())
        describeProgram(program, function);
  }
  for (auto kernel : module.getOps<plan::KernelOp>())
    model.kernels.push_back({symbolPrefix(model.name) + "_" + kernel.getSymName().str(), kernel.getSkeleton().str()});
  for (FunctionDescription &function : model.functions)
    for (LaunchDescription &launch : function.launches)
      launch.kernel = symbolPrefix(model.name) + "_" + launch.kernel;
  return success();
}

/// A module of kernels, one function a level, and programs.
static FailureOr<OwningOpRef<ModuleOp>> emitCode(ModuleOp module, const CompileOptions &options, ModelDescription &model) {
  OwningOpRef<ModuleOp> code = ModuleOp::create(module.getLoc(), model.name);
  cpu::ProgramTables tables;
  for (auto [i, dim] : llvm::enumerate(model.dims))
    tables.dims[dim.name] = i;
  for (const ParameterDescription &parameter : model.parameters)
    tables.parameterOffsets[parameter.name] = parameter.offsetBytes;
  int64_t position = 0;
  for (auto kernel : module.getOps<plan::KernelOp>()) {
    tables.kernels[kernel.getSymName()] = position++;
    for (const std::string &name : options.levels) {
      const cpu::Level *level = cpu::findLevel(name);
      if (!level)
        return module.emitError("the CPU target has no level '") << name << "'";
      std::string symbol = symbolPrefix(model.name) + "_" + kernel.getSymName().str() + "_" + name;
      FailureOr<cpu::KernelInfo> info = cpu::emitKernel(*code, symbol, *level, kernel);
      if (failed(info))
        return failure();
      model.scratchBytes = std::max(model.scratchBytes, info->scratchBytes);
      auto [known, isNew] = tables.infos.try_emplace(kernel.getSymName(), *info);
      if (!isNew && !known->second.hasSameTasks(*info))
        return kernel.emitError("internal: the levels of this kernel split their work differently");
    }
  }
  for (auto program : module.getOps<plan::ProgramOp>())
    cpu::emitProgram(*code, symbolPrefix(model.name) + "_program_" + program.getSymName().str(), program, tables);
  return code;
}

static LogicalResult emitMachineCode(ModuleOp code, Stage stage, CompileResult &result) {
  llvm::SmallVector<char, 0> buffer;
  llvm::raw_svector_ostream stream(buffer);
  cpu::EmitKind kind = stage == Stage::LLVM       ? cpu::EmitKind::LLVMIR
                       : stage == Stage::Assembly ? cpu::EmitKind::Assembly
                                                  : cpu::EmitKind::Object;
  if (llvm::Error error = cpu::emitObject(code, stream, kind))
    return code.emitError(llvm::toString(std::move(error)));
  if (kind == cpu::EmitKind::Object)
    result.object = std::move(buffer);
  else
    result.text.assign(buffer.begin(), buffer.end());
  return success();
}

FailureOr<CompileResult> nacre::compile(ModuleOp module, const CompileOptions &options) {
  module.getContext()->loadAllAvailableDialects();
  CompileResult result;
  auto stopWith = [&](ModuleOp stage) {
    result.text = printed(stage);
    return std::move(result);
  };
  if (!options.taps)
    removeTaps(module);
  if (options.stopAfter == Stage::Nacre)
    return stopWith(module);
  result.model = describeInterface(module);
  result.model.levels.assign(options.levels.begin(), options.levels.end());
  describeStep(result.model);
  if (failed(lowerToPrimitives(module)))
    return failure();
  if (options.stopAfter == Stage::Grad)
    return stopWith(module);
  if (failed(planModel(module, result.model)))
    return failure();
  cpu::applySchedules(module, options.schedules);
  FailureOr<OwningOpRef<ModuleOp>> code = emitCode(module, options, result.model);
  if (failed(code))
    return failure();
  if (options.stopAfter == Stage::Plan)
    return stopWith(module);
  if (options.stopAfter == Stage::Kernels)
    return stopWith(**code);
  if (failed(cpu::lowerKernelsToLLVM(**code)) || failed(emitMachineCode(**code, options.stopAfter, result)))
    return failure();
  return std::move(result);
}
