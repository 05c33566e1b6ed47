// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Modules, their kernels, and launches.
#include "test/simt/driver/Driver.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>

using namespace nacre::simt;

static constexpr int64_t kThreadLimit = 1024, kSharedDefault = 48 << 10;

/// Where the caller wants to read what the assembler said: options 5 (buffer) and 6 (its size) of CUjit_option.
static void writeLog(unsigned count, const int *options, void *const *values, const std::string &text) {
  char *buffer = nullptr;
  size_t size = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == 5) buffer = static_cast<char *>(values[i]);
    if (options[i] == 6) size = size_t(reinterpret_cast<uintptr_t>(values[i]) & 0xffffffff);
  }
  if (buffer && size) std::snprintf(buffer, size, "%s", text.c_str());
}

/// Why this device refuses an image: not PTX (a cubin begins with ELF's mark), or for a later device. Empty: it takes it.
static std::string refusal(const char *image) {
  if (!std::memcmp(image, "\177ELF", 4)) return "";
  const char *version = std::strstr(image, ".version"), *target = version ? std::strstr(version, ".target sm_") : nullptr;
  if (!target) return "ptxas fatal   : Missing .version or .target directive";
  int number = std::atoi(target + std::strlen(".target sm_"));
  Capability device = capability();
  if (number <= device.major * 10 + device.minor) return "";
  return "ptxas fatal   : SM version specified by .target is higher than default SM version assumed";
}

NACRE_DRIVER cuModuleLoadDataEx(void **module, const void *image, unsigned count, int *options, void **values) {
  return enter([&](Driver &) -> Result {
    if (!module || !image) return InvalidValue;
    std::string why = refusal(static_cast<const char *>(image));
    if (!why.empty()) {
      writeLog(count, options, values, why);
      return InvalidPtx;
    }
    const char *path = std::getenv("NACRE_SIMT_CODE");
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
    if (!library) {
      writeLog(count, options, values, path ? dlerror() : "NACRE_SIMT_CODE names no code library");
      std::fprintf(stderr, "nacre-simt: no device code: %s\n", path ? path : "NACRE_SIMT_CODE is not set");
      return SharedObjectInitFailed;
    }
    *module = new Module{library};
    return Success;
  });
}
NACRE_DRIVER cuModuleLoadData(void **module, const void *image) { return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr); }

NACRE_DRIVER cuModuleUnload(void *handle) {
  return enter([&](Driver &) {
    if (!handle) return InvalidValue;
    auto *module = static_cast<Module *>(handle);
    dlclose(module->library);
    delete module;
    return Success;
  });
}

/// Kernels live as long as the process: they are few, and a caller may keep one while it unloads the module.
NACRE_DRIVER cuModuleGetFunction(void **function, void *module, const char *name) {
  return enter([&](Driver &) {
    if (!function || !module || !name) return InvalidValue;
    void *info = dlsym(static_cast<Module *>(module)->library, kernelSymbol(name).c_str());
    if (!info) return NotFound;
    *function = new Function{name, static_cast<const KernelInfo *>(info), kSharedDefault};
    return Success;
  });
}

NACRE_DRIVER cuFuncSetAttribute(void *handle, int which, int value) {
  return enter([&](Driver &) {
    if (!handle) return InvalidValue;
    auto *function = static_cast<Function *>(handle);
    if (which != 8) return Success; // preferences
    if (value < 0 || value > sharedLimit() - function->kernel->sharedBytes) return InvalidValue;
    function->dynamicSharedLimit = value;
    return Success;
  });
}

NACRE_DRIVER cuFuncGetAttribute(int *value, int which, void *handle) {
  return enter([&](Driver &) {
    if (!handle || !value) return InvalidValue;
    auto *function = static_cast<Function *>(handle);
    *value = which == 0   ? int(std::min(kThreadLimit, function->kernel->threadLimit))
             : which == 1 ? int(function->kernel->sharedBytes)
             : which == 4 ? 32 // registers: not known here
             : which == 8 ? int(function->dynamicSharedLimit)
                          : 0;
    return Success;
  });
}

NACRE_DRIVER cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *handle, int threads, size_t dynamicBytes) {
  return enter([&](Driver &) {
    if (!handle || threads < 1) return InvalidValue;
    int64_t shared = static_cast<Function *>(handle)->kernel->sharedBytes + int64_t(dynamicBytes) + 1024; // 1 KiB is the system's
    *blocks = int(std::min<int64_t>({32, 2048 / threads, (sharedLimit() + 1024) / shared}));
    return Success;
  });
}

static bool fits(const Function &function, Dim grid, Dim block, int64_t dynamicBytes) {
  uint64_t threads = block.count();
  int64_t sharedBytes = dynamicBytes + function.kernel->sharedBytes;
  return grid.count() && threads && threads <= uint64_t(std::min(kThreadLimit, function.kernel->threadLimit)) && block.z <= 64 &&
         grid.x <= 0x7fffffff && grid.y <= 65535 && grid.z <= 65535 && dynamicBytes <= function.dynamicSharedLimit &&
         sharedBytes <= (function.dynamicSharedLimit > kSharedDefault ? sharedLimit() : kSharedDefault);
}

static Result resultOf(const Failure &failure) {
  switch (failure.kind) {
  case Failure::None:
    return Success;
  case Failure::IllegalAddress:
    return IllegalAddress;
  case Failure::MisalignedAddress:
    return MisalignedAddress;
  case Failure::Deadlock:
    return LaunchTimeout;
  default:
    return LaunchFailed;
  }
}

static unsigned osThreads() {
  const char *text = std::getenv("NACRE_SIMT_THREADS");
  return text ? std::max(1, std::atoi(text)) : 1;
}

/// A launch with its parameters as they were when it was asked for.
static Operation launchOf(const Function &function, Dim grid, Dim block, int64_t dynamicBytes, void *const *parameters) {
  std::vector<std::vector<char>> copies;
  for (int64_t i = 0; i < function.kernel->parameterCount; ++i) {
    const char *from = static_cast<const char *>(parameters[i]);
    copies.emplace_back(from, from + function.kernel->parameterBytes[i]);
  }
  return {function.name, [=] {
            std::vector<void *> pointers;
            for (const std::vector<char> &bytes : copies)
              pointers.push_back(const_cast<char *>(bytes.data()));
            Launch launch = {function.name.c_str(), function.kernel, grid, block, dynamicBytes, pointers.data()};
            Failure failure = run(launch, nacre_simt_order(), osThreads());
            if (failure) std::fprintf(stderr, "nacre-simt: %s\n", failure.message.c_str());
            return resultOf(failure);
          }};
}

NACRE_DRIVER cuLaunchKernel(void *handle, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ,
                            unsigned dynamicBytes, void *stream, void **parameters, void **extra) {
  return enter([&](Driver &driver) {
    if (extra) return NotSupported;
    if (!handle) return InvalidHandle;
    auto *function = static_cast<Function *>(handle);
    Dim grid = {gridX, gridY, gridZ}, block = {blockX, blockY, blockZ};
    if (!fits(*function, grid, block, dynamicBytes) || (!parameters && function->kernel->parameterCount)) return InvalidValue;
    return driver.enqueue(stream, launchOf(*function, grid, block, dynamicBytes, parameters));
  });
}
