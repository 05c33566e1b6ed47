// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/executor/GuardedMemory.h"

#include <algorithm>
#include <cstring>
#include <sys/mman.h>

using namespace nacre::simt;

static constexpr size_t kPage = 4096;
static constexpr char kWatched = 0x5a;

static size_t roundUp(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

GuardedMemory::~GuardedMemory() {
  if (mapping) munmap(mapping, mapped);
}

GuardedMemory GuardedMemory::allocate(size_t bytes, size_t alignment) {
  GuardedMemory memory;
  size_t held = roundUp(std::max<size_t>(bytes, 1), alignment), pages = roundUp(held, kPage);
  size_t mapped = pages + 2 * kPage; // a guard on either side
  void *mapping = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return memory;
  memory.mapping = mapping;
  memory.mapped = mapped;
  if (mprotect(static_cast<char *>(mapping) + kPage, pages, PROT_READ | PROT_WRITE)) return GuardedMemory();
  memory.start = memory.guard() - held;
  memory.bytes = bytes;
  std::memset(memory.start + bytes, kWatched, held - bytes);
  return memory;
}

char *GuardedMemory::guard() const { return static_cast<char *>(mapping) + mapped - kPage; }

bool GuardedMemory::isIntact() const {
  return !start || std::all_of(start + bytes, guard(), [](char byte) { return byte == kWatched; });
}
