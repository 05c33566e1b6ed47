// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A driver made for tests of the runtime alone: device memory is host memory, kernels are host functions that an "image" lists.
//
// Streams are lazy: nothing happens before something waits for them, so that a missing wait shows. Any call can be refused. Whole models
// run through the larger stand-in of test/simt.
#pragma once

#include "runtime/src/device_launch.h"

#include <algorithm>
#include <string>
#include <vector>

using Launch = struct nacre_device_launch; // a function has the plain name

/// A kernel as the driver runs it: once a launch, for all its blocks.
struct FakeKernel {
  const char *name;
  size_t slots;
  void (*run)(const Launch *launch, unsigned blocks);
};

/// What nacre_device_image::data points at.
struct FakeImage {
  std::vector<FakeKernel> kernels;
  int result = 0;           ///< of loading it
  const char *log = "";     ///< what the driver's compiler says then
};

/// One launch as the driver saw it.
struct FakeLaunch {
  std::string kernel;
  unsigned blocks, threads, sharedBytes;
  bool captured;
};

/// The driver's state; tests change it between calls.
struct FakeCuda {
  int version = 13000, devices = 1, major = 9, minor = 0, multiprocessors = 2, blocksEach = 3;
  size_t memoryBytes = size_t(1) << 30;
  int refusable = 0;                   ///< calls since `clear`, but for those that give something back
  int refuseAt = -1, refuseWith = 999; ///< the one of that number, from 0, answers so
  std::string refused;                 ///< the call that was
  std::vector<std::string> calls;      ///< since `clear`
  std::vector<FakeLaunch> launches;
  int64_t live = 0;                    ///< allocations, handles, retained and pushed contexts that nobody gave back
  size_t used = 0;                     ///< bytes of device memory

  void clear() { calls.clear(), launches.clear(), refused.clear(), refusable = 0, refuseAt = -1; }
  int64_t count(const std::string &call) const { return std::count(calls.begin(), calls.end(), call); }
};

/// The one of this process; from now on the runtime finds it (NACRE_LIBCUDA).
FakeCuda &fakeCuda();
