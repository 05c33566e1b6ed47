// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a context runs, and what it says about that.
#include "test/runtime/DeviceModel.h"
#include "test/runtime/ToyModel.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace {

const nacre_api &api = nacre_runtime_api;

/// The driver as tests expect to find it, and the environment without a choice.
struct DeviceChoice : testing::Test {
  void SetUp() override {
    cuda = FakeCuda();
    unsetenv("NACRE_DEVICE");
    images = deviceImages;
  }
  void TearDown() override {
    EXPECT_EQ(cuda.live, 0);
    cuda = FakeCuda();
    unsetenv("NACRE_DEVICE");
    deviceImages = images;
    deviceImage.result = 0;
    deviceImage.log = "";
  }
  std::string where(const char *device) {
    DeviceRun run(device);
    return run.context ? api.context_device(run.context) : std::to_string(run.error.status) + " " + run.error.message;
  }
  FakeCuda &cuda = fakeCuda();
  std::vector<nacre_device_image> images;
};

TEST_F(DeviceChoice, SaysWhereCallsRun) {
  EXPECT_EQ(where("cuda"), "cuda:0 Fake, sm_90");
  EXPECT_EQ(where(nullptr), "cuda:0 Fake, sm_90");
  EXPECT_EQ(where("auto"), "cuda:0 Fake, sm_90");
  EXPECT_EQ(where("cpu"), "cpu generic");
  cuda.devices = 3;
  EXPECT_EQ(where("cuda:2"), "cuda:2 Fake, sm_90");
}

TEST_F(DeviceChoice, TheEnvironmentChoosesWhereOptionsDoNot) {
  setenv("NACRE_DEVICE", "cpu", 1);
  EXPECT_EQ(where(nullptr), "cpu generic");
  EXPECT_EQ(where("cuda"), "cuda:0 Fake, sm_90");
  setenv("NACRE_DEVICE", "cuda:9", 1);
  EXPECT_EQ(where(nullptr), "7 there is no device cuda:9, the driver sees 1; CUDA_VISIBLE_DEVICES may hide some");
}

TEST_F(DeviceChoice, RefusesOtherWords) {
  for (const char *word : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:99999999999", "cpu:0", "cuda0"})
    EXPECT_EQ(where(word), "2 expected a device 'cpu', 'cuda', 'cuda:N' or 'auto', but got '" + std::string(word) + "'");
}

TEST_F(DeviceChoice, ALibraryWithoutDeviceCodeRunsOnTheCpu) {
  Toy toy;
  EXPECT_STREQ(api.context_device(toy.context), "cpu generic");
  nacre_options options = {1, nullptr, nullptr, "cuda"};
  EXPECT_EQ(api.context_create(&toyModel(), toy.parameters, &options, &toy.error), nullptr);
  EXPECT_EQ(toy.error.status, NACRE_ERR_DEVICE);
  EXPECT_STREQ(toy.error.message, "the library of model 'toy' has no code for CUDA devices; compile it with --target=nvptx");
}

TEST_F(DeviceChoice, WithoutAFittingDeviceAutoRunsOnTheCpuAndSaysWhy) {
  cuda.devices = 0;
  EXPECT_EQ(where("cuda"), "7 there is no device cuda:0, the driver sees 0; CUDA_VISIBLE_DEVICES may hide some");
  EXPECT_EQ(where("auto"), "cpu generic: there is no device cuda:0, the driver sees 0; CUDA_VISIBLE_DEVICES may hide some");
  cuda.devices = 1;
  cuda.major = 7, cuda.minor = 5;
  EXPECT_EQ(where("cuda"), "7 cuda:0 Fake has compute capability 7.5, but the library has code for 8.0 or later");
  DeviceRun run("auto");
  ASSERT_EQ(run.scale(3), NACRE_OK) << run.error.message;
  EXPECT_EQ(run.y[5], 12.f * 0 + 5.f / 8 * 2 + 20);
}

TEST_F(DeviceChoice, TakesTheFirstImageThatFits) {
  FakeImage broken;
  broken.result = 218;
  deviceImages = {{9, 0, 1, NACRE_IMAGE_CUBIN, &deviceImage, 1}, {9, 0, 0, NACRE_IMAGE_PTX, &broken, 1}};
  EXPECT_EQ(where("cuda"), "cuda:0 Fake, sm_90");
  cuda.minor = 3; // an exact image is for 9.0 alone
  EXPECT_EQ(where("cuda").substr(0, 41), "7 cuModuleLoadDataEx: FAKE_ERROR_218 (as ");
  cuda.major = 8;
  EXPECT_EQ(where("cuda"), "7 cuda:0 Fake has compute capability 8.3, but the library has code for 9.0, 9.0 or later");
}

TEST_F(DeviceChoice, TriesTheNextImageWhenTheDriverIsTooOldForOne) {
  FakeImage newer;
  newer.result = 222;
  deviceImages = {{9, 0, 1, NACRE_IMAGE_PTX, &newer, 1}, {8, 0, 0, NACRE_IMAGE_PTX, &deviceImage, 1}};
  EXPECT_EQ(where("cuda"), "cuda:0 Fake, sm_90");
  deviceImages.pop_back();
  EXPECT_EQ(where("cuda"), "7 cuModuleLoadDataEx: FAKE_ERROR_222 (as the test wants it); the library's code is newer than this driver: "
                           "install a newer driver");
}

TEST_F(DeviceChoice, PassesOnWhatTheDriversCompilerSays) {
  deviceImage.result = 700 - 482; // invalid PTX
  deviceImage.log = "line 7: nothing is called 'f33'\nline 8: neither";
  EXPECT_EQ(where("cuda"), "7 cuModuleLoadDataEx: FAKE_ERROR_218 (as the test wants it); the library is damaged, or the driver is too old "
                           "for it: line 7: nothing is called 'f33' line 8: neither");
}

TEST_F(DeviceChoice, NamesTheKernelThatAnImageLacks) {
  FakeImage partial = deviceImage;
  partial.kernels.erase(partial.kernels.begin());
  deviceImages[0].data = &partial;
  EXPECT_EQ(where("cuda"), "7 cuModuleGetFunction of kernel 'multiply': FAKE_ERROR_500 (as the test wants it)");
}

TEST_F(DeviceChoice, MemoryThatTheDeviceLacksIsAnError) {
  cuda.memoryBytes = 2048;
  EXPECT_EQ(where("cuda").substr(0, 70), "4 cannot allocate 3840 bytes of device memory for a context: cuMemAllo");
  EXPECT_EQ(where("auto").substr(0, 60), "cpu generic: cannot allocate 3840 bytes of device memory for");
}

} // namespace
