// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layouts brought to the form that a kernel walks: few axes, the same for all operands of a launch.
#pragma once

#include "dialects/Nacre/IR/Layout.h"

#include <optional>
#include <vector>

namespace nacre {

/// The layout seen over a larger shape, with stride 0 where it repeats. Requires that its sizes broadcast to `space`.
Layout broadcastLayout(const Layout &layout, llvm::ArrayRef<Dim> space);

/// Drops axes of one element and merges neighbours that every layout walks with one stride. The last `keepLast` axes stay apart from
/// what stands before them. At least one axis remains. All layouts must have the sizes `space`.
void coalesce(Dims &space, std::vector<Layout> &layouts, unsigned keepLast);

/// The axes [begin, end) of a layout as one, or nothing when they have no common stride.
struct Run {
  Dim size, stride;
};
std::optional<Run> merge(const Layout &layout, size_t begin, size_t end);

} // namespace nacre
