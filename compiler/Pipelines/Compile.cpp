// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre -> simplified -> with its training step -> plan -> kernels and programs -> LLVM -> object.
#include "compiler/Pipelines/Compile.h"

#include "compiler/Pipelines/Describe.h"
#include "compiler/Pipelines/DeviceCode.h"
#include "compiler/Target/CPU/EmitObject.h"
#include "compiler/Target/CPU/EmitProgram.h"
#include "compiler/Target/CPU/LowerKernels.h"
#include "compiler/Target/CPU/PackWeights.h"
#include "compiler/Target/NVPTX/LowerDevice.h"
#include "compiler/Transforms/BuildProgram.h"
#include "compiler/Transforms/PackWeights.h"
#include "compiler/Transforms/PlanBuffers.h"
#include "dialects/Plan/IR/Packing.h"
#include "dialects/Nacre/Transforms/Transforms.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Threading.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace nacre;
using namespace mlir;

void nacre::registerDialects(DialectRegistry &registry) {
  registry.insert<NacreDialect, plan::PlanDialect, func::FuncDialect>();
  cpu::registerKernelDialects(registry);
  nvptx::registerDeviceDialects(registry);
}

static LogicalResult cleanUp(ModuleOp module, TimingScope &timing) {
  PassManager passes(module.getContext());
  passes.enableTiming(timing);
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createCanonicalizerPass());
  return passes.run(module);
}

/// Surface operators, nested and sparse values -> primitives, and the training step.
static LogicalResult lowerToPrimitives(ModuleOp module, TimingScope &timing) {
  TimingScope scope = timing.nest("primitives");
  if (failed(decompose(module, /*keepDifferentiable=*/true)))
    return failure();
  for (auto function : module.getOps<func::FuncOp>())
    if (failed(expandNested(function)) || failed(expandSparse(function)))
      return failure();
  if (failed(cleanUp(module, scope)))
    return failure();
  scope = timing.nest("training step");
  if (failed(addTrainingStep(module)))
    return failure();
  scope = timing.nest("simplification");
  if (failed(decompose(module, /*keepDifferentiable=*/false)) || failed(simplify(module)))
    return failure();
  for (auto function : module.getOps<func::FuncOp>())
    skipPadding(function);
  return cleanUp(module, scope);
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
static LogicalResult planModel(ModuleOp module, const CompileOptions &options, ModelDescription &model) {
  describeParameters(module, model);
  if (failed(buildPrograms(module)))
    return failure();
  if (options.packWeights)
    model.packedBytes = packWeights(module, options.precision);
  model.precision = plan::nameOf(options.precision).str();
  if (model.packedBytes > 0)
    model.packProgram = symbolPrefix(model.name) + "_program_" + plan::kPackProgram.str();
  for (auto program : module.getOps<plan::ProgramOp>()) {
    planBuffers(program);
    for (FunctionDescription &function : model.functions)
      if (function.name == program.getSymName())
        describeProgram(program, function);
  }
  for (auto kernel : module.getOps<plan::KernelOp>())
    model.kernels.push_back(describeKernel(kernel));
  for (KernelDescription &kernel : model.kernels)
    kernel.name = symbolPrefix(model.name) + "_" + kernel.name;
  for (FunctionDescription &function : model.functions)
    for (LaunchDescription &launch : function.launches)
      launch.kernel = symbolPrefix(model.name) + "_" + launch.kernel;
  return success();
}

/// Whether the code for the level's base serves a kernel on this level too.
static bool isServedByBase(const cpu::Level &level, plan::KernelOp kernel, const CompileOptions &options) {
  plan::Precision precision = cpu::precisionOf(kernel);
  bool isOwn = (precision == plan::Precision::Bf16 && level.hasDotBf16) || (precision == plan::Precision::Int8 && level.hasDotInt8);
  return !isOwn && llvm::is_contained(options.levels, level.base.str());
}

/// Where code goes: into `code`, or for objects of their own into a module inside it.
static ModuleOp placeInside(ModuleOp code, const CompileOptions &options, StringRef name) {
  if (options.stopAfter != Stage::Objects)
    return code;
  OpBuilder builder = OpBuilder::atBlockEnd(code.getBody());
  return ModuleOp::create(builder, code.getLoc(), name);
}

/// A module of kernels, one function a level, and programs; for objects of their own, each in a module inside it.
static FailureOr<OwningOpRef<ModuleOp>> emitCode(ModuleOp module, const CompileOptions &options, ModelDescription &model) {
  OwningOpRef<ModuleOp> code = ModuleOp::create(module.getLoc(), model.name);
  auto place = [&](StringRef name) { return placeInside(*code, options, name); };
  cpu::ProgramTables tables;
  tables.traced = options.trace;
  for (auto [i, dim] : llvm::enumerate(model.dims))
    tables.dims[dim.name] = i;
  for (const ParameterDescription &parameter : model.parameters)
    tables.parameterOffsets[parameter.name] = parameter.offsetBytes;
  int64_t position = 0;
  for (auto kernel : module.getOps<plan::KernelOp>()) {
    KernelDescription &description = model.kernels[position];
    tables.kernels[kernel.getSymName()] = position++;
    for (const std::string &name : options.levels) {
      const cpu::Level *level = cpu::findLevel(name);
      if (!level)
        return module.emitError("the CPU target has no level '") << name << "'";
      if (isServedByBase(*level, kernel, options)) {
        description.codeLevels[name] = level->base.str();
        continue;
      }
      std::string symbol = description.name + "_" + name;
      FailureOr<cpu::KernelInfo> info = cpu::emitKernel(place(symbol), symbol, *level, kernel);
      if (failed(info))
        return failure();
      model.scratchBytes = std::max(model.scratchBytes, info->scratchBytes);
      auto [known, isNew] = tables.infos.try_emplace(kernel.getSymName(), *info);
      if (!isNew && !known->second.hasSameTasks(*info))
        return kernel.emitError("internal: the levels of this kernel split their work differently");
    }
  }
  ModuleOp programs = place("programs");
  for (auto program : module.getOps<plan::ProgramOp>())
    cpu::emitProgram(programs, symbolPrefix(model.name) + "_program_" + program.getSymName().str(), program, tables);
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

/// One object for each module inside `code`, made side by side by the context's threads.
static LogicalResult emitObjects(ModuleOp code, TimingScope &timing, CompileResult &result) {
  SmallVector<ModuleOp> parts(code.getOps<ModuleOp>());
  result.objects.resize(parts.size());
  return failableParallelForEachN(code.getContext(), 0, parts.size(), [&](size_t i) -> LogicalResult {
    llvm::raw_svector_ostream stream(result.objects[i]);
    if (llvm::Error error = cpu::emitObject(parts[i], stream, cpu::EmitKind::Object, &timing))
      return parts[i].emitError(llvm::toString(std::move(error)));
    return success();
  });
}

FailureOr<CompileResult> nacre::compile(ModuleOp module, const CompileOptions &options) {
  module.getContext()->loadAllAvailableDialects();
  CompileResult result;
  TimingScope untimed;
  TimingScope &timing = options.timing ? *options.timing : untimed;
  auto stopWith = [&](ModuleOp stage) {
    result.text = printed(stage);
    return std::move(result);
  };
  if (!options.taps)
    removeTaps(module);
  if (options.stopAfter == Stage::Nacre)
    return stopWith(module);
  result.model = describeInterface(module);
  result.model.traced = options.trace;
  result.model.levels.assign(options.levels.begin(), options.levels.end());
  describeStep(result.model);
  if (failed(lowerToPrimitives(module, timing)))
    return failure();
  if (options.memoryLimit) {
    FailureOr<std::vector<MemoryReport>> reports = limitMemory(module, *options.memoryLimit);
    if (failed(reports))
      return failure();
    result.memory = std::move(*reports);
  }
  if (options.stopAfter == Stage::Grad)
    return stopWith(module);
  OwningOpRef<ModuleOp> forDevice = options.architectures.empty() ? nullptr : module.clone();
  TimingScope scope = timing.nest("plan");
  if (failed(planModel(module, options, result.model)))
    return failure();
  cpu::applySchedules(module, options.schedules);
  scope = timing.nest("kernels as vectors");
  FailureOr<OwningOpRef<ModuleOp>> code = emitCode(module, options, result.model);
  if (failed(code))
    return failure();
  if (options.stopAfter == Stage::Plan)
    return stopWith(module);
  if (options.stopAfter == Stage::Kernels)
    return stopWith(**code);
  if (forDevice) {
    FailureOr<DeviceText> text = compileForDevice(*forDevice, options, placeInside(**code, options, "device_programs"), result.model, timing);
    if (failed(text))
      return failure();
    result.deviceIR = std::move(text->ir);
    if (options.stopAfter == Stage::Device || options.stopAfter == Stage::Ptx) {
      result.text = options.stopAfter == Stage::Ptx ? std::move(text->ptx) : result.deviceIR;
      return std::move(result);
    }
  }
  scope = timing.nest("kernels to LLVM");
  if (failed(cpu::lowerKernelsToLLVM(**code, &scope)))
    return failure();
  scope = timing.nest("code generation");
  if (failed(options.stopAfter == Stage::Objects ? emitObjects(**code, scope, result) : emitMachineCode(**code, options.stopAfter, result)))
    return failure();
  return std::move(result);
}
