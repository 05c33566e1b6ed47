// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/LoadedModel.h"

#include "compiler/Artifact/Failure.h"
#include "compiler/Artifact/Library.h"
#include "compiler/Target/CPU/Levels.h"
#include "compiler/Target/NVPTX/EmitPtx.h"
#include "compiler/tools/nacre/CompileFile.h"
#include "compiler/tools/nacre/DeviceOption.h"
#include "compiler/tools/nacre/MemoryOption.h"
#include "compiler/tools/nacre/StageTimes.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cstdlib>
#include <dlfcn.h>

extern "C" {
#include "runtime/src/cpu_supports.h"
}

using namespace nacre;
using namespace nacre::tool;

const Option tool::threadsOption = {"threads", "t", "N", "threads to compute with; default: the processors this process may use"};

LoadedModel::~LoadedModel() {
  if (handle) dlclose(handle);
}

llvm::Error tool::runtimeError(const nacre_error &error) { return userFailure(error.message); }

/// "out/libdigits.so" -> "digits_model"
static std::string tableSymbol(llvm::StringRef library) {
  llvm::StringRef stem = llvm::sys::path::stem(library);
  stem.consume_front("lib");
  return (stem + "_model").str();
}

llvm::Error LoadedModel::load(llvm::StringRef library, llvm::StringRef origin) {
  llvm::SmallString<128> path(library);
  llvm::sys::fs::make_absolute(path); // or dlopen would search the system's folders
  handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) return userFailure("cannot load the library: " + llvm::Twine(dlerror()));
  auto entry = reinterpret_cast<const nacre_model *(*)()>(dlsym(handle, tableSymbol(library).c_str()));
  if (!entry) return userFailure("expected a compiled model, but '" + origin + "' does not export " + tableSymbol(library));
  model = entry();
  if (model->abi_version != NACRE_ABI_VERSION)
    return userFailure("expected a model of interface version " + llvm::Twine(NACRE_ABI_VERSION) + ", but '" + origin + "' has version " +
                       llvm::Twine(model->abi_version));
  auto parsed = llvm::json::parse(model->manifest);
  if (!parsed) return internalFailure("load", "the manifest is no JSON: " + llvm::toString(parsed.takeError()));
  if (llvm::json::Object *object = parsed->getAsObject()) manifest = std::move(*object);
  folder = llvm::sys::path::parent_path(origin).str();
  return llvm::Error::success();
}

/// One level is enough here: the one that the runtime would pick.
static llvm::SmallVector<std::string> levelsOfThisMachine() {
  llvm::StringRef best = cpu::levels().front().name;
  const char *chosen = std::getenv("NACRE_CPU");
  for (const cpu::Level &level : cpu::levels()) {
    if (chosen && level.name == chosen) return {chosen};
    if (nacre_cpu_supports(level.name.str().c_str())) best = level.name;
  }
  return {best.str()};
}

/// Compiles into a fresh folder, returns the library's path; the caller removes the folder.
static std::optional<std::string> buildLibrary(llvm::StringRef path, const Arguments &arguments, bool traced,
                                               llvm::SmallVectorImpl<char> &folder, Console &console, int &status) {
  auto memoryLimit = parseMemoryLimit(arguments);
  if (!memoryLimit) {
    status = console.usage(llvm::toString(memoryLimit.takeError()));
    return std::nullopt;
  }
  StageTimes times(arguments, console);
  CompileOptions options{levelsOfThisMachine(), Stage::Objects, arguments.has("tap"), *memoryLimit, traced, &times.whole()};
  if (asksForDevice(arguments)) options.architectures = {nvptx::architectures().front().name.str()}; // runs on all later devices too
  auto result = compileModel(path, arguments.get("model", ""), options, console, status);
  if (!result) return std::nullopt;
  reportMemory(console, result->memory);
  console.enterStage("link");
  mlir::TimingScope scope = times.whole().nest("link");
  if (std::error_code code = llvm::sys::fs::createUniqueDirectory("nacre", folder)) {
    status = console.fail("cannot create a temporary folder: " + code.message());
    return std::nullopt;
  }
  auto library = writeSharedLibrary(result->model, objectsOf(*result), llvm::StringRef(folder.data(), folder.size()));
  if (library) return *library;
  status = console.fail(library.takeError());
  return std::nullopt;
}

std::unique_ptr<LoadedModel> LoadedModel::open(llvm::StringRef path, const Arguments &arguments, Console &console, int &status,
                                               bool traced) {
  std::unique_ptr<LoadedModel> loaded(new LoadedModel);
  if (!llvm::sys::fs::exists(path)) {
    status = console.fail("expected a model file or a compiled library, but there is no '" + path + "'");
    return nullptr;
  }
  llvm::SmallString<128> folder;
  std::string library = path.str();
  if (llvm::sys::path::extension(path) != ".so") {
    auto built = buildLibrary(path, arguments, traced, folder, console, status);
    if (built)
      library = *built;
    else
      loaded.reset();
  }
  if (loaded)
    if (llvm::Error error = loaded->load(library, path)) {
      status = console.fail(std::move(error));
      loaded.reset();
    }
  if (!folder.empty()) llvm::sys::fs::remove_directories(folder); // a loaded library needs its file no more
  console.enterStage("run");
  return loaded;
}

llvm::Expected<const nacre_function *> LoadedModel::function(llvm::StringRef name) const {
  std::string names;
  for (int32_t i = 0; i < model->function_count; ++i) {
    if (name == model->functions[i].name) return &model->functions[i];
    names += (i ? ", " : "") + std::string(model->functions[i].name);
  }
  return userFailure("expected a function of " + llvm::Twine(model->name) + " (" + names + "), but got '" + name + "'");
}

std::vector<int64_t> LoadedModel::stackedWidths(const nacre_function &function, int32_t output) const {
  const llvm::json::Array *functions = manifest.getArray("functions");
  const llvm::json::Object *entry = functions ? (*functions)[indexOf(function)].getAsObject() : nullptr;
  const llvm::json::Array *outputs = entry ? entry->getArray("outputs") : nullptr;
  const llvm::json::Object *port = outputs ? (*outputs)[output].getAsObject() : nullptr;
  const llvm::json::Array *list = port ? port->getArray("widths") : nullptr;
  std::vector<int64_t> widths;
  if (list)
    for (const llvm::json::Value &width : *list)
      widths.push_back(width.getAsInteger().value_or(0));
  return widths;
}

std::string LoadedModel::besideModel(llvm::StringRef path) const {
  if (llvm::sys::path::is_absolute(path)) return path.str();
  llvm::SmallString<128> whole(folder);
  llvm::sys::path::append(whole, path);
  return whole.str().str();
}

llvm::Expected<ParametersPtr> tool::createParameters(const LoadedModel &model) {
  nacre_error error = {};
  nacre_parameters *parameters = model.api().parameters_create(&model.table(), &error);
  if (!parameters) return runtimeError(error);
  return ParametersPtr(parameters, ParametersDeleter{&model.api()});
}

llvm::Expected<ContextPtr> tool::createContext(const LoadedModel &model, nacre_parameters *parameters, llvm::ArrayRef<int64_t> maxDims,
                                               const Arguments &arguments, const char *device) {
  nacre_options options = {};
  auto threads = parseInteger("--threads", arguments.get("threads", "0"), 0, 1024);
  if (!threads) return threads.takeError();
  options.threads = int32_t(*threads);
  std::vector<int64_t> sizes(maxDims.begin(), maxDims.end());
  for (size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] == 0) sizes[i] = model.table().dims[i].bound;
  options.max_dims = sizes.data();
  std::optional<std::string> chosen = chosenDevice(arguments);
  options.device = chosen ? chosen->c_str() : device;
  nacre_error error = {};
  nacre_context *context = model.api().context_create(&model.table(), parameters, &options, &error);
  if (!context) return runtimeError(error);
  return ContextPtr(context, ContextDeleter{&model.api()});
}
