// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Checkpoint.h"

#include "compiler/Artifact/Failure.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

extern "C" {
#include "runtime/src/safetensors.h"
}

using namespace nacre;
using namespace nacre::tool;

llvm::Error tool::checkWritable(llvm::StringRef path) {
  llvm::StringRef folder = llvm::sys::path::parent_path(path);
  folder = folder.empty() ? "." : folder;
  if (!llvm::sys::fs::is_directory(folder))
    return userFailure("expected a folder to write '" + path + "' into, but there is no '" + folder + "'");
  if (std::error_code code = llvm::sys::fs::access(folder, llvm::sys::fs::AccessMode::Write))
    return userFailure("cannot write into the folder '" + folder + "': " + code.message());
  if (llvm::sys::fs::exists(path) && !llvm::sys::fs::is_regular_file(path))
    return userFailure("expected a file name to write to, but '" + path + "' is no regular file");
  return llvm::Error::success();
}

llvm::Error tool::saveCheckpoint(const LoadedModel &model, nacre_parameters *parameters, const std::string &path, const Progress &progress,
                                 bool withOptimizer) {
  std::vector<nacre_named_tensor> tensors;
  nacre_error error = {};
  for (int32_t i = 0; i < model.table().parameter_count; ++i) {
    const nacre_parameter &parameter = model.table().parameters[i];
    if (parameter.role == NACRE_OPTIMIZER && !withOptimizer) continue;
    nacre_named_tensor named = {parameter.name, {}};
    if (model.api().parameters_get(parameters, parameter.name, &named.tensor, &error) != NACRE_OK) return runtimeError(error);
    tensors.push_back(named);
  }
  std::string step = std::to_string(progress.step), total = std::to_string(progress.totalSteps), seed = std::to_string(progress.seed);
  std::vector<nacre_metadata> metadata = {{"model", model.table().name}};
  if (withOptimizer)
    metadata.insert(metadata.end(), {{"training.step", step.c_str()}, {"training.steps", total.c_str()}, {"training.seed", seed.c_str()}});
  if (nacre_safetensors_write(path.c_str(), tensors.data(), int64_t(tensors.size()), metadata.data(), int64_t(metadata.size()), &error) !=
      NACRE_OK)
    return runtimeError(error);
  return llvm::Error::success();
}

static llvm::Expected<Progress> readProgress(const std::string &path) {
  nacre_error error = {};
  nacre_safetensors *file = nacre_safetensors_open(path.c_str(), &error);
  if (!file) return runtimeError(error);
  Progress progress;
  progress.step = -1;
  for (int64_t i = 0; i < nacre_safetensors_metadata_count(file); ++i) {
    const nacre_metadata *entry = nacre_safetensors_metadata(file, i);
    llvm::StringRef key = entry->key, value = entry->value;
    if (key == "training.step" && value.getAsInteger(10, progress.step)) progress.step = -1;
    if (key == "training.seed" && value.getAsInteger(10, progress.seed)) progress.step = -1;
  }
  nacre_safetensors_close(file);
  if (progress.step < 0)
    return userFailure("expected a file that `nacre train` saved with the optimiser's state, but '" + path +
                       "' does not say how far the training was");
  return progress;
}

llvm::Expected<Progress> tool::loadCheckpoint(const LoadedModel &model, nacre_parameters *parameters, const std::string &path) {
  auto progress = readProgress(path);
  if (!progress) return progress.takeError();
  nacre_error error = {};
  if (model.api().parameters_load(parameters, path.c_str(), NACRE_LOAD_OPTIMIZER, &error) != NACRE_OK) return runtimeError(error);
  return progress;
}

static llvm::Error loadParts(const LoadedModel &model, nacre_parameters *parameters, const Arguments &arguments) {
  nacre_error error = {};
  for (llvm::StringRef word : arguments.all("weights")) {
    auto [part, path] = word.split('=');
    if (part.size() == word.size()) continue;
    if (model.api().parameters_load_part(parameters, part.str().c_str(), path.str().c_str(), &error) != NACRE_OK) return runtimeError(error);
  }
  return llvm::Error::success();
}

/// Whether parts alone say what every parameter is.
static bool areAllInParts(const LoadedModel &model, const Arguments &arguments) {
  for (int32_t i = 0; i < model.table().parameter_count; ++i) {
    llvm::StringRef name = model.table().parameters[i].name;
    if (llvm::none_of(arguments.all("weights"), [&](llvm::StringRef word) { return name.starts_with(word.split('=').first.str() + "."); }))
      return false;
  }
  return true;
}

/// The one `--weights FILE` that is not of a part, if there is one.
static llvm::Expected<std::optional<llvm::StringRef>> wholeFile(const Arguments &arguments) {
  std::optional<llvm::StringRef> whole;
  for (llvm::StringRef word : arguments.all("weights")) {
    if (word.contains('=')) continue;
    if (whole) return userFailure("expected one file for --weights beside PART=FILE, but got '" + *whole + "' and '" + word + "'");
    whole = word;
  }
  return whole;
}

llvm::Error tool::loadStart(const LoadedModel &model, nacre_parameters *parameters, const Arguments &arguments) {
  nacre_error error = {};
  auto whole = wholeFile(arguments);
  if (!whole) return whole.takeError();
  if (*whole && model.api().parameters_load(parameters, (*whole)->str().c_str(), NACRE_LOAD_STRICT, &error) != NACRE_OK)
    return runtimeError(error);
  return loadParts(model, parameters, arguments);
}

llvm::Error tool::loadWeights(const LoadedModel &model, nacre_parameters *parameters, const Arguments &arguments, uint32_t flags) {
  nacre_error error = {};
  auto whole = wholeFile(arguments);
  if (!whole) return whole.takeError();
  if (*whole) {
    if (model.api().parameters_load(parameters, (*whole)->str().c_str(), flags, &error) != NACRE_OK) return runtimeError(error);
    return loadParts(model, parameters, arguments);
  }
  if (flags & NACRE_LOAD_OPTIMIZER)
    return userFailure("expected --weights FILE with the optimiser's state, not only the files of parts");
  auto seed = arguments.get("seed");
  if (!seed && !areAllInParts(model, arguments))
    return userFailure("expected --weights FILE, or --seed N for parameters drawn at random");
  auto number = parseInteger("--seed", seed.value_or("0"), 0, INT64_MAX);
  if (!number) return number.takeError();
  if (model.api().parameters_init(parameters, uint64_t(*number), &error) != NACRE_OK) return runtimeError(error);
  return loadParts(model, parameters, arguments);
}
