// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An array of floats or integers that ends where readable memory ends, so that a kernel that runs over stops the test.
#ifndef NACRE_TEST_COMPILER_CPU_KERNELS_GUARDEDARRAY_H
#define NACRE_TEST_COMPILER_CPU_KERNELS_GUARDEDARRAY_H

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace nacre::cpu {

template <typename T>
class GuardedArray {
public:
  explicit GuardedArray(size_t size, T value = T()) : count(size) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    mapped = (size * sizeof(T) + page - 1) / page * page + page;
    base = static_cast<char *>(mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base == MAP_FAILED || mprotect(base + mapped - page, page, PROT_NONE) != 0)
      abort();
    start = reinterpret_cast<T *>(base + mapped - page) - size;
    for (size_t i = 0; i < size; ++i)
      start[i] = value;
  }
  GuardedArray(const GuardedArray &) = delete;
  GuardedArray &operator=(const GuardedArray &) = delete;
  ~GuardedArray() { munmap(base, mapped); }

  T *data() { return start; }
  T &operator[](size_t i) { return start[i]; }
  const T &operator[](size_t i) const { return start[i]; }
  size_t size() const { return count; }

private:
  char *base;
  T *start;
  size_t count, mapped;
};

/// Integers in [-range, range]: sums of their products are exact in f32, so results can be compared for equality.
inline void fillIntegers(GuardedArray<float> &array, uint32_t seed, int range = 3) {
  uint64_t state = seed * 2654435761u + 1;
  for (size_t i = 0; i < array.size(); ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    array[i] = static_cast<float>(static_cast<int>((state >> 33) % static_cast<uint64_t>(2 * range + 1)) - range);
  }
}

/// Roughly normal values of variance 1.
inline void fillReals(GuardedArray<float> &array, uint32_t seed) {
  uint64_t state = seed * 2654435761u + 1;
  for (size_t i = 0; i < array.size(); ++i) {
    double sum = 0;
    for (int j = 0; j < 4; ++j) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      sum += static_cast<double>(state >> 40) / (1 << 24) - 0.5;
    }
    array[i] = static_cast<float>(sum * 1.7320508);
  }
}

} // namespace nacre::cpu

#endif
