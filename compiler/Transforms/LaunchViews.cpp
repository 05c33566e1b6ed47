// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Transforms/LaunchViews.h"

#include "llvm/ADT/STLExtras.h"

using namespace nacre;

Layout nacre::broadcastLayout(const Layout &layout, llvm::ArrayRef<Dim> space) {
  Layout result;
  result.offset = layout.offset;
  result.sizes.assign(space.begin(), space.end());
  size_t lead = space.size() - layout.sizes.size();
  for (size_t axis = 0; axis < space.size(); ++axis) {
    bool repeats = axis < lead || (layout.sizes[axis - lead].isOne() && !space[axis].isOne());
    result.strides.push_back(repeats ? Dim() : layout.strides[axis - lead]);
  }
  return result;
}

static void eraseAxis(Dims &space, std::vector<Layout> &layouts, size_t axis) {
  space.erase(space.begin() + axis);
  for (Layout &layout : layouts) {
    layout.sizes.erase(layout.sizes.begin() + axis);
    layout.strides.erase(layout.strides.begin() + axis);
  }
}

void nacre::coalesce(Dims &space, std::vector<Layout> &layouts, unsigned keepLast) {
  for (size_t axis = space.size(); axis-- > 0;)
    if (space[axis].isOne() && axis + keepLast < space.size() && space.size() > std::max(1u, keepLast))
      eraseAxis(space, layouts, axis);
  for (size_t axis = space.size(); axis-- > 1;) {
    if (axis + keepLast >= space.size())
      continue;
    bool mergeable = llvm::all_of(layouts, [&](const Layout &layout) {
      return layout.strides[axis - 1] == layout.strides[axis] * space[axis];
    });
    if (!mergeable)
      continue;
    Dim size = space[axis - 1] * space[axis];
    for (Layout &layout : layouts)
      layout.strides[axis - 1] = layout.strides[axis];
    eraseAxis(space, layouts, axis);
    space[axis - 1] = size;
    for (Layout &layout : layouts)
      layout.sizes[axis - 1] = size;
  }
}

std::optional<Run> nacre::merge(const Layout &layout, size_t begin, size_t end) {
  Run run = {Dim::constant(1), Dim()};
  bool first = true;
  for (size_t axis = end; axis-- > begin;) {
    if (layout.sizes[axis].isOne())
      continue;
    if (first)
      run.stride = layout.strides[axis];
    else if (layout.strides[axis] != run.stride * run.size)
      return std::nullopt;
    first = false;
    run.size = run.size * layout.sizes[axis];
  }
  return run;
}
