// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a kernel may not do ends its launch with a sentence that names kernel, block and thread; the process goes on.
#include "test/simt/Kernels.h"

#include "llvm/ADT/Twine.h"

using namespace nacre::simt;

/// @run(ptr memory) with this body; %tid is the thread.
static std::string kernelOf(const std::string &body, const std::string &declarations = "") {
  return "target triple = \"nvptx64-nvidia-cuda\"\n"
         "@array = internal addrspace(3) global [8 x i32] undef, align 4\n"
         "define ptx_kernel void @run(ptr %memory) {\n"
         "entry:\n  %tid = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n" +
         body +
         "}\n"
         "declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n"
         "declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)\n"
         "declare void @llvm.nvvm.bar.warp.sync(i32)\n" +
         declarations;
}

static Failure launch(const std::string &text, int order = 0) {
  auto module = buildOrFail(text);
  if (!module) return {};
  void *memory = nullptr;
  return module->launch("run", {2, 1, 1}, {64, 1, 1}, {&memory}, order);
}

TEST(Failure, AnAddressThatIsNotThereIsNamed) {
  std::string body = "  %isIt = icmp eq i32 %tid, 37\n  br i1 %isIt, label %bad, label %exit\n"
                     "bad:\n  store i32 1, ptr inttoptr (i64 4096 to ptr)\n  br label %exit\nexit:\n  ret void\n";
  for (int round = 0; round < 2; ++round) { // the process has survived the first
    Failure failure = launch(kernelOf(body));
    EXPECT_EQ(failure.kind, Failure::IllegalAddress);
    EXPECT_EQ(failure.message, "kernel 'run', block (0, 0, 0), thread (37, 0, 0): it touches memory that is not there, at 0x1000");
  }
}

TEST(Failure, ASharedArrayEndsWhereItEnds) {
  std::string store = "  %at = getelementptr i32, ptr addrspace(3) @array, i32 %tid\n  store i32 1, ptr addrspace(3) %at\n  ret void\n";
  Failure failure = launch(kernelOf(store));
  EXPECT_EQ(failure.kind, Failure::IllegalAddress);
  EXPECT_EQ(failure.message, "kernel 'run', block (0, 0, 0): a thread wrote behind the end of a shared array");
}

TEST(Failure, LanesThatWaitForEachOtherAtDifferentCalls) {
  std::string body = "  %half = icmp ult i32 %tid, 16\n  br i1 %half, label %one, label %other\n"
                     "one:\n  call void @llvm.nvvm.bar.warp.sync(i32 -1)\n  br label %exit\n"
                     "other:\n  call void @llvm.nvvm.bar.warp.sync(i32 -1)\n  br label %exit\nexit:\n  ret void\n";
  Failure failure = launch(kernelOf(body));
  EXPECT_EQ(failure.kind, Failure::IllegalUse);
  EXPECT_EQ(failure.message, "kernel 'run', block (0, 0, 0), thread (16, 0, 0): divergence: it is at bar_warp_sync (call 2 of the module, "
                             "in 'run'), but lane 0 of its warp waits for it at bar_warp_sync (call 1 of the module, in 'run')");
}

// Lanes may meet in parts first and all together later.
TEST(Failure, PartsOfAWarpMayMeetAlone) {
  std::string body = "  %half = icmp ult i32 %tid, 16\n  br i1 %half, label %one, label %all\n"
                     "one:\n  call void @llvm.nvvm.bar.warp.sync(i32 65535)\n  br label %all\n"
                     "all:\n  %first = icmp ult i32 %tid, 32\n  br i1 %first, label %meet, label %exit\n"
                     "meet:\n  call void @llvm.nvvm.bar.warp.sync(i32 -1)\n  br label %exit\nexit:\n  ret void\n";
  for (int order : kOrders)
    EXPECT_FALSE(launch(kernelOf(body), order)) << "order " << order;
}

TEST(Failure, ALaneThatEndsIsMissed) {
  std::string body = "  %half = icmp ult i32 %tid, 16\n  br i1 %half, label %one, label %exit\n"
                     "one:\n  call void @llvm.nvvm.bar.warp.sync(i32 -1)\n  br label %exit\nexit:\n  ret void\n";
  for (int order : kOrders)
    EXPECT_EQ(launch(kernelOf(body), order).kind, Failure::IllegalUse) << "order " << order;
}

TEST(Failure, ABarrierThatAWarpReachesInTwoPlaces) {
  std::string body = "  %half = icmp ult i32 %tid, 16\n  br i1 %half, label %one, label %other\n"
                     "one:\n  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)\n  br label %exit\n"
                     "other:\n  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)\n  br label %exit\nexit:\n  ret void\n";
  for (int order : kOrders) {
    Failure failure = launch(kernelOf(body), order);
    EXPECT_EQ(failure.kind, Failure::IllegalUse) << "order " << order;
    EXPECT_NE(failure.message.find("divergence"), std::string::npos);
  }
}

TEST(Failure, ADeadlockSaysWhoWaits) {
  std::string body = "  %part = icmp ult i32 %tid, 32\n  br i1 %part, label %one, label %other\n"
                     "one:\n  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)\n  br label %exit\n"
                     "other:\n  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 1)\n  br label %exit\nexit:\n  ret void\n";
  Failure failure = launch(kernelOf(body));
  EXPECT_EQ(failure.kind, Failure::Deadlock);
  EXPECT_NE(failure.message.find("of 64 live threads, 32 wait at barrier 0, 32 wait at barrier 1"), std::string::npos) << failure.message;
}

TEST(Failure, UnknownIntrinsicsAreNamed) {
  std::string messages;
  auto module = DeviceModule::build(kernelOf("  %r = call i32 @llvm.nvvm.read.ptx.sreg.clock()\n"
                                             "  call void asm sideeffect \"trap;\", \"\"()\n  ret void\n",
                                             "declare i32 @llvm.nvvm.read.ptx.sreg.clock()\n"),
                                    messages);
  EXPECT_EQ(module, nullptr);
  EXPECT_EQ(messages, "the executor does not know asm \"trap;\" (it would be simt_asm_trap), llvm.nvvm.read.ptx.sreg.clock (it would be "
                      "simt_read_ptx_sreg_clock)");
}

TEST(Failure, TextThatIsNoModule) {
  std::string messages;
  EXPECT_EQ(DeviceModule::build("define ptx_kernel", messages), nullptr);
  EXPECT_EQ(messages.find("device IR, line 1: "), 0u) << messages;
}
