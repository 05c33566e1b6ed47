// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Pipelines/DeviceCode.h"

#include "compiler/Pipelines/Describe.h"
#include "compiler/Target/NVPTX/AssemblePtx.h"
#include "compiler/Target/NVPTX/DeviceKernels.h"
#include "compiler/Target/NVPTX/EmitDeviceProgram.h"
#include "compiler/Target/NVPTX/EmitPtx.h"
#include "compiler/Target/NVPTX/LowerDevice.h"
#include "compiler/Transforms/BuildProgram.h"
#include "compiler/Transforms/PlanBuffers.h"

using namespace nacre;
using namespace mlir;

static cpu::ProgramTables tablesOf(const ModelDescription &model, ModuleOp plan, const std::vector<nvptx::DeviceKernel> &kernels) {
  cpu::ProgramTables tables;
  for (auto [i, dim] : llvm::enumerate(model.dims))
    tables.dims[dim.name] = static_cast<int64_t>(i);
  for (const ParameterDescription &parameter : model.parameters)
    tables.parameterOffsets[parameter.name] = parameter.offsetBytes;
  int64_t position = 0;
  for (auto kernel : plan.getOps<plan::KernelOp>()) {
    tables.infos[kernel.getSymName()] = kernels[position].info;
    tables.kernels[kernel.getSymName()] = position++;
  }
  return tables;
}

static std::vector<DeviceKernelDescription> describe(const std::vector<nvptx::DeviceKernel> &kernels) {
  std::vector<DeviceKernelDescription> result;
  for (const nvptx::DeviceKernel &kernel : kernels)
    result.push_back({kernel.name, kernel.info.slotCount, kernel.shape.threads, kernel.shape.workers, kernel.shape.sharedBytes,
                      kernel.info.scratchBytes});
  return result;
}

/// The host program of one function.
static FailureOr<DeviceFunctionDescription> emitFunction(plan::ProgramOp program, ModuleOp programs, const cpu::ProgramTables &tables,
                                                         ModelDescription &model) {
  DeviceFunctionDescription result;
  result.program = symbolPrefix(model.name) + "_device_program_" + program.getSymName().str();
  result.arenaBytes = Dim::parse(program.getArena().value_or("0")).value_or(Dim());
  int64_t checkKernel = static_cast<int64_t>(model.device->kernels.size()) - 1;
  auto checks = nvptx::emitDeviceProgram(programs, result.program, program, tables, checkKernel, model.device->tables);
  if (failed(checks))
    return failure();
  for (nvptx::DeviceCheck &check : *checks)
    result.checks.push_back({std::move(check.expects), std::move(check.unit), check.limit});
  return result;
}

static LogicalResult emitImages(ModuleOp code, const CompileOptions &options, DeviceDescription &device, DeviceText &text, TimingScope &timing) {
  for (const std::string &name : options.architectures) {
    const nvptx::Architecture *architecture = nvptx::findArchitecture(name);
    if (!architecture)
      return code.emitError("the NVPTX target has no architecture '") << name << "'";
    auto made = nvptx::emitPtx(code, *architecture, &timing);
    if (!made)
      return code.emitError(llvm::toString(made.takeError()));
    DeviceImageDescription image = {architecture->major, architecture->minor, architecture->isExact, /*isMachineCode=*/false, made->ptx};
    if (options.cubin) {
      auto machineCode = nvptx::assemblePtx(made->ptx, name);
      if (!machineCode)
        return code.emitError(llvm::toString(machineCode.takeError()));
      device.images.insert(device.images.begin(), {architecture->major, architecture->minor, /*isExact=*/true, /*isMachineCode=*/true, *machineCode});
    }
    device.images.insert(architecture->isExact ? device.images.begin() : device.images.end(), std::move(image));
    if (text.ptx.empty())
      text = {std::move(made->ir), std::move(made->ptx)};
  }
  return success();
}

FailureOr<DeviceText> nacre::compileForDevice(ModuleOp module, const CompileOptions &options, ModuleOp programs, ModelDescription &model,
                                              TimingScope &timing) {
  TimingScope scope = timing.nest("device");
  if (failed(buildPrograms(module)))
    return failure();
  for (auto program : module.getOps<plan::ProgramOp>())
    planBuffers(program);
  FailureOr<nvptx::DeviceModule> kernels = nvptx::emitDeviceKernels(module, symbolPrefix(model.name), options.precision);
  if (failed(kernels))
    return failure();
  model.device.emplace();
  model.device->kernels = describe(kernels->kernels);
  cpu::ProgramTables tables = tablesOf(model, module, kernels->kernels);
  for (const FunctionDescription &function : model.functions) {
    auto program = module.lookupSymbol<plan::ProgramOp>(function.name);
    if (!program)
      return module.emitError("internal: no device program for '") << function.name << "'";
    FailureOr<DeviceFunctionDescription> described = emitFunction(program, programs, tables, model);
    if (failed(described))
      return failure();
    model.device->functions.push_back(std::move(*described));
  }
  DeviceText text;
  if (failed(nvptx::lowerDeviceToLLVM(*kernels->code)) || failed(emitImages(*kernels->code, options, *model.device, text, scope)))
    return failure();
  return text;
}
