// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random tensors of a shape: where each element's draw comes from.
#pragma once

#include "dialects/Nacre/IR/Expression.h"

namespace nacre {

/// The names of the i32 inputs that a function with draws has behind its own: equal numbers give equal draws.
inline constexpr llvm::StringLiteral kSeed = "seed", kDraw = "draw";

enum class Distribution { Uniform, Normal };

/// Draws keyed by (seed, draw, site) and the place in a tensor of the sizes `dims`: uniform in [0, 1), or standard normal.
Formula randomTensor(mlir::ImplicitLocOpBuilder &b, llvm::ArrayRef<Dim> dims, Distribution distribution, mlir::Value seed, mlir::Value draw,
                     int64_t site);

} // namespace nacre
