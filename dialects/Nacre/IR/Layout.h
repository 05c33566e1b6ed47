// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a value lies in memory: offset, sizes and strides in elements, all polynomials.
#pragma once

#include "dialects/Nacre/IR/Dims.h"

namespace nacre {

struct Layout {
  Dim offset;
  Dims sizes;
  Dims strides; ///< 0 repeats the element along that axis

  /// Row-major, offset 0.
  static Layout contiguous(llvm::ArrayRef<Dim> sizes);
  bool isContiguous() const { return offset.isZero() && strides == contiguous(sizes).strides; }
  bool operator==(const Layout &other) const {
    return offset == other.offset && sizes == other.sizes && strides == other.strides;
  }
};

inline Layout Layout::contiguous(llvm::ArrayRef<Dim> sizes) {
  Layout layout;
  layout.sizes.assign(sizes.begin(), sizes.end());
  layout.strides.resize(sizes.size(), Dim::constant(1));
  for (int64_t axis = int64_t(sizes.size()) - 2; axis >= 0; --axis)
    layout.strides[axis] = layout.strides[axis + 1] * sizes[axis + 1];
  return layout;
}

} // namespace nacre
