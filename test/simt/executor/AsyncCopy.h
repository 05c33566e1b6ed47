// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cp.async: copies of one thread from global to shared memory that need not have happened before the thread waits for their group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nacre::simt {

struct AsyncCopy {
  char *to;
  const char *from;
  uint32_t bytes, read; ///< `read` bytes are copied, the rest of `bytes` becomes 0
  void perform() const;
};

/// Late: copies happen when waited for, never if not. At once: when issued. A program must bear both.
class CopyQueue {
public:
  void reset();
  void issue(const AsyncCopy &copy, bool atOnce);
  void commit();
  /// Until at most `left` of the committed groups are open.
  void wait(size_t left);
  void waitAll();

private:
  std::vector<AsyncCopy> copies;  ///< in the order of issue, from `next` on still open
  std::vector<size_t> groupEnds;  ///< of committed groups, as places in `copies`
  size_t next = 0, nextGroup = 0; ///< performed so far
};

} // namespace nacre::simt
