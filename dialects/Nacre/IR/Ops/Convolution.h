// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of Convolution.td, and the window arithmetic that they share.
#pragma once

#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Operator.h"

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Convolution.h.inc"

namespace nacre {

/// Windows over the spatial axes; every list has one entry an axis.
struct Window {
  llvm::SmallVector<int64_t, 3> kernel, stride, dilation, low, high; ///< low, high: padding before and after
  Dims counts;                                                       ///< how many windows

  size_t rank() const { return kernel.size(); }
  /// From the first to the last element of a window.
  int64_t reach(size_t axis) const { return dilation[axis] * (kernel[axis] - 1); }
};

/// How often a window fits an axis: floor((length - reach - 1) / stride) + 1; nothing when it does not fit for every size from 1 on, or
/// when the number is no polynomial.
std::optional<Dim> windowCount(const Dim &length, int64_t reach, int64_t stride);

/// The windows of an axis list, from lists that have one entry, or one an axis. Reports lists of other lengths and windows that do not fit.
mlir::FailureOr<Window> windowOf(const InferContext &context, llvm::ArrayRef<Dim> sizes, llvm::ArrayRef<int64_t> kernel,
                                 llvm::ArrayRef<int64_t> stride, llvm::ArrayRef<int64_t> padding, llvm::ArrayRef<int64_t> dilation, bool same);

/// Calls `body` with every place of a window, the last axis fastest.
void forEachTap(llvm::ArrayRef<int64_t> kernel, llvm::function_ref<void(llvm::ArrayRef<int64_t>)> body);

Formula strided(Formula x, llvm::ArrayRef<int64_t> start, llvm::ArrayRef<int64_t> step, llvm::ArrayRef<Dim> dims);
Formula spread(Formula x, llvm::ArrayRef<int64_t> start, llvm::ArrayRef<int64_t> step, llvm::ArrayRef<Dim> dims);
Formula multiplyAdd(Formula a, Formula b, Formula c);

} // namespace nacre
