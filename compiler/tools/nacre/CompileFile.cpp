// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/CompileFile.h"

#include "compiler/Target/CPU/Levels.h"
#include "compiler/Target/CPU/ScheduleFile.h"
#include "compiler/Target/NVPTX/EmitPtx.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace nacre;
using namespace nacre::tool;

const Option tool::modelOption = {"model", "m", "NAME", "which model of the file, when it has several"};
const Option tool::cpuOption = {"cpu", "", "LEVELS", "CPU levels to compile for: v3 (AVX2), v4 (AVX-512), and v4-bf16, v4-vnni for that precision; default: all of use"};

const Option tool::targetOption = {"target", "", "TARGET", "cpu (default), or nvptx, nvptx:sm_80, nvptx:sm_90a: the library can use NVIDIA GPUs too"};

const Option tool::schedulesOption = {"schedules", "", "FILE", "how kernels split their work, as `nacre tune` wrote it"};

bool tool::readSchedules(const Arguments &arguments, std::vector<cpu::ScheduleEntry> &entries, Console &console, int &status) {
  auto path = arguments.get("schedules");
  if (!path) return true;
  auto buffer = llvm::MemoryBuffer::getFile(*path);
  if (!buffer) {
    status = console.fail("'" + *path + "': " + buffer.getError().message());
    return false;
  }
  auto file = cpu::parseSchedules((*buffer)->getBuffer(), NACRE_VERSION);
  if (!file) {
    status = console.fail(*path + ":" + llvm::toString(file.takeError()));
    return false;
  }
  entries = std::move(file->entries);
  return true;
}

llvm::Expected<llvm::SmallVector<std::string>> tool::parseLevels(const Arguments &arguments, plan::Precision precision) {
  llvm::SmallVector<std::string> chosen;
  llvm::SmallVector<llvm::StringRef> names, words;
  for (const cpu::Level &level : cpu::levels()) {
    names.push_back(level.name);
    words.push_back(level.name);
  }
  for (const cpu::Level &level : cpu::narrowLevels()) {
    names.push_back(level.name);
    if ((precision == plan::Precision::Bf16 && level.hasDotBf16) || (precision == plan::Precision::Int8 && level.hasDotInt8))
      words.push_back(level.name);
  }
  if (auto given = arguments.get("cpu")) {
    words.clear();
    given->split(words, ',');
  }
  for (llvm::StringRef word : words)
    if (!llvm::is_contained(names, word))
      return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                     "expected CPU levels of (" + llvm::join(names, ", ") + "), but got '" + word.str() + "'");
  for (llvm::StringRef name : names) // ascending, each once
    if (llvm::is_contained(words, name)) chosen.push_back(name.str());
  return chosen;
}

llvm::Expected<llvm::SmallVector<std::string>> tool::parseArchitectures(const Arguments &arguments) {
  llvm::StringRef target = arguments.get("target", "cpu");
  if (target == "cpu") return llvm::SmallVector<std::string>();
  llvm::SmallVector<std::string> names;
  for (const nvptx::Architecture &architecture : nvptx::architectures())
    names.push_back("nvptx:" + architecture.name.str());
  if (target == "nvptx") target = names.front(); // runs on all later devices too
  if (!llvm::is_contained(names, target))
    return llvm::createStringError(llvm::inconvertibleErrorCode(), "expected a target of (cpu, nvptx, " + llvm::join(names, ", ") +
                                                                       "), but got '" + target.str() + "'");
  return llvm::SmallVector<std::string>{target.split(':').second.str()};
}

llvm::SmallVector<llvm::StringRef> tool::objectsOf(const CompileResult &result) {
  llvm::SmallVector<llvm::StringRef> objects;
  for (const llvm::SmallVector<char, 0> &object : result.objects)
    objects.push_back({object.data(), object.size()});
  return objects;
}

bool tool::parseModel(llvm::StringRef path, ModelFile &file, Console &console, int &status) {
  console.enterStage("parse");
  if (auto buffer = llvm::MemoryBuffer::getFile(path)) console.keepForReproducer(path, (*buffer)->getBuffer());
  if (parseFile(file.source, path, file.program, file.diagnostics)) return true;
  status = console.fail(file.diagnostics);
  return false;
}

namespace {

/// Turns MLIR's diagnostics into the frontend's, so that they are sorted, shown and counted alike.
class DiagnosticBridge {
public:
  DiagnosticBridge(mlir::MLIRContext &context, ModelFile &file)
      : file(file), handler(&context, [this](mlir::Diagnostic &diagnostic) { take(diagnostic); }) {}

  /// Something without a place in the user's text, or that calls itself internal: a defect.
  std::string defect;

private:
  llvm::SMRange rangeOf(mlir::Location location) {
    llvm::SMRange range;
    location->walk([&](mlir::Location inner) {
      auto place = llvm::dyn_cast<mlir::FileLineColLoc>(inner);
      if (!place) return mlir::WalkResult::advance();
      llvm::SMLoc at = file.source.position(place.getFilename().strref(), place.getLine(), place.getColumn());
      range = {at, at};
      return at.isValid() ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
    });
    return range;
  }

  void take(mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error) return;
    std::string message = diagnostic.str();
    llvm::SMRange range = rangeOf(diagnostic.getLocation());
    if (!range.isValid() || llvm::StringRef(message).starts_with("internal")) {
      if (defect.empty()) defect = message;
      return;
    }
    NoteAdder notes = file.diagnostics.error(range, message);
    for (mlir::Diagnostic &note : diagnostic.getNotes())
      notes.note(rangeOf(note.getLocation()), note.str());
  }

  ModelFile &file;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace

std::optional<CompileResult> tool::compileModel(llvm::StringRef path, llvm::StringRef model, const CompileOptions &options,
                                                Console &console, int &status) {
  return compileModel(path, model, options, console, status, [](mlir::ModuleOp, const CompileResult &) { return mlir::success(); });
}

std::optional<CompileResult> tool::compileModel(llvm::StringRef path, llvm::StringRef model, const CompileOptions &options,
                                                Console &console, int &status, ModuleUse use) {
  ModelFile file;
  mlir::TimingScope untimed;
  mlir::TimingScope &timing = options.timing ? *options.timing : untimed;
  mlir::TimingScope scope = timing.nest("parse");
  if (!parseModel(path, file, console, status)) return std::nullopt;
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry);
  console.enterStage("check");
  scope = timing.nest("check");
  mlir::OwningOpRef<mlir::ModuleOp> module = emitModel(context, file.source, file.program, model, file.diagnostics);
  if (!module) {
    status = console.fail(file.diagnostics);
    return std::nullopt;
  }
  console.enterStage("compile");
  scope.stop();
  DiagnosticBridge bridge(context, file);
  mlir::FailureOr<CompileResult> result = compile(*module, options);
  if (mlir::succeeded(result) && mlir::succeeded(use(*module, *result))) return std::move(*result);
  if (bridge.defect.empty() && file.diagnostics.hasErrors())
    status = console.fail(file.diagnostics);
  else
    status = console.internal("compile", bridge.defect.empty() ? "it failed without a word" : bridge.defect);
  return std::nullopt;
}
