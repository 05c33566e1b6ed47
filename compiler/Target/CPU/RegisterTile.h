// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The inner loop of every product: a tile of rows x vectors whose sums live in registers while k ascends by one. Each element
// is one chain of fused multiply-adds, so its bits do not depend on the tile that it falls into.
#ifndef NACRE_COMPILER_TARGET_CPU_REGISTERTILE_H
#define NACRE_COMPILER_TARGET_CPU_REGISTERTILE_H

#include "compiler/Target/CPU/VectorBuilder.h"

namespace nacre::cpu {

/// sums[r][v] += sum over k < depth of rows[r][k * aStep] * b[k * bStep + v * lanes ...]. Strides count elements.
struct TileOperands {
  Values rows; // pointers into A
  Value aStep;
  Value b, bStep;
  Value depth; // i64
  bool words = false; // both hold words, and the number of bits in which they differ stands for the product; exact below 2^24
};

/// Emits the loop over k; `sums` holds rows * vectors vectors, row by row, and so does the result.
Values emitRegisterTile(VectorBuilder &b, const TileOperands &operands, int64_t vectors, Values sums);

/// Pointers a + offsets(r) for r < rows, each in a register of its own; `offsets` maps a vector of row numbers to elements. They
/// come out of a vector because LLVM would otherwise see that they are evenly spaced and step from one to the next inside the
/// loop: 8 additions that compete with the multiply-adds.
Values pointersToRows(VectorBuilder &b, Value a, int64_t rows, llvm::function_ref<Value(Value numbers)> offsets);

/// How a row count that is only known at run time is cut into register tiles.
struct RowTiles {
  int64_t rows;                                            // of a full tile
  llvm::function_ref<void(Value row, int64_t count)> tile; // emits a tile of `count` rows at `row`
};

/// Emits tiles for rows [0, count): full tiles in a loop, then what is left in one tile of its own size. One or two rows
/// alone would wait for their own additions, so they share the last full tile's rows: 8 + 1 become 5 + 4.
void emitRowTiles(VectorBuilder &b, Value count, const RowTiles &tiles);

/// Likewise with less code: what is left is taken in tiles of 4, 2 and 1 rows. For seldom cases.
void emitFewRowTiles(VectorBuilder &b, Value count, const RowTiles &tiles);

} // namespace nacre::cpu

#endif
