// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A compiled model inside this process: a library as it is, or a model file compiled for this machine and loaded at once.
#pragma once

#include "compiler/tools/nacre/Console.h"
#include "compiler/tools/nacre/Options.h"

#include "nacre/runtime.h"

#include <memory>

namespace nacre::tool {

class LoadedModel {
public:
  /// Opens `lib<model>.so`, or compiles a model file into a temporary folder that is gone when this returns.
  /// Null after a report, with `status` set. With `traced` a model file is compiled so that calls can be traced.
  static std::unique_ptr<LoadedModel> open(llvm::StringRef path, const Arguments &arguments, Console &console, int &status,
                                           bool traced = false);
  ~LoadedModel();
  LoadedModel(const LoadedModel &) = delete;
  LoadedModel &operator=(const LoadedModel &) = delete;

  const nacre_model &table() const { return *model; }
  const nacre_api &api() const { return *model->api; }
  /// The function of that name; an error that lists the names there are.
  llvm::Expected<const nacre_function *> function(llvm::StringRef name) const;
  int32_t indexOf(const nacre_function &function) const { return int32_t(&function - model->functions); }

  const llvm::json::Object &description() const { return manifest; }
  /// The `training` object of the manifest, or null.
  const llvm::json::Object *training() const { return manifest.getObject("training"); }
  /// The widths of a stacked output, from the manifest; empty for a plain one.
  std::vector<int64_t> stackedWidths(const nacre_function &function, int32_t output) const;
  /// A path of the model's text (an index file) as seen from here.
  std::string besideModel(llvm::StringRef path) const;

private:
  LoadedModel() = default;
  llvm::Error load(llvm::StringRef library, llvm::StringRef origin);

  void *handle = nullptr;
  const nacre_model *model = nullptr;
  llvm::json::Object manifest;
  std::string folder; ///< of the file that the user named
};

/// Frees what the runtime made.
struct ParametersDeleter {
  const nacre_api *api;
  void operator()(nacre_parameters *parameters) const { api->parameters_destroy(parameters); }
};
struct ContextDeleter {
  const nacre_api *api;
  void operator()(nacre_context *context) const { api->context_destroy(context); }
};
using ParametersPtr = std::unique_ptr<nacre_parameters, ParametersDeleter>;
using ContextPtr = std::unique_ptr<nacre_context, ContextDeleter>;

/// A zeroed parameter block; the runtime's message on failure.
llvm::Expected<ParametersPtr> createParameters(const LoadedModel &model);
/// `maxDims` has one entry a dim of the model; 0 = the dim's bound. Reads --threads and --device; `device` is taken where the latter is not
/// given, and null leaves it to the runtime.
llvm::Expected<ContextPtr> createContext(const LoadedModel &model, nacre_parameters *parameters, llvm::ArrayRef<int64_t> maxDims,
                                         const Arguments &arguments, const char *device = nullptr);

/// The runtime's sentence as an error.
llvm::Error runtimeError(const nacre_error &error);

extern const Option threadsOption;

} // namespace nacre::tool
