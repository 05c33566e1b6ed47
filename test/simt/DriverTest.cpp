// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The stand-in driver: memory, modules, launches, graphs, and the errors that a driver gives.
#include "test/simt/Kernels.h"
#include "test/simt/driver/Control.h"
#include "test/simt/driver/Driver.h"

#include <cstdlib>
#include <cstring>
#include <numeric>

using namespace nacre::simt;

extern "C" {
int cuInit(unsigned);
int cuDeviceGet(int *, int);
int cuDeviceGetAttribute(int *, int, int);
int cuModuleLoadDataEx(void **, const void *, unsigned, int *, void **);
int cuModuleGetFunction(void **, void *, const char *);
int cuModuleUnload(void *);
int cuFuncSetAttribute(void *, int, int);
int cuLaunchKernel(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **);
int cuMemAlloc_v2(DevicePointer *, size_t);
int cuMemFree_v2(DevicePointer);
int cuMemcpyHtoDAsync_v2(DevicePointer, const void *, size_t, void *);
int cuMemcpyDtoHAsync_v2(void *, DevicePointer, size_t, void *);
int cuStreamCreate(void **, unsigned);
int cuStreamDestroy_v2(void *);
int cuStreamSynchronize(void *);
int cuStreamBeginCapture_v2(void *, int);
int cuStreamEndCapture(void *, void **);
int cuGraphInstantiateWithFlags(void **, void *, unsigned long long);
int cuGraphExecUpdate_v2(void *, void *, void *);
int cuGraphLaunch(void *, void *);
int cuGraphDestroy(void *);
int cuGraphExecDestroy(void *);
int cuGetErrorString(int, const char **);
}

static const char kPtx[] = ".version 8.0\n.target sm_80\n.address_size 64\n";

namespace {
/// The reduction of Inputs/reduce.ll on three blocks, in device memory.
class DriverTest : public testing::Test {
protected:
  void SetUp() override {
    code = buildOrFail(kernelText("reduce"));
    ASSERT_NE(code, nullptr);
    setenv("NACRE_SIMT_CODE", code->path().c_str(), 1);
    ASSERT_EQ(cuInit(0), Success);
    ASSERT_EQ(cuModuleLoadDataEx(&module, kPtx, 0, nullptr, nullptr), Success);
    ASSERT_EQ(cuModuleGetFunction(&kernel, module, "reduce"), Success);
    ASSERT_EQ(cuStreamCreate(&stream, 0), Success);
    ASSERT_EQ(cuMemAlloc_v2(&x, sizeof values), Success);
    ASSERT_EQ(cuMemAlloc_v2(&out, sizeof sums), Success);
    std::iota(std::begin(values), std::end(values), 0.0f);
  }
  void TearDown() override {
    nacre_simt_forget_faults();
    cuMemFree_v2(x);
    cuMemFree_v2(out);
    cuStreamDestroy_v2(stream);
    cuModuleUnload(module);
  }
  int launch(unsigned grid = 3, unsigned threads = 128, unsigned shared = 0) {
    void *parameters[] = {&x, &out};
    return cuLaunchKernel(kernel, grid, 1, 1, threads, 1, 1, shared, stream, parameters, nullptr);
  }
  int step() {
    if (int result = cuMemcpyHtoDAsync_v2(x, values, sizeof values, stream)) return result;
    if (int result = launch()) return result;
    return cuMemcpyDtoHAsync_v2(sums, out, sizeof sums, stream);
  }
  float expected() const { return std::accumulate(values, values + 128, 0.0f); }

  std::unique_ptr<DeviceModule> code;
  void *module = nullptr, *kernel = nullptr, *stream = nullptr;
  DevicePointer x = 0, out = 0;
  float values[384], sums[3] = {};
};
} // namespace

TEST_F(DriverTest, RunsAProgram) {
  EXPECT_EQ(step(), Success);
  EXPECT_EQ(cuStreamSynchronize(stream), Success);
  EXPECT_EQ(sums[0], expected());
}

TEST_F(DriverTest, FreshMemoryIsNotANumber) {
  float first = 0;
  EXPECT_EQ(cuMemcpyDtoHAsync_v2(&first, out, sizeof first, stream), Success);
  EXPECT_NE(first, first);
}

TEST_F(DriverTest, AGraphReplaysWhatWasCaptured) {
  void *graph = nullptr, *replay = nullptr;
  ASSERT_EQ(cuStreamBeginCapture_v2(stream, 2), Success);
  EXPECT_EQ(step(), Success);
  EXPECT_EQ(cuStreamSynchronize(stream), CaptureUnsupported);
  ASSERT_EQ(cuStreamEndCapture(stream, &graph), Success);
  EXPECT_EQ(sums[0], 0); // nothing has run
  ASSERT_EQ(cuGraphInstantiateWithFlags(&replay, graph, 0), Success);
  for (float start : {0.0f, 5.0f}) {
    std::iota(std::begin(values), std::end(values), start);
    EXPECT_EQ(cuGraphLaunch(replay, stream), Success);
    EXPECT_EQ(sums[0], expected());
  }
  EXPECT_EQ(cuGraphExecUpdate_v2(replay, graph, nullptr), Success);
  EXPECT_EQ(cuGraphDestroy(graph), Success);
  EXPECT_EQ(cuGraphExecDestroy(replay), Success);
}

TEST_F(DriverTest, RefusesBadLaunches) {
  EXPECT_EQ(launch(0), InvalidValue);
  EXPECT_EQ(launch(3, 0), InvalidValue);
  EXPECT_EQ(launch(3, 256), InvalidValue); // the kernel says 128
  EXPECT_EQ(launch(3, 128, 64 << 10), InvalidValue);
  EXPECT_EQ(cuFuncSetAttribute(kernel, 8, 64 << 10), Success);
  EXPECT_EQ(launch(3, 128, 64 << 10), Success);
  EXPECT_EQ(cuFuncSetAttribute(kernel, 8, 200 << 10), InvalidValue);
}

TEST_F(DriverTest, RefusesWhatIsNotThere) {
  void *none = nullptr;
  int device = 0;
  EXPECT_EQ(cuModuleGetFunction(&none, module, "reduce_more"), NotFound);
  EXPECT_EQ(cuDeviceGet(&device, 1), InvalidDevice);
  EXPECT_EQ(cuMemcpyDtoHAsync_v2(sums, out, 4096, stream), InvalidValue);
  EXPECT_EQ(cuMemFree_v2(x + 4), InvalidValue);
}

TEST_F(DriverTest, AnImageForALaterDeviceIsRefusedWithALog) {
  char log[100] = "";
  int options[] = {5, 6};
  void *settings[] = {log, reinterpret_cast<void *>(sizeof log)}, *none = nullptr;
  EXPECT_EQ(cuModuleLoadDataEx(&none, ".version 8.0\n.target sm_90a\n", 2, options, settings), InvalidPtx);
  EXPECT_NE(std::strstr(log, "higher"), nullptr) << log;
  setenv("NACRE_SIMT_CAPABILITY", "9.0", 1);
  EXPECT_EQ(cuModuleLoadDataEx(&none, ".version 8.0\n.target sm_90a\n", 2, options, settings), Success);
  unsetenv("NACRE_SIMT_CAPABILITY");
  EXPECT_EQ(cuModuleUnload(none), Success);
}

TEST_F(DriverTest, MemoryEnds) {
  setenv("NACRE_SIMT_MEMORY", "100000", 1);
  DevicePointer more = 0;
  EXPECT_EQ(cuMemAlloc_v2(&more, 90000), Success);
  DevicePointer most = 0;
  EXPECT_EQ(cuMemAlloc_v2(&most, 90000), OutOfMemory);
  unsetenv("NACRE_SIMT_MEMORY");
  EXPECT_EQ(cuMemFree_v2(more), Success);
}

// A kernel runs behind the caller's back: the launch itself is fine, everything after it is not.
TEST_F(DriverTest, AFaultSticks) {
  DevicePointer kept = x;
  x = 64; // not memory
  EXPECT_EQ(launch(), Success);
  x = kept;
  EXPECT_EQ(cuStreamSynchronize(stream), IllegalAddress);
  EXPECT_EQ(step(), IllegalAddress);
  const char *text = nullptr;
  EXPECT_EQ(cuGetErrorString(IllegalAddress, &text), Success);
  EXPECT_STREQ(text, "an illegal memory access was encountered");
  nacre_simt_forget_faults();
  EXPECT_EQ(step(), Success);
  EXPECT_EQ(sums[0], expected());
}
