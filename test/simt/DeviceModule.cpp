// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/DeviceModule.h"
#include "test/simt/tool/CodeLibrary.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"

#include <dlfcn.h>

using namespace nacre::simt;

std::unique_ptr<DeviceModule> DeviceModule::build(llvm::StringRef deviceIR, std::string &messages) {
  llvm::SmallString<128> path;
  if (std::error_code code = llvm::sys::fs::createTemporaryFile("nacre-device", "so", path)) {
    messages += code.message();
    return nullptr;
  }
  std::unique_ptr<DeviceModule> module(new DeviceModule);
  module->file = path.str().str();
  if (llvm::Error error = writeCodeLibrary(deviceIR, module->file)) {
    messages += llvm::toString(std::move(error));
    return nullptr;
  }
  module->library = dlopen(module->file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module->library) return module;
  messages += dlerror();
  return nullptr;
}

DeviceModule::~DeviceModule() {
  if (library) dlclose(library);
  llvm::sys::fs::remove(file);
}

Failure DeviceModule::launch(const std::string &kernel, Dim grid, Dim block, llvm::ArrayRef<const void *> parameters, int order,
                             int64_t dynamicSharedBytes, unsigned threads) {
  auto *info = static_cast<const KernelInfo *>(dlsym(library, kernelSymbol(kernel).c_str()));
  if (!info) return {Failure::IllegalUse, "no kernel '" + kernel + "'"};
  return run({kernel.c_str(), info, grid, block, dynamicSharedBytes, const_cast<void *const *>(parameters.data())}, order, threads);
}
