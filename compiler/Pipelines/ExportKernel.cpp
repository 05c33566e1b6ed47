// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Pipelines/ExportKernel.h"

#include "compiler/Pipelines/CarvedLaunch.h"
#include "compiler/Pipelines/ExportedLaunch.h"
#include "compiler/Pipelines/KernelFormula.h"
#include "compiler/Target/CPU/EmitObject.h"
#include "compiler/Target/CPU/EmitProgram.h"
#include "compiler/Target/CPU/KernelEntry.h"
#include "compiler/Target/CPU/LowerKernels.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Path.h"

using namespace nacre;
using namespace mlir;

static std::string placeOf(Location location) {
  std::string place;
  location->walk([&](Location inner) {
    auto at = dyn_cast<FileLineColLoc>(inner);
    if (!at)
      return WalkResult::advance();
    place = (llvm::sys::path::filename(at.getFilename()) + ":" + Twine(at.getLine()) + ":" + Twine(at.getColumn())).str();
    return WalkResult::interrupt();
  });
  return place;
}

plan::KernelOp nacre::kernelOf(plan::LaunchOp launch) {
  return SymbolTable::lookupNearestSymbolFrom<plan::KernelOp>(launch, launch.getKernelAttr());
}

std::vector<KernelUse> nacre::kernelsOf(plan::ProgramOp program) {
  llvm::MapVector<StringRef, KernelUse> uses;
  for (auto launch : program.getOps<plan::LaunchOp>()) {
    plan::KernelOp kernel = kernelOf(launch);
    KernelUse &use = uses[kernel.getSymName()];
    if (use.launches++ == 0)
      use = {kernel.getSymName().str(), kernel.getSkeleton().str(), placeOf(launch.getLoc()), operatorsOf(kernel), 1};
  }
  std::vector<KernelUse> list;
  for (auto &[name, use] : uses)
    list.push_back(use);
  return list;
}

plan::LaunchOp nacre::findLaunch(ModuleOp module, const KernelRequest &request) {
  int64_t number = 0;
  for (auto launch : module.lookupSymbol<plan::ProgramOp>(request.function).getOps<plan::LaunchOp>())
    if (launch.getKernel() == request.kernel && ++number == request.launch)
      return launch;
  return {};
}

static bool sizesTasksByThreads(plan::ProgramOp program) {
  auto launch = *program.getOps<plan::LaunchOp>().begin();
  return llvm::any_of(cpu::fillSlots(kernelOf(launch), launch), [](const cpu::Slot &slot) { return slot.kind == cpu::Slot::FoldRows; });
}

KernelExport nacre::describeOrigin(plan::LaunchOp launch, const ModelDescription &model, const KernelRequest &request) {
  KernelExport description;
  description.symbol = request.symbol;
  description.model = model.name;
  description.function = request.function;
  description.kernel = request.kernel;
  description.skeleton = kernelOf(launch).getSkeleton().str();
  description.place = placeOf(launch.getLoc());
  description.levels = request.levels;
  return description;
}

/// The kernel at every level, and what its program and its C functions must know about it.
static LogicalResult emitLevels(ModuleOp code, plan::KernelOp kernel, KernelExport &description, cpu::ProgramTables &tables,
                                cpu::KernelEntry &entry) {
  tables.kernels[kernel.getSymName()] = 0;
  for (const std::string &name : description.levels) {
    FailureOr<cpu::KernelInfo> info = cpu::emitKernel(code, description.symbol + "_" + name, *cpu::findLevel(name), kernel);
    if (failed(info))
      return failure();
    tables.infos.try_emplace(kernel.getSymName(), *info);
    entry.levels.push_back({name, info->function});
    description.scratchBytes = std::max(description.scratchBytes, info->scratchBytes);
  }
  entry.symbol = description.symbol;
  entry.scratchBytes = description.scratchBytes;
  return success();
}

FailureOr<CompiledKernel> nacre::exportKernel(ModuleOp module, const ModelDescription &model, const KernelRequest &request) {
  plan::LaunchOp launch = findLaunch(module, request);
  auto function = llvm::find_if(model.functions, [&](const FunctionDescription &one) { return one.name == request.function; });
  CompiledKernel result;
  KernelExport &description = result.description = describeOrigin(launch, model, request);
  CarvedLaunch carved(launch, model, *function);
  carved.describe(description);

  plan::KernelOp kernel = kernelOf(launch);
  OwningOpRef<ModuleOp> code = ModuleOp::create(module.getLoc(), request.symbol);
  cpu::KernelEntry entry;
  cpu::ProgramTables tables;
  if (failed(emitLevels(*code, kernel, description, tables, entry)))
    return failure();
  for (auto [i, extent] : llvm::enumerate(description.extents)) {
    entry.extents.push_back({extent.least, extent.bound});
    tables.dims[extent.dim] = i;
  }
  entry.isPacked = request.isPacked;
  entry.inputs = carved.readOnly();
  entry.outputs = description.arguments.size() - entry.inputs;

  // The program stands beside the kernel while it is emitted, so that the launch finds it.
  OpBuilder builder(kernel);
  std::string name = request.symbol + "_program";
  plan::ProgramOp program = carved.build(builder, name);
  description.tasksFollowThreads = sizesTasksByThreads(program);
  cpu::emitTaskWalk(*code);
  cpu::emitProgram(*code, name, program, tables);
  program.erase();
  cpu::emitKernelEntry(*code, entry, name);
  if (failed(cpu::lowerKernelsToLLVM(*code)))
    return failure();
  llvm::raw_svector_ostream stream(result.object);
  if (llvm::Error error = cpu::emitObject(*code, stream, cpu::EmitKind::Object))
    return kernel.emitError(llvm::toString(std::move(error)));
  return result;
}
