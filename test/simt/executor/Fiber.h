// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Stacks of a block's threads and the switch between them. x86-64 with the System V convention alone.
#pragma once

#include <cstddef>
#include <cstdint>

/// Saves the caller's registers and stack pointer in *save and goes on where `to` was saved. Returns when somebody switches back.
extern "C" void simt_switch(void **save, void *to);

namespace nacre::simt {

class Stacks {
public:
  Stacks() = default;
  Stacks(const Stacks &) = delete;
  Stacks &operator=(const Stacks &) = delete;
  ~Stacks();

  /// Room for `count` stacks; those had before are lost.
  void resize(size_t count);
  size_t count() const { return number; }
  /// A stack pointer to switch to: `entry`, which must not return, then starts on an empty stack.
  void *prepare(size_t index, void (*entry)());
  /// Has the thread stayed on its stack?
  bool isIntact(size_t index) const;

private:
  char *top(size_t index) const;
  uint64_t *bottom(size_t index) const;

  char *base = nullptr;
  size_t number = 0;
};

} // namespace nacre::simt
