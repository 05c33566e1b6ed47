// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The one device, and its one context.
#include "test/simt/driver/Control.h"
#include "test/simt/driver/Driver.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace nacre::simt;

static constexpr int kVersion = 13000;
static char context; // its address is the handle

Driver &Driver::get() {
  static Driver driver;
  return driver;
}

Capability nacre::simt::capability() {
  Capability result = {8, 0};
  if (const char *text = std::getenv("NACRE_SIMT_CAPABILITY")) std::sscanf(text, "%d.%d", &result.major, &result.minor);
  return result;
}

// CUDA C++ Programming Guide, "Technical specifications per compute capability": 99, 163 and 227 KiB.
int64_t nacre::simt::sharedLimit() {
  Capability device = capability();
  if (device.major >= 9) return 232448;
  return device.major == 8 && device.minor == 0 ? 166912 : 101376;
}

NACRE_DRIVER cuInit(unsigned flags) {
  if (flags) return InvalidValue;
  Driver &driver = Driver::get();
  std::lock_guard<std::mutex> lock(driver.mutex);
  driver.isInitialized = true;
  return Success;
}

NACRE_DRIVER cuDriverGetVersion(int *version) {
  *version = kVersion;
  return Success;
}

NACRE_DRIVER cuDeviceGetCount(int *count) {
  return enter([&](Driver &) { return *count = 1, Success; });
}

NACRE_DRIVER cuDeviceGet(int *device, int ordinal) {
  return enter([&](Driver &) {
    *device = 0;
    return ordinal == 0 ? Success : InvalidDevice;
  });
}

NACRE_DRIVER cuDeviceGetName(char *name, int size, int device) {
  return enter([&](Driver &) {
    std::snprintf(name, size_t(size), "Nacre SIMT executor");
    return device == 0 ? Success : InvalidDevice;
  });
}

size_t nacre::simt::totalMemory() {
  const char *text = std::getenv("NACRE_SIMT_MEMORY");
  return text ? std::strtoull(text, nullptr, 10) : size_t(16) << 30;
}

NACRE_DRIVER cuDeviceTotalMem_v2(size_t *bytes, int device) {
  return enter([&](Driver &) {
    *bytes = totalMemory();
    return device == 0 ? Success : InvalidDevice;
  });
}

NACRE_DRIVER cuMemGetInfo_v2(size_t *left, size_t *total) {
  return enter([&](Driver &driver) {
    *total = totalMemory();
    *left = *total - std::min(*total, driver.memoryBytes);
    return Success;
  });
}

/// CUdevice_attribute; those that nobody here asks for are 0.
static int attribute(int which) {
  switch (which) {
  case 1:  // threads of a block
  case 2:  // in x
  case 3:  // in y
    return 1024;
  case 4: // in z
    return 64;
  case 5: // blocks in x
    return 0x7fffffff;
  case 6: // in y
  case 7: // in z
    return 65535;
  case 8: // shared memory of a block that has not asked for more
    return 48 << 10;
  case 10: // threads of a warp
    return 32;
  case 12: // registers of a block
    return 65536;
  case 16: // multiprocessors: few, so that workers have several tasks each
    return 2;
  case 39: // threads of a multiprocessor
    return 2048;
  case 75:
    return capability().major;
  case 76:
    return capability().minor;
  case 81: // shared memory of a multiprocessor: 1 KiB of each block is the system's
    return int(sharedLimit() + 1024);
  case 97: // shared memory of a block that has asked for it
    return int(sharedLimit());
  case 115: // memory pools
    return 1;
  default:
    return 0;
  }
}

NACRE_DRIVER cuDeviceGetAttribute(int *value, int which, int device) {
  return enter([&](Driver &) {
    *value = attribute(which);
    return device == 0 ? Success : InvalidDevice;
  });
}

NACRE_DRIVER cuDevicePrimaryCtxRetain(void **handle, int device) {
  return enter([&](Driver &) {
    *handle = &context;
    return device == 0 ? Success : InvalidDevice;
  });
}
NACRE_DRIVER cuDevicePrimaryCtxRelease_v2(int) { return Success; }
NACRE_DRIVER cuDevicePrimaryCtxSetFlags_v2(int, unsigned) { return Success; }
NACRE_DRIVER cuCtxSetCurrent(void *handle) {
  return enter([&](Driver &) { return !handle || handle == &context ? Success : InvalidValue; });
}
NACRE_DRIVER cuCtxGetCurrent(void **handle) {
  return enter([&](Driver &) { return *handle = &context, Success; });
}
NACRE_DRIVER cuCtxGetDevice(int *device) {
  return enter([&](Driver &) { return *device = 0, Success; });
}
NACRE_DRIVER cuCtxPushCurrent_v2(void *handle) { return cuCtxSetCurrent(handle); }
NACRE_DRIVER cuCtxPopCurrent_v2(void **handle) { return cuCtxGetCurrent(handle); }

NACRE_DRIVER cuCtxSynchronize() {
  return enter([](Driver &driver) { return driver.captureCount ? CaptureUnsupported : Success; });
}

extern "C" __attribute__((visibility("default"))) void nacre_simt_forget_faults() {
  Driver &driver = Driver::get();
  std::lock_guard<std::mutex> lock(driver.mutex);
  driver.sticky = Success;
}
