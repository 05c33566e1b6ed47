// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A stand-in for libcuda: the driver functions that the runtime asks for, over host memory and the executor.
//
// Device memory is host memory, its addresses are host addresses. Streams run each operation at once. Module images are not read beyond
// their first words: code comes from the library that NACRE_SIMT_CODE names. In the environment:
//   NACRE_SIMT_CODE        what nacre-simt made of the module's device IR
//   NACRE_SIMT_ORDER       order of threads (test/simt/executor/Executor.h)
//   NACRE_SIMT_THREADS     OS threads that run blocks (1)
//   NACRE_SIMT_CAPABILITY  of the device, "8.0" unless set
//   NACRE_SIMT_MEMORY      bytes of device memory (16 GiB)
#pragma once

#include "test/simt/executor/Executor.h"
#include "test/simt/executor/GuardedMemory.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#define NACRE_DRIVER extern "C" __attribute__((visibility("default"))) int

namespace nacre::simt {

/// CUresult of the driver API.
enum Result : int {
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  NotInitialized = 3,
  InvalidDevice = 101,
  InvalidImage = 200,
  InvalidPtx = 218,
  SharedObjectInitFailed = 303,
  InvalidHandle = 400,
  NotFound = 500,
  IllegalAddress = 700,
  LaunchTimeout = 702,
  MisalignedAddress = 716,
  LaunchFailed = 719,
  NotSupported = 801,
  CaptureUnsupported = 900,
  IllegalCaptureState = 401,
  CaptureUnmatched = 903,
  GraphUpdateFailure = 910,
};

using DevicePointer = unsigned long long;

/// One thing that a stream does.
struct Operation {
  std::string shape; ///< what of it may not change when a graph is updated
  std::function<Result()> perform;
};

struct Graph {
  std::vector<Operation> operations; ///< in the order of their capture
};

struct Stream {
  std::shared_ptr<Graph> capture; ///< null: operations run at once
  bool isOrigin = false;          ///< the capture began here
};

struct Module {
  void *library;
};

struct Function {
  std::string name;
  const KernelInfo *kernel;
  int64_t dynamicSharedLimit;
};

struct Capability {
  int major, minor;
};
Capability capability();
/// What a kernel may have after asking for it.
int64_t sharedLimit();
/// Bytes that allocations may take together.
size_t totalMemory();

class Driver {
public:
  static Driver &get();

  std::mutex mutex;
  bool isInitialized = false;
  Result sticky = Success; ///< a fault of a kernel is the answer to every later call, as on a device
  std::map<DevicePointer, GuardedMemory> memory;
  size_t memoryBytes = 0;
  int captureCount = 0; ///< streams that began one

  /// Does [pointer, pointer + bytes) lie in one allocation?
  bool holds(DevicePointer pointer, size_t bytes) const;
  /// Runs it, or keeps it for the graph that the stream captures.
  Result enqueue(void *stream, Operation operation);
  Result perform(const Operation &operation);
};

/// What every entry does: one caller at a time, an initialised driver, no fault before.
template <typename Body>
int enter(Body body) {
  Driver &driver = Driver::get();
  std::lock_guard<std::mutex> lock(driver.mutex);
  if (!driver.isInitialized) return NotInitialized;
  return driver.sticky ? driver.sticky : body(driver);
}

} // namespace nacre::simt
