// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Device memory: each allocation ends where unreadable memory begins. Copies and fills.
#include "test/simt/driver/Driver.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace nacre::simt;

static constexpr size_t kAlignment = 256; // the driver's promise
// Fresh memory holds NaN, so that reading before writing shows. Larger blocks are address space that is mostly never touched.
static constexpr size_t kPoisoned = 64 << 20;

bool Driver::holds(DevicePointer pointer, size_t bytes) const {
  auto next = memory.upper_bound(pointer);
  if (next == memory.begin()) return false;
  auto &[start, block] = *std::prev(next);
  return pointer - start <= block.size() && bytes <= block.size() - (pointer - start);
}

static Result allocate(Driver &driver, DevicePointer *pointer, size_t bytes) {
  if (!pointer || !bytes) return InvalidValue;
  if (bytes > totalMemory() - std::min(totalMemory(), driver.memoryBytes)) return OutOfMemory;
  GuardedMemory block = GuardedMemory::allocate(bytes, kAlignment);
  if (!block) return OutOfMemory;
  std::memset(block.data(), 0xff, std::min(bytes, kPoisoned));
  *pointer = reinterpret_cast<DevicePointer>(block.data());
  driver.memoryBytes += bytes;
  driver.memory.emplace(*pointer, std::move(block));
  return Success;
}

static Result release(Driver &driver, DevicePointer pointer) {
  if (!pointer) return Success;
  auto found = driver.memory.find(pointer);
  if (found == driver.memory.end()) return InvalidValue;
  bool isIntact = found->second.isIntact();
  driver.memoryBytes -= found->second.size();
  driver.memory.erase(found);
  if (isIntact) return Success;
  std::fprintf(stderr, "nacre-simt: a kernel wrote behind the end of an allocation\n");
  return driver.sticky = IllegalAddress;
}

NACRE_DRIVER cuMemAlloc_v2(DevicePointer *pointer, size_t bytes) {
  return enter([&](Driver &driver) { return allocate(driver, pointer, bytes); });
}
NACRE_DRIVER cuMemFree_v2(DevicePointer pointer) {
  return enter([&](Driver &driver) { return release(driver, pointer); });
}
NACRE_DRIVER cuMemAllocAsync(DevicePointer *pointer, size_t bytes, void *) { return cuMemAlloc_v2(pointer, bytes); }
NACRE_DRIVER cuMemFreeAsync(DevicePointer pointer, void *) { return cuMemFree_v2(pointer); }

NACRE_DRIVER cuMemHostAlloc(void **pointer, size_t bytes, unsigned) {
  return enter([&](Driver &) {
    if (!pointer || !bytes) return InvalidValue;
    return posix_memalign(pointer, 4096, bytes) ? OutOfMemory : Success;
  });
}
NACRE_DRIVER cuMemAllocHost_v2(void **pointer, size_t bytes) { return cuMemHostAlloc(pointer, bytes, 0); }
NACRE_DRIVER cuMemFreeHost(void *pointer) {
  std::free(pointer);
  return Success;
}

/// A copy within host memory, with the ranges of both sides that are said to be the device's checked now.
static int copy(DevicePointer to, DevicePointer from, size_t bytes, bool isToDevice, bool isFromDevice, void *stream) {
  return enter([&](Driver &driver) -> Result {
    if (bytes == 0) return Success;
    if ((isToDevice && !driver.holds(to, bytes)) || (isFromDevice && !driver.holds(from, bytes))) return InvalidValue;
    return driver.enqueue(stream, {"copy", [=] {
                                     std::memmove(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes);
                                     return Success;
                                   }});
  });
}
static DevicePointer address(const void *pointer) { return reinterpret_cast<DevicePointer>(pointer); }

NACRE_DRIVER cuMemcpyHtoDAsync_v2(DevicePointer to, const void *from, size_t bytes, void *stream) {
  return copy(to, address(from), bytes, true, false, stream);
}
NACRE_DRIVER cuMemcpyDtoHAsync_v2(void *to, DevicePointer from, size_t bytes, void *stream) {
  return copy(address(to), from, bytes, false, true, stream);
}
NACRE_DRIVER cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, size_t bytes, void *stream) {
  return copy(to, from, bytes, true, true, stream);
}
NACRE_DRIVER cuMemcpyHtoD_v2(DevicePointer to, const void *from, size_t bytes) { return copy(to, address(from), bytes, true, false, nullptr); }
NACRE_DRIVER cuMemcpyDtoH_v2(void *to, DevicePointer from, size_t bytes) { return copy(address(to), from, bytes, false, true, nullptr); }
NACRE_DRIVER cuMemcpyDtoD_v2(DevicePointer to, DevicePointer from, size_t bytes) { return copy(to, from, bytes, true, true, nullptr); }

template <typename Value>
static int fill(DevicePointer to, Value value, size_t count, void *stream) {
  return enter([&](Driver &driver) -> Result {
    if (count == 0) return Success;
    if (to % sizeof(Value) || !driver.holds(to, count * sizeof(Value))) return InvalidValue;
    return driver.enqueue(stream, {"fill", [=] {
                                     std::fill_n(reinterpret_cast<Value *>(to), count, value);
                                     return Success;
                                   }});
  });
}
NACRE_DRIVER cuMemsetD8Async(DevicePointer to, unsigned char value, size_t count, void *stream) { return fill(to, value, count, stream); }
NACRE_DRIVER cuMemsetD32Async(DevicePointer to, unsigned value, size_t count, void *stream) { return fill(to, value, count, stream); }
NACRE_DRIVER cuMemsetD8_v2(DevicePointer to, unsigned char value, size_t count) { return fill(to, value, count, nullptr); }
NACRE_DRIVER cuMemsetD32_v2(DevicePointer to, unsigned value, size_t count) { return fill(to, value, count, nullptr); }
