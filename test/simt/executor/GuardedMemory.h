// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory that ends where unreadable memory begins, so that a kernel that runs over stops at once.
#pragma once

#include <cstddef>
#include <utility>

namespace nacre::simt {

class GuardedMemory {
public:
  GuardedMemory() = default;
  GuardedMemory(const GuardedMemory &) = delete;
  GuardedMemory &operator=(const GuardedMemory &) = delete;
  GuardedMemory(GuardedMemory &&other) noexcept { swap(other); }
  GuardedMemory &operator=(GuardedMemory &&other) noexcept {
    swap(other);
    return *this;
  }
  ~GuardedMemory();

  /// Zeroed pages, touched when used. `alignment`: a power of two up to 4096; bytes between the end and the next multiple of it are
  /// not guarded but watched (isIntact). Empty when the system refuses.
  static GuardedMemory allocate(size_t bytes, size_t alignment);

  char *data() const { return start; }
  size_t size() const { return bytes; }
  explicit operator bool() const { return start; }
  /// Is everything behind the end up to the guard untouched?
  bool isIntact() const;

private:
  void swap(GuardedMemory &other) {
    std::swap(mapping, other.mapping);
    std::swap(mapped, other.mapped);
    std::swap(start, other.start);
    std::swap(bytes, other.bytes);
  }
  char *guard() const;

  void *mapping = nullptr;
  size_t mapped = 0;
  char *start = nullptr;
  size_t bytes = 0;
};

} // namespace nacre::simt
