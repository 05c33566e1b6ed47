// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The block that runs on this OS thread: its threads, which of them goes next, its shared memory, and how it fails.
#pragma once

#include "test/simt/executor/AsyncCopy.h"
#include "test/simt/executor/Barrier.h"
#include "test/simt/executor/Executor.h"
#include "test/simt/executor/Fiber.h"
#include "test/simt/executor/GuardedMemory.h"
#include "test/simt/executor/Warp.h"

namespace nacre::simt {

/// A static shared array of the module; its address is its identity. Laid out by the tool (SharedArrays.cpp).
struct SharedArray {
  int64_t bytes; ///< 0: the dynamic shared memory of the launch
  int64_t alignment;
};

struct Thread {
  void *stackPointer = nullptr;
  uint32_t index = 0, lane = 0;
  Dim id;
  Warp *warp = nullptr;
  CopyQueue copies;
};

class Block {
public:
  static constexpr int kBarriers = 16;

  /// Runs block `place` of the launch to its end or its failure.
  Failure run(const Launch &launch, Dim place, int order);

  const Launch &launch() const { return *launched; }
  Dim place() const { return where; }
  Thread &current() { return *now; }
  uint32_t liveCount() const { return live; }
  bool copiesAtOnce() const { return order & 1; }
  /// Shared memory of this block for an array; undefined values at first (all bits set).
  char *shared(const SharedArray &array);

  /// The running thread stops until `wake`; another one runs. Fails the launch when there is none.
  void wait();
  void wake(uint32_t thread) { ready[thread] = 1; }
  /// Ends the launch. What the stacks of the threads hold is given up.
  [[noreturn]] void fail(Failure::Kind kind, const std::string &what);
  /// The kernel returned in the running thread.
  [[noreturn]] void finishThread();

  Barrier barriers[kBarriers];

private:
  void prepare();
  void prepareThread(uint32_t index);
  Thread *next();
  void startRound();
  std::string describeDeadlock() const;
  void checkShared();

  struct SharedMemory {
    const SharedArray *array;
    GuardedMemory memory;
    bool isInUse; ///< by this block
  };

  const Launch *launched = nullptr;
  Dim where;
  int order = 0;
  Failure failure;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::vector<uint8_t> ready; ///< by thread: may run
  std::vector<uint32_t> turns; ///< threads as this round visits them
  uint32_t turn = 0, live = 0;
  uint64_t random = 0;
  Thread *now = nullptr;
  void *hostStack = nullptr;
  Stacks stacks;
  std::vector<SharedMemory> sharedMemory;
};

/// Null where no kernel runs.
extern thread_local Block *running __attribute__((tls_model("initial-exec")));

template <typename Act>
void meet(uint32_t mask, const Site *site, void *frame, Act act) {
  Thread &thread = running->current();
  Warp &warp = *thread.warp;
  if (!warp.arrive(thread.lane, mask, *site, frame)) return;
  act(warp);
  warp.release(mask, thread.lane);
}

} // namespace nacre::simt
