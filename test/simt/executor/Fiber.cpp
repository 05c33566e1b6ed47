// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/executor/Fiber.h"

#include <cstdlib>
#include <sys/mman.h>

using namespace nacre::simt;

// Only what a called function must keep: the switch is a call.
asm(R"(
.text
.globl simt_switch
.type simt_switch, @function
simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size simt_switch, .-simt_switch
)");

// 64 KiB: kernels keep little on the stack. The odd lines apart: were the tops a power of two apart, all would share one set of the cache.
static constexpr size_t kStackBytes = 64 << 10, kStride = kStackBytes + 9 * 64;
static constexpr uint64_t kCanary = 0x6e61637265a5a5a5;

Stacks::~Stacks() {
  if (base) munmap(base, number * kStride);
}

void Stacks::resize(size_t count) {
  if (base) munmap(base, number * kStride);
  number = count;
  void *memory = mmap(nullptr, count * kStride, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) abort(); // a test on a machine without memory
  base = static_cast<char *>(memory);
}

char *Stacks::top(size_t index) const { return base + (index + 1) * kStride; }
uint64_t *Stacks::bottom(size_t index) const { return reinterpret_cast<uint64_t *>(base + index * kStride); }

void *Stacks::prepare(size_t index, void (*entry)()) {
  *bottom(index) = kCanary;
  void **stack = reinterpret_cast<void **>(top(index));
  *--stack = nullptr; // where a return address would lie: entry finds the alignment that the convention promises
  *--stack = reinterpret_cast<void *>(entry);
  for (int i = 0; i < 6; ++i)
    *--stack = nullptr; // the registers that the switch takes off
  return stack;
}

bool Stacks::isIntact(size_t index) const { return *bottom(index) == kCanary; }
