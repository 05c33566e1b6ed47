// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model table written by hand, with kernels in C++: what the compiler would emit, small enough to check by eye.
//
//   dim B <= 4096, T <= 16, width <= 64, choice <= 2
//   param w: f32[64, 2]   param ids: i32[3]   param t: f32[2, 3] from "old.t" transposed   state mean: f32[2]
//   optimizer "optimizer.w.m": f32[64, 2]
//   encode(x: f32[B, 64]) -> z: f32[B, 2]                           x @ w
//   lookup(ids: i32[B, T] below 10, n: i32[B]) -> sum: f32[B]       the sum of each row's ids
//   cut(x: f32[B, 64], width: one of 4, 16, 64) -> y: f32[B, width], which: f32[]     the first columns
//   step(x: f32[2 * B + 1], rate: f32[]) -> loss: f32[]             w += rate, unless x is not finite
//   flat(x: f32[B * T], y: f32[T]) -> z: f32[B]                     no program worth mentioning: zeros
//   square(x: f32[T * T]) -> z: f32[]                               T cannot be found
#pragma once

#include "nacre/runtime.h"

#include <string>
#include <vector>

const nacre_model &toyModel();

enum ToyFunction { Encode, Lookup, Cut, Step, Flat, Square };

/// Parameters and a context over them, ended together.
struct Toy {
  explicit Toy(int32_t threads = 1, const int64_t *maxDims = nullptr);
  ~Toy();
  Toy(const Toy &) = delete;

  nacre_status call(ToyFunction function, std::vector<nacre_tensor> inputs, std::vector<nacre_tensor> outputs);
  /// A pointer into the parameter block.
  float *parameter(const char *name);

  nacre_error error = {};
  nacre_parameters *parameters = nullptr;
  nacre_context *context = nullptr;
};

inline nacre_tensor f32(float *data, std::vector<int64_t> shape) {
  nacre_tensor tensor = {data, NACRE_F32, int32_t(shape.size()), {}};
  for (size_t axis = 0; axis < shape.size(); ++axis)
    tensor.shape[axis] = shape[axis];
  return tensor;
}

inline nacre_tensor i32(int32_t *data, std::vector<int64_t> shape) {
  nacre_tensor tensor = f32(nullptr, shape);
  tensor.dtype = NACRE_I32;
  tensor.data = data;
  return tensor;
}
