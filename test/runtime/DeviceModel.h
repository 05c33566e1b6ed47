// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model with device code, written by hand over the driver of FakeCuda.h, and with the same functions for the CPU.
//
//   dim B <= 1000000      param w: f32[4]      table: 10, 20, 30, 40
//   scale(x: f32[B, 4], which: i32[B] below 4) -> y: f32[B, 4]      x * w + table[which], with the tap "product" = x * w
//                                                                   where x[0] is not 0
//   step(x: f32[B, 4], rate: f32[]) -> loss: f32[]                  w += rate, unless an x is not finite; loss = w[0] before
//   count(n: i32[B]) -> many: f32[]                                 refuses when a value is above 2 * B
#pragma once

#include "nacre/runtime.h"

#include "test/runtime/FakeCuda.h"

#include <vector>

enum DeviceFunction { DeviceScale, DeviceStep, DeviceCount };

/// May be changed by tests: the images of the library, best first.
extern std::vector<nacre_device_image> deviceImages;
extern FakeImage deviceImage;

/// The model as it is when this is called; its address stays.
const nacre_model &deviceModel();

/// Parameters and a context on "cuda" (or where `device` says), ended together. w starts as 1, 2, 3, 4.
struct DeviceRun {
  explicit DeviceRun(const char *device = "cuda", int64_t mostRows = 64);
  ~DeviceRun();
  DeviceRun(const DeviceRun &) = delete;

  /// Calls with values that follow from the position; return the status.
  nacre_status scale(int64_t rows, std::vector<nacre_intervention> interventions = {}, float firstValue = 0.5f);
  nacre_status step(int64_t rows, float rate = 1, float firstValue = 0);
  nacre_status count(int64_t rows, int32_t firstValue);
  /// w as the host reads it; empty when that fails.
  std::vector<float> weights();

  std::vector<float> y; ///< of the last `scale`
  float loss = 0, many = 0;
  nacre_error error = {};
  nacre_parameters *parameters = nullptr;
  nacre_context *context = nullptr;
};
