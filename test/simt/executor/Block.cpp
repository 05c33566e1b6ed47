// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/executor/Block.h"

#include <algorithm>
#include <cstring>
#include <numeric>

using namespace nacre::simt;

thread_local Block *nacre::simt::running = nullptr;

static constexpr uint32_t kWarpThreads = 32;

static std::string text(Dim dim) {
  return "(" + std::to_string(dim.x) + ", " + std::to_string(dim.y) + ", " + std::to_string(dim.z) + ")";
}

static Dim position(uint32_t index, Dim extent) { return {index % extent.x, index / extent.x % extent.y, index / extent.x / extent.y}; }

/// splitmix64 (Steele et al. 2014).
static uint64_t draw(uint64_t &state) {
  uint64_t z = state += 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

static void enterThread() {
  running->launch().kernel->run(running->launch().parameters);
  running->finishThread();
}

Failure Block::run(const Launch &launch, Dim place, int chosenOrder) {
  launched = &launch;
  where = place;
  order = chosenOrder;
  failure = {};
  prepare();
  running = this;
  now = next();
  simt_switch(&hostStack, now->stackPointer);
  running = nullptr;
  if (!failure) checkShared();
  return std::move(failure);
}

void Block::prepare() {
  uint32_t count = uint32_t(launched->block.count());
  if (threads.size() != count) {
    threads.resize(count);
    warps.resize((count + kWarpThreads - 1) / kWarpThreads);
    ready.resize(count);
    turns.resize(count);
    if (stacks.count() < count) stacks.resize(count);
  }
  live = count;
  for (uint32_t w = 0; w < warps.size(); ++w) {
    uint32_t lanes = std::min(kWarpThreads, count - w * kWarpThreads);
    warps[w].reset(*this, w * kWarpThreads, lanes == kWarpThreads ? Warp::kAll : (1u << lanes) - 1);
  }
  for (Barrier &barrier : barriers)
    barrier.reset();
  for (SharedMemory &held : sharedMemory)
    held.isInUse = false;
  for (uint32_t i = 0; i < count; ++i)
    prepareThread(i);
  // A block's orders are its own, whichever OS thread runs it.
  random = uint64_t(order) << 40 ^ (where.x + uint64_t(launched->grid.x) * (where.y + uint64_t(launched->grid.y) * where.z));
  std::iota(turns.begin(), turns.end(), 0);
  if (order == 1) std::reverse(turns.begin(), turns.end());
  startRound();
}

void Block::prepareThread(uint32_t index) {
  Thread &thread = threads[index];
  thread.stackPointer = stacks.prepare(index, enterThread);
  thread.index = index;
  thread.lane = index % kWarpThreads;
  thread.id = position(index, launched->block);
  thread.warp = &warps[index / kWarpThreads];
  thread.copies.reset();
  ready[index] = 1;
}

void Block::startRound() {
  turn = 0;
  if (order < 2) return;
  for (uint32_t i = uint32_t(turns.size()); i > 1; --i) // Fisher and Yates
    std::swap(turns[i - 1], turns[uint32_t((draw(random) >> 32) * i >> 32)]);
}

/// The next thread that may run, null when none may. Every ready thread runs once in a round.
Thread *Block::next() {
  for (int rounds = 0; rounds < 2; ++rounds) {
    while (turn < turns.size()) {
      uint32_t index = turns[turn++];
      if (ready[index]) return &threads[index];
    }
    startRound();
  }
  return nullptr;
}

void Block::wait() {
  Thread *self = now;
  ready[self->index] = 0;
  Thread *other = next();
  if (!other) fail(Failure::Deadlock, describeDeadlock());
  now = other;
  simt_switch(&self->stackPointer, other->stackPointer);
}

void Block::finishThread() {
  Thread *self = now;
  if (!stacks.isIntact(self->index)) fail(Failure::IllegalUse, "its local variables overran the executor's stack");
  ready[self->index] = 0;
  --live;
  self->warp->leave(self->lane);
  for (Barrier &barrier : barriers)
    barrier.recount(*this);
  Thread *other = live ? next() : nullptr;
  if (live && !other) fail(Failure::Deadlock, describeDeadlock());
  now = other;
  simt_switch(&self->stackPointer, other ? other->stackPointer : hostStack);
  __builtin_unreachable();
}

void Block::fail(Failure::Kind kind, const std::string &what) {
  failure.kind = kind;
  failure.message = std::string("kernel '") + launched->name + "', block " + text(where) + ", thread " + text(now->id) + ": " + what;
  void *abandoned;
  simt_switch(&abandoned, hostStack);
  __builtin_unreachable();
}

std::string Block::describeDeadlock() const {
  std::string result = "deadlock; of " + std::to_string(live) + " live threads";
  for (int i = 0; i < kBarriers; ++i)
    if (uint32_t count = barriers[i].waitingCount())
      result += ", " + std::to_string(count) + " wait at barrier " + std::to_string(i);
  for (uint32_t w = 0; w < warps.size(); ++w) {
    uint32_t missing;
    const Site *site;
    if (int lane = warps[w].firstWaiting(missing, site); lane >= 0) {
      char lanes[16];
      snprintf(lanes, sizeof lanes, "%#x", missing);
      return result + ", lane " + std::to_string(lane) + " of warp " + std::to_string(w) + " waits for lanes " + lanes + " at " +
             site->intrinsic;
    }
  }
  return result;
}

char *Block::shared(const SharedArray &array) {
  auto held = std::find_if(sharedMemory.begin(), sharedMemory.end(), [&](const SharedMemory &entry) { return entry.array == &array; });
  size_t bytes = array.bytes ? array.bytes : launched->dynamicSharedBytes;
  // 1024: what the dynamic memory of a block is given to, and more than any bank pattern or matrix descriptor asks for.
  size_t alignment = std::max<size_t>(array.alignment, 1024);
  if (held != sharedMemory.end() && held->isInUse) return held->memory.data();
  if (held == sharedMemory.end()) held = sharedMemory.insert(held, {&array, {}, false});
  if (!held->memory || held->memory.size() != bytes) held->memory = GuardedMemory::allocate(bytes, alignment);
  if (!held->memory) fail(Failure::IllegalUse, "the system refused shared memory");
  held->isInUse = true;
  std::memset(held->memory.data(), 0xff, bytes);
  return held->memory.data();
}

void Block::checkShared() {
  for (const SharedMemory &held : sharedMemory)
    if (held.isInUse && !held.memory.isIntact())
      failure = {Failure::IllegalAddress, std::string("kernel '") + launched->name + "', block " + text(where) +
                                              ": a thread wrote behind the end of a shared array"};
}

/// The address of a shared array, asked for by every function that uses one.
extern "C" void *simt_shared_array(const SharedArray *array) { return running->shared(*array); }
