// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs device code that test/simt/tool made into host code: a fiber for each thread of a block, one block at a time on an OS thread.
//
// Between two points where threads meet, a thread runs alone; which one goes next is the order. So a program that lacks a barrier gives
// other results in other orders. Modelled: barriers, warp collectives, asynchronous copies, shared memory that ends where it ends. Not
// modelled: caches, weak memory beyond the orders, clusters, proxy fences.
#pragma once

#include <cstdint>
#include <string>

namespace nacre::simt {

struct Dim {
  uint32_t x = 1, y = 1, z = 1;
  uint64_t count() const { return uint64_t(x) * y * z; }
};

/// A kernel as its code library describes it, under the symbol `kernelSymbol(name)`. The tool lays it out (KernelEntry.cpp).
struct KernelInfo {
  void (*run)(void *const *parameters); ///< one thread; takes parameters as cuLaunchKernel does
  const int64_t *parameterBytes;
  int64_t parameterCount;
  int64_t sharedBytes; ///< of its static shared arrays
  int64_t threadLimit; ///< of a block
};
inline std::string kernelSymbol(const std::string &kernel) { return kernel + "__simt"; }

struct Launch {
  const char *name; ///< for reports
  const KernelInfo *kernel;
  Dim grid, block;
  int64_t dynamicSharedBytes = 0;
  void *const *parameters; ///< borrowed until the launch has ended
};

/// Why a launch ended early. The memory that it worked on is then in an unknown state; the process is not harmed.
struct Failure {
  enum Kind { None, IllegalAddress, MisalignedAddress, IllegalUse, Deadlock };
  Kind kind = None;
  std::string message; ///< names kernel, block and thread
  explicit operator bool() const { return kind != None; }
};

/// Runs all blocks and returns when they have ended. Blocks share no OS thread at a time; `threads` of those are used.
/// order   0: threads and blocks ascending, asynchronous copies done as late as possible. 1: descending, copies done at once.
///         Above: a seed; shuffled anew in every round, copies early if odd.
Failure run(const Launch &launch, int order, unsigned threads);

/// ldmatrix reads eight rows of 16 bytes at a time; they cost one pass when they lie in different banks, else as many as collide.
struct BankCounts {
  uint64_t phases = 0, extraPasses = 0;
};
/// Since the last call, of all launches.
BankCounts takeBankCounts();

} // namespace nacre::simt

extern "C" {
/// The order of later launches through the stand-in driver. Starts as NACRE_SIMT_ORDER of the environment, or 0.
void nacre_simt_set_order(int order);
int nacre_simt_order(void);
}
