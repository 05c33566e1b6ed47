// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// When copies happen, and what they leave.
#include "test/simt/Kernels.h"
#include "test/simt/executor/AsyncCopy.h"

#include <cstring>

using namespace nacre::simt;

namespace {
struct Memory {
  char from[3][4] = {{1, 1, 1, 1}, {2, 2, 2, 2}, {3, 3, 3, 3}};
  char to[3][4] = {};
  AsyncCopy copy(int i, uint32_t read = 4) { return {to[i], from[i], 4, read}; }
};
} // namespace

TEST(AsyncCopy, HappensWhenItsGroupIsWaitedFor) {
  Memory memory;
  CopyQueue queue;
  queue.issue(memory.copy(0), false);
  queue.commit();
  queue.issue(memory.copy(1), false);
  queue.commit();
  queue.issue(memory.copy(2), false);
  EXPECT_EQ(memory.to[0][0], 0);
  queue.wait(1);
  EXPECT_EQ(memory.to[0][0], 1);
  EXPECT_EQ(memory.to[1][0], 0);
  queue.wait(0);
  EXPECT_EQ(memory.to[1][0], 2);
  EXPECT_EQ(memory.to[2][0], 0); // not committed
  queue.waitAll();
  EXPECT_EQ(memory.to[2][0], 3);
}

TEST(AsyncCopy, HappensAtOnceWhenAsked) {
  Memory memory;
  CopyQueue queue;
  queue.issue(memory.copy(0), true);
  EXPECT_EQ(memory.to[0][3], 1);
}

TEST(AsyncCopy, FillsTheRestWithZeros) {
  Memory memory;
  std::memset(memory.to, 9, sizeof memory.to);
  CopyQueue queue;
  queue.issue(memory.copy(0, 1), true);
  queue.issue(memory.copy(1, 0), true);
  EXPECT_EQ(memory.to[0][0], 1);
  EXPECT_EQ(memory.to[0][1], 0);
  EXPECT_EQ(memory.to[1][0], 0);
  EXPECT_EQ(memory.to[2][0], 9);
}

static const char kMisaligned[] = R"(
target triple = "nvptx64-nvidia-cuda"
@tile = internal addrspace(3) global [64 x i8] undef, align 16
define ptx_kernel void @run(ptr %x) {
  %from = addrspacecast ptr %x to ptr addrspace(1)
  call void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3) getelementptr (i8, ptr addrspace(3) @tile, i32 8), ptr addrspace(1) %from)
  ret void
}
declare void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3), ptr addrspace(1))
)";

TEST(AsyncCopy, NeedsAlignedAddresses) {
  auto module = buildOrFail(kMisaligned);
  ASSERT_NE(module, nullptr);
  alignas(16) char memory[16] = {};
  const char *x = memory;
  for (int order : kOrders)
    EXPECT_EQ(module->launch("run", {1}, {32}, {&x}, order).kind, Failure::MisalignedAddress) << "order " << order;
}
