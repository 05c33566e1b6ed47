// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/executor/Block.h"
#include "test/simt/executor/Faults.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <random>
#include <thread>

using namespace nacre::simt;

/// Blocks in the order in which they start.
static std::vector<uint32_t> visits(uint64_t count, int order) {
  std::vector<uint32_t> blocks(count);
  std::iota(blocks.begin(), blocks.end(), 0);
  if (order == 1) std::reverse(blocks.begin(), blocks.end());
  if (order > 1) std::shuffle(blocks.begin(), blocks.end(), std::mt19937(order));
  return blocks;
}

static Dim position(uint32_t index, Dim extent) { return {index % extent.x, index / extent.x % extent.y, index / extent.x / extent.y}; }

/// Stacks and shared memory are kept from launch to launch: programs launch hundreds of small kernels.
static Block &blockOfThisThread() {
  static thread_local Block block;
  return block;
}

Failure nacre::simt::run(const Launch &launch, int order, unsigned threadCount) {
  std::vector<uint32_t> blocks = visits(launch.grid.count(), order);
  std::atomic<size_t> next{0};
  std::mutex mutex;
  Failure first;
  auto work = [&] {
    FaultGuard guard;
    for (size_t i; (i = next++) < blocks.size();) {
      Failure failure = blockOfThisThread().run(launch, position(blocks[i], launch.grid), order);
      if (!failure) continue;
      next = blocks.size();
      std::lock_guard<std::mutex> lock(mutex);
      if (!first) first = std::move(failure);
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min<size_t>(threadCount, blocks.size()); ++i)
    others.emplace_back(work);
  work();
  for (std::thread &other : others)
    other.join();
  return first;
}

static std::atomic<int> &chosenOrder() {
  static std::atomic<int> order{std::getenv("NACRE_SIMT_ORDER") ? std::atoi(std::getenv("NACRE_SIMT_ORDER")) : 0};
  return order;
}

extern "C" void nacre_simt_set_order(int order) { chosenOrder() = order; }
extern "C" int nacre_simt_order(void) { return chosenOrder(); }
