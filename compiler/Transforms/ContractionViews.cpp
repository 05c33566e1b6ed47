// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Transforms/ContractionViews.h"

#include "compiler/Transforms/LaunchViews.h"

#include "llvm/ADT/STLExtras.h"

using namespace nacre;

bool nacre::flattenRows(ContractionLayouts &layouts) {
  size_t rank = layouts.a.sizes.size();
  for (size_t axis = 0; axis + 2 < rank; ++axis)
    if (!layouts.b.strides[axis].isZero() && !layouts.b.sizes[axis].isOne())
      return false;
  std::vector<Layout> flat;
  auto flatten = [&](const Layout &layout) {
    std::optional<Run> run = merge(layout, 0, rank - 1);
    if (!run)
      return false;
    Dim one = Dim::constant(1);
    flat.push_back({layout.offset, {one, one, run->size, layout.sizes.back()}, {Dim(), Dim(), run->stride, layout.strides.back()}});
    return true;
  };
  if (!flatten(layouts.a))
    return false;
  for (const Layout &tile : layouts.tiles)
    if (!flatten(tile))
      return false;
  Layout b = layouts.b;
  Dim one = Dim::constant(1);
  layouts.b = {b.offset, {one, one, b.sizes[rank - 2], b.sizes[rank - 1]}, {Dim(), Dim(), b.strides[rank - 2], b.strides[rank - 1]}};
  layouts.a = flat[0];
  // A residual that repeats along all rows has row size 1 after merging; rows of the result decide.
  for (size_t i = 0; i < layouts.tiles.size(); ++i)
    layouts.tiles[i] = flat[i + 1];
  return true;
}

bool nacre::flattenBatch(ContractionLayouts &layouts) {
  size_t rank = layouts.a.sizes.size();
  std::vector<Layout> batch = {layouts.a, layouts.b};
  batch.insert(batch.end(), layouts.tiles.begin(), layouts.tiles.end());
  std::vector<Layout> matrices = batch;
  Dims space(batch.back().sizes.begin(), batch.back().sizes.end() - 2);
  for (Layout &layout : batch) {
    layout.sizes.truncate(rank - 2);
    layout.strides.truncate(rank - 2);
  }
  if (space.empty()) {
    space.push_back(Dim::constant(1));
    for (Layout &layout : batch) {
      layout.sizes.push_back(Dim::constant(1));
      layout.strides.push_back(Dim());
    }
  }
  coalesce(space, batch, 0);
  if (space.size() > 2)
    return false;
  for (size_t i = 0; i < batch.size(); ++i) {
    Layout layout = {matrices[i].offset, {}, {}};
    if (space.size() < 2) {
      layout.sizes.push_back(Dim::constant(1));
      layout.strides.push_back(Dim());
    }
    llvm::append_range(layout.sizes, batch[i].sizes);
    llvm::append_range(layout.strides, batch[i].strides);
    for (size_t axis = rank - 2; axis < rank; ++axis) {
      layout.sizes.push_back(matrices[i].sizes[axis]);
      layout.strides.push_back(matrices[i].strides[axis]);
    }
    matrices[i] = layout;
  }
  layouts.a = matrices[0];
  layouts.b = matrices[1];
  layouts.tiles.assign(matrices.begin() + 2, matrices.end());
  return true;
}

Layout nacre::withBatchOf(const Layout &layout, llvm::ArrayRef<Dim> like) {
  Dims space(like.begin(), like.end() - 2);
  llvm::append_range(space, llvm::ArrayRef<Dim>(layout.sizes).take_back(2));
  return broadcastLayout(layout, space);
}

Layout nacre::withoutFirstAxis(Layout layout) {
  layout.sizes.erase(layout.sizes.begin());
  layout.strides.erase(layout.strides.begin());
  return layout;
}
