// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Single intrinsics against their definition in the PTX ISA: one warp, a value of each lane in and out.
#include "test/simt/Kernels.h"
#include "test/simt/executor/Narrow.h"

#include <cmath>
#include <cstring>

using namespace nacre::simt;

/// out[lane] = `expression` of i32 %x, i32 %lane; the value is %r.
static std::string kernelOf(const std::string &expression, const std::string &declarations) {
  return "target triple = \"nvptx64-nvidia-cuda\"\n"
         "define ptx_kernel void @run(ptr %from, ptr %to) {\n"
         "  %lane = call i32 @llvm.nvvm.read.ptx.sreg.laneid()\n"
         "  %at = getelementptr i32, ptr %from, i32 %lane\n  %x = load i32, ptr %at\n" +
         expression +
         "  %out = getelementptr i32, ptr %to, i32 %lane\n  store i32 %r, ptr %out\n  ret void\n}\n"
         "declare i32 @llvm.nvvm.read.ptx.sreg.laneid()\n" +
         declarations;
}

using Lanes = std::vector<uint32_t>;

static Lanes apply(const std::string &expression, const std::string &declarations, const Lanes &x) {
  auto module = buildOrFail(kernelOf(expression, declarations));
  if (!module) return {};
  Lanes first;
  for (int order : kOrders) {
    Lanes out(32, 0xdeadbeef);
    const uint32_t *from = x.data();
    uint32_t *to = out.data();
    Failure failure = module->launch("run", {1}, {32}, {&from, &to}, order);
    EXPECT_FALSE(failure) << failure.message;
    if (order == 0) first = out;
    EXPECT_EQ(out, first) << "order " << order;
  }
  return first;
}

static Lanes lanes(uint32_t (*value)(uint32_t lane)) {
  Lanes result;
  for (uint32_t lane = 0; lane < 32; ++lane)
    result.push_back(value(lane));
  return result;
}
static uint32_t tenfold(uint32_t lane) { return lane * 10; }

static Lanes shuffle(const std::string &mode, const std::string &b, const std::string &c) {
  return apply("  %r = call i32 @llvm.nvvm.shfl.sync." + mode + ".i32(i32 -1, i32 %x, i32 " + b + ", i32 " + c + ")\n",
               "declare i32 @llvm.nvvm.shfl.sync." + mode + ".i32(i32, i32, i32, i32)\n", lanes(tenfold));
}

TEST(Intrinsic, ShufflesTakeTheLaneThatTheyName) {
  EXPECT_EQ(shuffle("bfly", "4", "31"), lanes([](uint32_t lane) { return (lane ^ 4) * 10; }));
  EXPECT_EQ(shuffle("idx", "7", "31"), lanes([](uint32_t) { return 70u; }));
  EXPECT_EQ(shuffle("down", "3", "31"), lanes([](uint32_t lane) { return lane + 3 < 32 ? (lane + 3) * 10 : lane * 10; }));
  EXPECT_EQ(shuffle("up", "3", "0"), lanes([](uint32_t lane) { return lane >= 3 ? (lane - 3) * 10 : lane * 10; }));
}

// Bits 8 to 12 of c cut the warp into segments: 0x1800 gives four of eight lanes.
TEST(Intrinsic, ShufflesStayInTheirSegment) {
  EXPECT_EQ(shuffle("idx", "2", "6175"), lanes([](uint32_t lane) { return (lane / 8 * 8 + 2) * 10; }));
  EXPECT_EQ(shuffle("down", "5", "6175"), lanes([](uint32_t lane) { return (lane % 8 + 5 < 8 ? lane + 5 : lane) * 10; }));
}

TEST(Intrinsic, AShuffleTellsWhetherItsLaneWasThere) {
  Lanes got = apply("  %p = call { i32, i1 } @llvm.nvvm.shfl.sync.down.i32p(i32 -1, i32 %x, i32 30, i32 31)\n"
                    "  %b = extractvalue { i32, i1 } %p, 1\n  %r = zext i1 %b to i32\n",
                    "declare { i32, i1 } @llvm.nvvm.shfl.sync.down.i32p(i32, i32, i32, i32)\n", lanes(tenfold));
  EXPECT_EQ(got, lanes([](uint32_t lane) { return uint32_t(lane < 2); }));
}

TEST(Intrinsic, VotesCountTheLanesOfTheMask) {
  auto isBig = [](const char *kind, const char *type) {
    std::string name = std::string("@llvm.nvvm.vote.") + kind + ".sync(i32";
    return std::make_pair("  %big = icmp ugt i32 %x, 200\n  %v = call " + std::string(type) + " " + name + " -1, i1 %big)\n",
                          "declare " + std::string(type) + " " + name + ", i1)\n");
  };
  auto ballot = isBig("ballot", "i32"), any = isBig("any", "i1"), all = isBig("all", "i1");
  EXPECT_EQ(apply(ballot.first + "  %r = add i32 %v, 0\n", ballot.second, lanes(tenfold)), Lanes(32, 0xffe00000));
  EXPECT_EQ(apply(any.first + "  %r = zext i1 %v to i32\n", any.second, lanes(tenfold)), Lanes(32, 1));
  EXPECT_EQ(apply(all.first + "  %r = zext i1 %v to i32\n", all.second, lanes(tenfold)), Lanes(32, 0));
}

TEST(Intrinsic, MatchesNameTheLanesOfTheSameValue) {
  Lanes got = apply("  %y = and i32 %lane, 3\n  %r = call i32 @llvm.nvvm.match.any.sync.i32(i32 -1, i32 %y)\n",
                    "declare i32 @llvm.nvvm.match.any.sync.i32(i32, i32)\n", lanes(tenfold));
  EXPECT_EQ(got, lanes([](uint32_t lane) { return 0x11111111u << lane % 4; }));
}

TEST(Intrinsic, ReductionsOfAWarp) {
  auto reduce = [](const std::string &kind) {
    return apply("  %r = call i32 @llvm.nvvm.redux.sync." + kind + "(i32 %x, i32 -1)\n",
                 "declare i32 @llvm.nvvm.redux.sync." + kind + "(i32, i32)\n", lanes([](uint32_t lane) { return lane - 3; }));
  };
  EXPECT_EQ(reduce("add"), Lanes(32, 400));
  EXPECT_EQ(reduce("min"), Lanes(32, uint32_t(-3)));
  EXPECT_EQ(reduce("umin"), Lanes(32, 0));
  EXPECT_EQ(reduce("max"), Lanes(32, 28));
  EXPECT_EQ(reduce("umax"), Lanes(32, uint32_t(-1)));
}

TEST(Intrinsic, RoundsTiesOfTf32AwayFromZero) {
  Lanes x(32, bitsOf(1.0f) | 0x1000);
  x[1] = bitsOf(-1.0f) | 0x1000;
  x[2] = bitsOf(1.0f) | 0x0fff;
  x[3] = bitsOf(INFINITY);
  Lanes got = apply("  %f = bitcast i32 %x to float\n  %r = call i32 @llvm.nvvm.f2tf32.rna(float %f)\n",
                    "declare i32 @llvm.nvvm.f2tf32.rna(float)\n", x);
  EXPECT_EQ(got[0], bitsOf(1.0f) + 0x2000);
  EXPECT_EQ(got[1], bitsOf(-1.0f) + 0x2000);
  EXPECT_EQ(got[2], bitsOf(1.0f));
  EXPECT_EQ(got[3], bitsOf(INFINITY));
}

TEST(Intrinsic, PacksTwoNumbersTheFirstOneHigh) {
  Lanes got = apply("  %f = bitcast i32 %x to float\n  %p = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %f, float 1.0)\n"
                    "  %r = bitcast <2 x bfloat> %p to i32\n",
                    "declare <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float, float)\n", Lanes(32, bitsOf(2.0f)));
  EXPECT_EQ(got, Lanes(32, 0x40003f80));
}

// Plain LLVM arithmetic on narrow numbers goes through the host's conversions.
TEST(Intrinsic, RoundsToBf16AndBack) {
  Lanes x = {bitsOf(1.00390625f), bitsOf(1.01171875f), bitsOf(1e-40f), bitsOf(-3.5f)}; // ties to even: down, up; a denormal number
  x.resize(32);
  Lanes got = apply("  %f = bitcast i32 %x to float\n  %b = fptrunc float %f to bfloat\n  %g = fpext bfloat %b to float\n"
                    "  %r = bitcast float %g to i32\n",
                    "", x);
  EXPECT_EQ(floatOf(got[0]), 1.0f);
  EXPECT_EQ(floatOf(got[1]), 1.015625f);
  EXPECT_EQ(got[2], uint32_t(toBf16(1e-40f)) << 16);
  EXPECT_NE(got[2], 0u);
  EXPECT_EQ(floatOf(got[3]), -3.5f);
}
