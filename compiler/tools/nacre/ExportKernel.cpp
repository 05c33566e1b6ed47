// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre export-kernel: one kernel of a function for a project that knows nothing of nacre; without --kernel, the list to choose from.
#include "compiler/Artifact/DeviceKernelFiles.h"
#include "compiler/Artifact/Interface.h"
#include "compiler/Artifact/KernelLibrary.h"
#include "compiler/Pipelines/ExportKernel.h"
#include "compiler/tools/nacre/Command.h"
#include "compiler/tools/nacre/CompileFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"

using namespace nacre;
using namespace nacre::tool;

namespace {

/// What was asked of one compiled module, and how it went.
class Export {
public:
  Export(const Arguments &arguments, llvm::SmallVector<std::string> levels, llvm::SmallVector<std::string> architectures, int64_t launch,
         Console &console)
      : arguments(arguments), levels(std::move(levels)), architectures(std::move(architectures)), launch(launch), console(console) {}

  /// Failure only with a diagnostic; `status` says how the rest went.
  llvm::LogicalResult use(mlir::ModuleOp module, const CompileResult &result);
  int status = Success;

private:
  const FunctionDescription *chooseFunction(const ModelDescription &model);
  const KernelUse *chooseKernel(llvm::ArrayRef<KernelUse> uses, const std::string &function);
  void list(llvm::ArrayRef<KernelUse> uses, llvm::StringRef function);
  void report(const KernelExport &kernel, llvm::ArrayRef<std::string> paths);
  llvm::LogicalResult writeForDevice(mlir::ModuleOp module, const ModelDescription &model, const KernelRequest &request);
  llvm::LogicalResult write(mlir::ModuleOp module, const ModelDescription &model, const KernelUse &use, llvm::StringRef function);

  const Arguments &arguments;
  llvm::SmallVector<std::string> levels, architectures; // with an architecture, the kernel is for GPUs
  int64_t launch;
  Console &console;
};

} // namespace

/// "; did you mean 'a'" or "; there are a, b, c"
static std::string hint(llvm::StringRef word, llvm::ArrayRef<llvm::StringRef> names) {
  llvm::StringRef near = nearest(word, names);
  return near.empty() ? "; there are " + llvm::join(names, ", ") : "; did you mean '" + near.str() + "'";
}

const FunctionDescription *Export::chooseFunction(const ModelDescription &model) {
  llvm::SmallVector<llvm::StringRef> names;
  for (const FunctionDescription &function : model.functions)
    names.push_back(function.name);
  if (!arguments.has("fn") && model.functions.size() == 1) return &model.functions.front();
  if (!arguments.has("fn")) {
    status = console.usage("expected a function: --fn, one of " + llvm::join(names, ", "));
    return nullptr;
  }
  llvm::StringRef wanted = *arguments.get("fn");
  for (const FunctionDescription &function : model.functions)
    if (function.name == wanted) return &function;
  status = console.fail("expected a function of model '" + model.name + "', but got '" + wanted + "'" + hint(wanted, names));
  return nullptr;
}

const KernelUse *Export::chooseKernel(llvm::ArrayRef<KernelUse> uses, const std::string &function) {
  llvm::SmallVector<llvm::StringRef> names;
  for (const KernelUse &use : uses)
    names.push_back(use.name);
  llvm::StringRef wanted = *arguments.get("kernel");
  for (const KernelUse &use : uses) {
    if (use.name != wanted) continue;
    if (launch <= use.launches) return &use;
    status = console.fail(llvm::formatv("expected a launch from 1 to {0} of kernel '{1}' in '{2}', but got {3}", use.launches, wanted, function,
                                        launch).str());
    return nullptr;
  }
  status = console.fail("expected a kernel of function '" + function + "', but got '" + wanted + "'" + hint(wanted, names));
  return nullptr;
}

void Export::list(llvm::ArrayRef<KernelUse> uses, llvm::StringRef function) {
  llvm::json::Array kernels;
  for (const KernelUse &use : uses) {
    kernels.push_back(llvm::json::Object{{"kernel", use.name}, {"skeleton", use.skeleton}, {"place", use.place},
                                         {"operators", use.operators}, {"launches", use.launches}});
    if (!console.json())
      llvm::outs() << llvm::formatv("{0,-20} {1,-24} {2,3} {3}  {4}\n", use.name, use.place, use.launches,
                                    use.launches == 1 ? "launch  " : "launches", use.operators);
  }
  if (!console.json()) llvm::outs() << "choose one of '" << function << "' with --kernel NAME -o FOLDER\n";
  console.print({{"function", function}, {"kernels", std::move(kernels)}});
}

void Export::report(const KernelExport &kernel, llvm::ArrayRef<std::string> paths) {
  llvm::json::Array list;
  for (const std::string &path : paths) {
    uint64_t size = 0;
    llvm::sys::fs::file_size(path, size);
    list.push_back(llvm::json::Object{{"path", path}, {"bytes", size}});
    if (!console.json()) llvm::outs() << llvm::formatv("{0,-40} {1,10:N} bytes\n", path, size);
  }
  console.print({{"kernel", kernel.kernel}, {"symbol", kernel.symbol}, {"scratch_bytes", kernel.scratchBytes}, {"files", std::move(list)}});
}

llvm::LogicalResult Export::writeForDevice(mlir::ModuleOp module, const ModelDescription &model, const KernelRequest &request) {
  mlir::FailureOr<DeviceKernelExport> kernel = exportDeviceKernel(module, model, request, architectures.front());
  if (mlir::failed(kernel)) return mlir::failure();
  console.enterStage("write");
  if (!arguments.has("llvm")) kernel->ir.clear();
  auto files = writeDeviceKernel(*kernel, *arguments.get("out"));
  if (files)
    report(kernel->kernel, *files);
  else
    status = console.fail(files.takeError());
  return mlir::success();
}

llvm::LogicalResult Export::write(mlir::ModuleOp module, const ModelDescription &model, const KernelUse &use, llvm::StringRef function) {
  KernelRequest request;
  request.function = function.str();
  request.kernel = use.name;
  request.launch = launch;
  request.symbol = arguments.get("name", prefixOf(model) + "_" + use.name).str();
  request.levels.assign(levels.begin(), levels.end());
  console.enterStage("export");
  if (!architectures.empty()) return writeForDevice(module, model, request);
  mlir::FailureOr<CompiledKernel> kernel = exportKernel(module, model, request);
  if (mlir::failed(kernel)) return mlir::failure();
  console.enterStage("link");
  auto files = writeKernel(kernel->description, kernel->object, *arguments.get("out"));
  if (files)
    report(kernel->description, {files->object, files->archive, files->header});
  else
    status = console.fail(files.takeError());
  return mlir::success();
}

llvm::LogicalResult Export::use(mlir::ModuleOp module, const CompileResult &result) {
  const FunctionDescription *function = chooseFunction(result.model);
  if (!function) return mlir::success();
  std::vector<KernelUse> uses = kernelsOf(module.lookupSymbol<plan::ProgramOp>(function->name));
  if (!arguments.has("kernel")) {
    list(uses, function->name);
    return mlir::success();
  }
  const KernelUse *kernel = chooseKernel(uses, function->name);
  return kernel ? write(module, result.model, *kernel, function->name) : mlir::success();
}

/// Whether a C function may be called that: no word of the language, and not of the names that belong to it or to nacre.
static bool isGoodSymbol(const std::string &name) {
  llvm::StringSet<> none;
  return freshName(name, none) == name && name[0] != '_' && !llvm::StringRef(name).starts_with("nacre_");
}

static int runExportKernel(const Arguments &arguments, Console &console) {
  auto levels = parseLevels(arguments);
  if (!levels) return console.usage(llvm::toString(levels.takeError()));
  auto launch = parseInteger("--launch", arguments.get("launch", "1"), 1, INT32_MAX);
  if (!launch) return console.usage(llvm::toString(launch.takeError()));
  if (auto name = arguments.get("name"); name && !isGoodSymbol(name->str()))
    return console.usage("expected --name to be a C identifier that begins neither with '_' nor with 'nacre_', but got '" + *name + "'");
  if (arguments.has("kernel") && !arguments.has("out")) return console.usage("expected a folder for the kernel: -o FOLDER");
  auto architectures = parseArchitectures(arguments);
  if (!architectures) return console.usage(llvm::toString(architectures.takeError()));
  Export what(arguments, *levels, *architectures, *launch, console);
  int status = Success;
  CompileOptions options;
  options.levels = *levels, options.stopAfter = Stage::Plan;
  options.packWeights = false; // a caller has weights as they lie in the model's file
  if (!readSchedules(arguments, options.schedules, console, status)) return status;
  auto result = compileModel(arguments.positional()[0], arguments.get("model", ""), options, console, status,
                             [&](mlir::ModuleOp module, const CompileResult &compiled) { return what.use(module, compiled); });
  return result ? what.status : status;
}

const Command &tool::exportKernelCommand() {
  static const Command command = {
      "export-kernel",
      "one kernel of a function as C header, object file and static library",
      "MODEL.nacre --fn NAME [--kernel NAME -o FOLDER]",
      R"(Without --kernel, lists the kernels of a function: name, place in the model, launches in one call, operators. With it, writes
<symbol>.h, <symbol>.o and lib<symbol>.a into FOLDER: all of them, or none. The header says what is computed, how operands lie in
memory and what scratch memory is needed; the object and the library hold the kernel at every CPU level and choose by cpuid. They
need nothing of nacre and start no threads: a caller with threads of its own shares out the tasks.

  nacre export-kernel digits.nacre --fn encode                              what is there?
  nacre export-kernel digits.nacre --fn encode --kernel contract0 -o out/   digits_contract0.h, .o, libdigits_contract0.a
  cc -Iout main.c out/libdigits_contract0.a -lm -o main

With --target=nvptx it writes <symbol>.ptx, <symbol>.json, which says how a launch is filled (grid and block as functions of the extents,
shared memory, scratch, every word of the parameter), and <symbol>.c with <symbol>.h, which load and launch it through the CUDA driver:

  nacre export-kernel digits.nacre --fn encode --kernel contract0 --target=nvptx -o out/
  cc -Iout main.c out/digits_contract0.c -lcuda -o main

Sizes that the model names are arguments, others are fixed; operands lie as in the model.
)",
      1,
      1,
      {{"fn", "", "NAME", "the function; needless when there is one"},
       {"kernel", "", "NAME", "the kernel, as the list calls it"},
       {"launch", "", "N", "which of its launches gives names, fixed sizes and strides; default 1"},
       {"name", "", "SYMBOL", "name of the C function and the files; default <model>_<kernel>"},
       {"out", "o", "FOLDER", "where the files go; created when it is missing"},
       modelOption,
       targetOption,
       {"llvm", "", "", "with --target=nvptx: also <symbol>.ll, the LLVM IR that became the PTX"},
       cpuOption,
       schedulesOption},
      runExportKernel};
  return command;
}
