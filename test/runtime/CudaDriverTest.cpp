// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opening the driver. It stays open once it is, so a driver that will not do is tried in a process of its own.
#include "runtime/src/cuda_driver.h"
#include "test/runtime/FakeCuda.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace {

TEST(CudaDriver, SaysWhyItCannotBeOpened) {
  nacre_cuda driver;
  nacre_error error;
  EXPECT_EQ(nacre_cuda_load(&driver, "libnothing.so.7", &error), NACRE_ERR_DEVICE);
  EXPECT_STREQ(error.message, "no CUDA driver (libnothing.so.7: cannot open shared object file: No such file or directory)");
}

TEST(CudaDriver, NamesTheFunctionThatALibraryLacks) {
  nacre_cuda driver;
  nacre_error error;
  EXPECT_EQ(nacre_cuda_load(&driver, "libm.so.6", &error), NACRE_ERR_DEVICE);
  EXPECT_STREQ(error.message, "the CUDA driver 'libm.so.6' has no cuInit; install a newer driver");
}

TEST(CudaDriver, ChecksSayWhatWhoAndWhatHelps) {
  fakeCuda();
  nacre_error error;
  nacre_cuda driver;
  ASSERT_EQ(nacre_cuda_load(&driver, getenv("NACRE_LIBCUDA"), &error), NACRE_OK) << error.message;
  EXPECT_EQ(nacre_cuda_check(&driver, 0, "cuInit", &error), NACRE_OK);
  EXPECT_EQ(nacre_cuda_check(&driver, 77, "cuInit", &error), NACRE_ERR_DEVICE);
  EXPECT_STREQ(error.message, "cuInit: FAKE_ERROR_77 (as the test wants it)");
  EXPECT_EQ(nacre_cuda_check(&driver, 2, "cuMemAlloc", &error), NACRE_ERR_MEMORY);
  EXPECT_STREQ(error.message, "cuMemAlloc: FAKE_OUT_OF_MEMORY (as the test wants it); give the context smaller max_dims, or free memory "
                              "of the device");
}

/// Opens the driver in this process, which ends.
[[noreturn]] void open(void (*prepare)(FakeCuda &)) {
  prepare(fakeCuda());
  nacre_error error = {};
  const nacre_cuda *driver = nacre_cuda_driver(&error);
  fprintf(stderr, "%s", driver ? "opened" : error.message);
  exit(driver ? 0 : int(error.status));
}

TEST(CudaDriver, RefusesAnOldDriver) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(open([](FakeCuda &cuda) { cuda.version = 11080; }), testing::ExitedWithCode(NACRE_ERR_DEVICE),
              "the CUDA driver is for CUDA 11.8, expected at least 12.0; install driver 525 or later");
}

TEST(CudaDriver, PassesOnWhyItDoesNotStart) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(open([](FakeCuda &cuda) { cuda.refuseAt = 0, cuda.refuseWith = 100; }), testing::ExitedWithCode(NACRE_ERR_DEVICE),
              "cuInit: FAKE_ERROR_100 .as the test wants it.; look whether nvidia-smi lists a device");
}

TEST(CudaDriver, TriesAgainAfterAFailure) {
  fakeCuda().clear();
  nacre_error error = {};
  ASSERT_NE(nacre_cuda_driver(&error), nullptr) << error.message;
  EXPECT_EQ(nacre_cuda_driver(&error), nacre_cuda_driver(&error));
}

} // namespace
