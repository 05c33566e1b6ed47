// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The two shapes of product that attention consists of, both on blocks that lie in scratch.
#ifndef NACRE_COMPILER_TARGET_CPU_ATTENTIONPRODUCTS_H
#define NACRE_COMPILER_TARGET_CPU_ATTENTIONPRODUCTS_H

#include "compiler/Target/CPU/VectorBuilder.h"

namespace nacre::cpu::attention {

/// target[j][i] = start[i] + sum over c < depth of rows[j][c] * panel[c][i], for keys j and queries i. Whole register tiles are
/// computed: rows beyond `count` repeat the last one, and target needs room for them.
struct KeyProduct {
  Value rows, rowStride, count; // in place in a tensor
  Value panel;                  // [depth][stride]
  Value depth;
  Value reach;                  // columns to compute, rounded up to lanes
  Value start;                  // pointer to [reach], or null for 0
  Value target;                 // [count rounded up to tileRows][stride]
  int64_t stride;
};
/// Is emitted after each tile is stored: its sums, row by row, its first column and its vectors in a row.
using AfterTile = llvm::function_ref<void(llvm::ArrayRef<Value> tile, Value column, int64_t vectors)>;
void emitKeyProduct(VectorBuilder &b, const KeyProduct &product, AfterTile afterTile = nullptr);

/// row(r)[c] = row(r)[c] * factor(r) + sum over k < depth of a[r * aRow + k * aStep] * right[k * rightStride + c], for c < width. Whole tiles of
/// tallRows rows are computed up to `rows` rounded up: row(r) must be a place for each of them.
struct TallProduct {
  Value a;
  int64_t aRow, aStep;
  Value right;         // rows padded to whole vectors
  Value rightStride;
  Value depth, rows, width;
  llvm::function_ref<Value(Value r)> row;              // pointer
  llvm::function_ref<Value(Value r)> factor = nullptr; // vector; default 1
  bool masked = false;                                 // rows are not padded: touch `width` elements only
};
void emitTallProduct(VectorBuilder &b, const TallProduct &product);

} // namespace nacre::cpu::attention

#endif
