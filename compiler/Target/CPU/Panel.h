// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copies a panel of a matrix B(k, j) into scratch, where row k holds `width` consecutive columns: the form that the register
// tile reads without stride conflicts and without running over the end of a row.
#ifndef NACRE_COMPILER_TARGET_CPU_PANEL_H
#define NACRE_COMPILER_TARGET_CPU_PANEL_H

#include "compiler/Target/CPU/VectorBuilder.h"

namespace nacre::cpu {

/// What is copied. Strides and counts are i64 and count elements.
struct Panel {
  Value source;            // B(0, 0) of the panel
  Value stride;            // between two k (plain) or between two j (transposed); the other one is 1
  Value depth;             // number of k
  Value columns;           // number of columns that exist, >= 1
  Value target;            // [depth rounded up to lanes][targetStride]
  int64_t width;           // columns of the panel, a multiple of lanes
  int64_t targetStride;    // elements between two k of the target
  Value scale = nullptr;   // an f32 vector that multiplies every element; none by default
  Value reach = nullptr;   // transposed: columns up to here are written, those that do not exist as copies; default: columns
  Value list = nullptr;    // plain: row k of the panel is row list[k] (i32) of the source; default: k
};

/// B(k, j) at source[k * stride + j]; missing columns become 0.
void emitPackPlain(VectorBuilder &b, const Panel &panel);

/// As emitPackPlain for `count` whole panels that lie side by side, row by row of B: reads long runs of memory. Their targets
/// are `targetPanel` elements apart; `columns` is not used.
void emitPackPanels(VectorBuilder &b, const Panel &first, Value count, Value targetPanel);

/// As emitPackPlain for any number of columns: `width` is the vector length, and rows of the target hold as many vectors as the
/// columns need.
void emitPackRows(VectorBuilder &b, const Panel &panel);

/// B(k, j) at source[k + j * stride], by squares transposed in registers. Writes whole squares, so up to lanes - 1 rows beyond
/// `depth`, and columns up to the next multiple of lanes, the missing ones as copies of the last one.
void emitPackTransposed(VectorBuilder &b, const Panel &panel);

/// Packs `columns` columns in panels like `first`, `targetPanel` elements apart, leaving out the first `skipped` panels. Columns lie
/// side by side in the source (`column` 1, stride `step` between k), or k do (stride `column`): the latter as emitPackTransposed.
void emitPackMatrix(VectorBuilder &b, const Panel &first, Value step, Value column, Value columns, Value skipped, Value targetPanel);

} // namespace nacre::cpu

#endif
