// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The layouts of a contraction brought to the four axes that its kernel walks: two of batch, rows, and columns or depth.
#pragma once

#include "dialects/Nacre/IR/Layout.h"

#include <vector>

namespace nacre {

/// The operands of a contraction over batch axes, rows and columns; all but A and B have the shape of the result.
struct ContractionLayouts {
  Layout a, b;
  std::vector<Layout> tiles; ///< extras, then outputs, without the checkpoint axis
};

/// One row axis for everything: possible when B is one matrix and all others walk their leading axes with one stride. False, and
/// nothing changed, where it is not.
bool flattenRows(ContractionLayouts &layouts);

/// Two batch axes for everything; false, and nothing changed, when the layouts need more.
bool flattenBatch(ContractionLayouts &layouts);

/// `layout` with the batch axes of `like` before its own last two.
Layout withBatchOf(const Layout &layout, llvm::ArrayRef<Dim> like);

Layout withoutFirstAxis(Layout layout);

} // namespace nacre
