// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre compile: a model file to a library, or to any stage on the way.
#include "compiler/Artifact/Interface.h"
#include "compiler/Artifact/Library.h"
#include "compiler/Artifact/StagedFolder.h"
#include "compiler/tools/nacre/Command.h"
#include "compiler/tools/nacre/CompileFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"

#include <chrono>

using namespace nacre;
using namespace nacre::tool;

static const llvm::StringRef stages[] = {"ast", "nacre", "grad", "plan", "kernels", "llvm", "asm", "obj", "lib"};

static Stage stageOf(llvm::StringRef name) {
  return llvm::StringSwitch<Stage>(name)
      .Case("nacre", Stage::Nacre)
      .Case("grad", Stage::Grad)
      .Case("plan", Stage::Plan)
      .Case("kernels", Stage::Kernels)
      .Case("llvm", Stage::LLVM)
      .Case("asm", Stage::Assembly)
      .Default(Stage::Object);
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
  console.print({{"model", model.name}, {"seconds", seconds}, {"files", std::move(list)}});
  return Success;
}

static int runCompile(const Arguments &arguments, Console &console) {
  auto start = std::chrono::steady_clock::now();
  llvm::StringRef stage = arguments.get("emit", "lib");
  if (!llvm::is_contained(stages, stage))
    return console.usage("expected a stage of (" + llvm::join(llvm::ArrayRef(stages), ", ") + "), but got '" + stage + "'");
  auto levels = parseLevels(arguments);
  if (!levels) return console.usage(llvm::toString(levels.takeError()));
  if (stage == "ast") return emitAst(arguments, console);
  if (stage == "lib" && !arguments.has("out")) return console.usage("expected a folder for the library: -o FOLDER");
  int status = Success;
  CompileOptions options{*levels, stageOf(stage), arguments.has("taps")};
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
  console.enterStage("link");
  auto files = writeLibrary(result->model, result->object, *arguments.get("out"));
  if (!files) return console.fail(files.takeError());
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

With --emit the tool stops earlier and prints what it has:

  nacre compile digits.nacre --emit=ast        the file as it was understood
  nacre compile digits.nacre --emit=nacre      typed operators, shapes inferred
  nacre compile digits.nacre --emit=grad       with gradients and the training step
  nacre compile digits.nacre --emit=plan       kernels, buffers, launches
  nacre compile digits.nacre --emit=kernels    vector-level code of the kernels
  nacre compile digits.nacre --emit=llvm       LLVM IR; also asm and obj
)",
      1,
      1,
      {{"out", "o", "FOLDER", "where the files go; created when it is missing"},
       modelOption,
       {"emit", "", "STAGE", "ast, nacre, grad, plan, kernels, llvm, asm, obj or lib"},
       {"taps", "", "", "let calls read and change the values named by `tap`"},
       cpuOption,
       schedulesOption},
      runCompile};
  return command;
}
