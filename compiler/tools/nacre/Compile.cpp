// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre compile: a model file to a library, or to any stage on the way.
#include "compiler/Artifact/Interface.h"
#include "compiler/Artifact/Library.h"
#include "compiler/Artifact/StagedFolder.h"
#include "compiler/tools/nacre/Command.h"
#include "compiler/tools/nacre/CompileFile.h"
#include "compiler/tools/nacre/Cost.h"
#include "compiler/tools/nacre/MemoryOption.h"
#include "compiler/tools/nacre/StageTimes.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Program.h"

#include <chrono>

using namespace nacre;
using namespace nacre::tool;

static const llvm::StringRef stages[] = {"ast", "nacre", "grad", "plan", "kernels", "llvm", "asm", "device", "ptx", "obj", "lib"};

static Stage stageOf(llvm::StringRef name) {
  return llvm::StringSwitch<Stage>(name)
      .Case("nacre", Stage::Nacre)
      .Case("grad", Stage::Grad)
      .Case("plan", Stage::Plan)
      .Case("kernels", Stage::Kernels)
      .Case("llvm", Stage::LLVM)
      .Case("asm", Stage::Assembly)
      .Case("device", Stage::Device)
      .Case("ptx", Stage::Ptx)
      .Case("obj", Stage::Object)
      .Default(Stage::Objects);
}

/// Writes text to standard output, or to -o FOLDER/<name>.<ending>.
static int emitText(const Arguments &arguments, Console &console, const std::string &name, llvm::StringRef ending, llvm::StringRef text) {
  auto folder = arguments.get("out");
  if (!folder && !console.json()) {
    llvm::outs() << text;
    return Success;
  }
  if (!folder) {
    console.print({{"stage", ending}, {"text", text}});
    return Success;
  }
  StagedFolder staged;
  if (llvm::Error error = staged.open(*folder)) return console.fail(std::move(error));
  if (llvm::Error error = staged.write(name + "." + ending.str(), text)) return console.fail(std::move(error));
  if (llvm::Error error = staged.commit()) return console.fail(std::move(error));
  console.print({{"files", llvm::json::Array{(*folder + "/" + name + "." + ending).str()}}});
  return Success;
}

static int emitAst(const Arguments &arguments, Console &console) {
  ModelFile file;
  int status = Success;
  if (!parseModel(arguments.positional()[0], file, console, status)) return status;
  std::string text;
  llvm::raw_string_ostream out(text);
  printAst(file.program, out);
  return emitText(arguments, console, file.program.stem().str(), "ast", text);
}

/// Evaluated at the bounds of the dims; nothing when it does not fit in 63 bits.
static std::optional<int64_t> atBounds(const ModelDescription &model, const Dim &size) {
  llvm::StringMap<int64_t> bounds;
  for (const DimDescription &dim : model.dims)
    bounds[dim.name] = dim.bound;
  return size.evaluate(bounds);
}

/// The function whose buffers need the most memory at the bounds; what a context reserves.
static const FunctionDescription *largest(const ModelDescription &model) {
  const FunctionDescription *found = nullptr;
  for (const FunctionDescription &function : model.functions)
    if (!found || atBounds(model, function.arenaBytes).value_or(0) > atBounds(model, found->arenaBytes).value_or(0)) found = &function;
  return found;
}

static int reportFiles(Console &console, const ModelDescription &model, const LibraryFiles &files, double seconds) {
  llvm::json::Array list;
  for (const std::string &path : {files.shared, files.archive, files.header, files.manifest}) {
    uint64_t size = 0;
    llvm::sys::fs::file_size(path, size);
    list.push_back(llvm::json::Object{{"path", path}, {"bytes", size}});
    if (!console.json()) llvm::outs() << llvm::formatv("{0,-40} {1,10:N} bytes\n", path, size);
  }
  if (!console.json())
    llvm::outs() << llvm::formatv("compiled {0}: {1} functions, {2} kernels for {3:$[, ]} in {4:f1} s\n", model.name,
                                  model.functions.size(), model.kernels.size(), llvm::make_range(model.levels.begin(), model.levels.end()),
                                  seconds);
  const FunctionDescription *peak = largest(model);
  int64_t peakBytes = peak ? atBounds(model, peak->arenaBytes).value_or(0) : 0;
  if (!console.json() && peak)
    llvm::outs() << llvm::formatv("memory at the bounds: {0} bytes for '{1}' ({2}), {3} bytes of parameters\n", shortNumber(peakBytes), peak->name,
                                  peak->arenaBytes.str(), shortNumber(model.parameterBytes));
  if (!console.json() && model.packedBytes > 0)
    llvm::outs() << llvm::formatv("weights: {0:N} bytes, and {1:N} bytes packed\n", model.parameterBytes, model.packedBytes);
  llvm::json::Object memory{{"arena_bytes", peakBytes}, {"packed_bytes", model.packedBytes}, {"parameter_bytes", model.parameterBytes}};
  console.print({{"model", model.name}, {"seconds", seconds}, {"peak", std::move(memory)}, {"files", std::move(list)}});
  return Success;
}

static int runCompile(const Arguments &arguments, Console &console) {
  auto start = std::chrono::steady_clock::now();
  llvm::StringRef stage = arguments.get("emit", "lib");
  if (!llvm::is_contained(stages, stage))
    return console.usage("expected a stage of (" + llvm::join(llvm::ArrayRef(stages), ", ") + "), but got '" + stage + "'");
  auto precision = plan::precisionNamed(arguments.get("precision", "f32"));
  if (!precision) return console.usage("expected a precision of (f32, tf32, bf16, int8), but got '" + arguments.get("precision", "") + "'");
  if (*precision != plan::Precision::F32 && *precision != plan::Precision::Tf32 && arguments.has("no-packing"))
    return console.usage("expected no --no-packing with --precision " + plan::nameOf(*precision) + ": its weights are packed");
  auto levels = parseLevels(arguments, *precision);
  if (!levels) return console.usage(llvm::toString(levels.takeError()));
  auto architectures = parseArchitectures(arguments);
  if (!architectures) return console.usage(llvm::toString(architectures.takeError()));
  if ((stage == "ptx" || stage == "device") && architectures->empty())
    return console.usage("expected --target=nvptx with --emit=" + stage + ": it shows code for GPUs");
  if (arguments.has("cubin") && architectures->empty()) return console.usage("expected --target=nvptx with --cubin: it is code for GPUs");
  if (arguments.has("cubin") && !llvm::sys::findProgramByName("ptxas"))
    return console.usage("expected 'ptxas' on the path for --cubin, but there is none; it is part of the CUDA toolkit");
  auto memoryLimit = parseMemoryLimit(arguments);
  if (!memoryLimit) return console.usage(llvm::toString(memoryLimit.takeError()));
  if (stage == "ast") return emitAst(arguments, console);
  if (stage == "lib" && !arguments.has("out")) return console.usage("expected a folder for the library: -o FOLDER");
  int status = Success;
  StageTimes times(arguments, console);
  CompileOptions options;
  options.levels = *levels, options.stopAfter = stageOf(stage), options.taps = arguments.has("taps");
  options.memoryLimit = *memoryLimit, options.trace = arguments.has("trace"), options.timing = &times.whole();
  options.packWeights = !arguments.has("no-packing"), options.precision = *precision;
  options.architectures = *architectures, options.cubin = arguments.has("cubin");
  if (!readSchedules(arguments, options.schedules, console, status)) return status;
  auto result = compileModel(arguments.positional()[0], arguments.get("model", ""), options, console, status);
  if (!result) return status;
  if (stage == "obj") {
    if (!arguments.has("out") && (console.json() || llvm::outs().is_displayed()))
      return console.usage("an object is no text: send standard output to a file, or give -o FOLDER");
    return emitText(arguments, console, prefixOf(result->model), "o", llvm::StringRef(result->object.data(), result->object.size()));
  }
  if (stage != "lib")
    return emitText(arguments, console, result->model.name.empty() ? "model" : prefixOf(result->model), stage, result->text);
  reportMemory(console, result->memory);
  console.enterStage("link");
  mlir::TimingScope linking = times.whole().nest("link");
  auto files = writeLibrary(result->model, objectsOf(*result), *arguments.get("out"));
  if (!files) return console.fail(files.takeError());
  linking.stop();
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return reportFiles(console, result->model, *files, seconds.count());
}

const Command &tool::compileCommand() {
  static const Command command = {
      "compile",
      "a model file to a native library, a C header and a manifest",
      "MODEL.nacre -o FOLDER",
      R"(Writes lib<model>.so, lib<model>.a, <model>.h and <model>.json into FOLDER, and the two headers that <model>.h includes
into FOLDER/nacre/. The library needs libc and libm alone; <model> is the model's name in lower case. All files appear,
or none.

  nacre compile digits.nacre -o out/
  cc -Iout main.c out/libdigits.a -lm -pthread -o main

With --taps every `tap` of the model is a buffer that a call may read, set, add to, scale, clamp or mask; <model>.h lists them.

Prints the memory that the largest function takes at the bounds of its dims, before anything runs: the arena's size is a polynomial in
the dims. --timing says on standard error where the time went.

With --memory-limit the values that a call keeps fit into a budget, at the greatest sizes that the dims may have: values that a training
step reads again much later are computed twice, the cheap ones first. Parameters, inputs and results are not counted.

  nacre compile digits.nacre -o out/ --memory-limit 20MB

Weights that products read are packed once, by the first call after they were set: a second copy of them in memory, whose size is
printed. With --no-packing there is none.

With --precision bf16 or int8, functions that write no parameter keep their packed weights in that type and round activations to it where
they meet: half or a quarter of the memory, and faster where the CPU has fast instructions for it (levels v4-bf16 and v4-vnni), with the
same result elsewhere. All other operators, training steps, and nested heads stay f32. See runtime/README.md for the errors.

With --target=nvptx the library holds code for NVIDIA GPUs too, as PTX: a call runs there when there is a driver and a device, and else on
the CPU (see runtime/README.md). Nothing of CUDA is needed to compile, and nothing but the driver to run.

  nacre compile digits.nacre -o out/ --target=nvptx
  nacre compile digits.nacre --target=nvptx --emit=ptx

With --emit the tool stops earlier and prints what it has:

  nacre compile digits.nacre --emit=ast        the file as it was understood
  nacre compile digits.nacre --emit=nacre      typed operators, shapes inferred
  nacre compile digits.nacre --emit=grad       with gradients and the training step
  nacre compile digits.nacre --emit=plan       kernels, buffers, launches
  nacre compile digits.nacre --emit=kernels    vector-level code of the kernels
  nacre compile digits.nacre --emit=llvm       LLVM IR; also asm and obj
  nacre compile digits.nacre --emit=device     LLVM IR of the GPU's kernels, optimised; ptx: their code (with --target=nvptx)
)",
      1,
      1,
      {{"out", "o", "FOLDER", "where the files go; created when it is missing"},
       modelOption,
       {"emit", "", "STAGE", "ast, nacre, grad, plan, kernels, llvm, asm, device, ptx, obj or lib"},
       {"taps", "", "", "let calls read and change the values named by `tap`"},
       memoryLimitOption,
       {"trace", "", "", "let calls be traced: 'nacre profile' takes such a library"},
       timingOption,
       {"precision", "", "TYPE", "of products with weights in functions that change nothing: f32 (default), tf32 (GPU), bf16 or int8"},
       {"no-packing", "", "", "pack weights inside kernels, call by call: slower, but they are kept once"},
       targetOption,
       {"cubin", "", "", "with --target=nvptx: machine code beside the PTX, by the CUDA toolkit's ptxas"},
       cpuOption,
       schedulesOption},
      runCompile};
  return command;
}
