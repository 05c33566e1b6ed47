// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products of narrow numbers: what a level makes of bf16 and int8. Weights lie packed (PackWeights.h), rows of activations are turned
// into words in scratch, and the inner loop takes 2 or 4 values of k in a step.
//
// bf16: x is rounded to nearest, ties to even, and to 0 below 2^-126. A step adds the product of the odd k, then that of the even k, to
// an f32 sum, each with one rounding: the order of VDPBF16PS, so all levels give the same bits while sums are 0 or at least 2^-126 (that
// instruction flushes smaller ones to 0).
// int8: x becomes q = round(x * 127 / max|x|), ties to even. Sums of products of q are exact 32-bit integers, so all levels give the same
// bits. A sum is scaled once: f32(sum) * (max|row| / 127 * (max|column| / 127)).
#ifndef NACRE_COMPILER_TARGET_CPU_NARROW_H
#define NACRE_COMPILER_TARGET_CPU_NARROW_H

#include "compiler/Target/CPU/VectorBuilder.h"
#include "dialects/Plan/IR/Packing.h"

namespace nacre::cpu {

/// How a level carries out products of a precision that is not f32.
class NarrowForm {
public:
  NarrowForm(plan::Precision precision, const Level &level);

  bool isInt8() const { return precision == plan::Precision::Int8; }
  bool isDot() const { return dot; }            ///< the level has the instruction
  int64_t depthOfStep() const { return depth; } ///< values of k in a step
  int64_t wordsOfStep() const { return words; } ///< of a row of A
  int64_t bytesOfStep() const { return bytes; } ///< of a column of B
  int64_t headWords() const { return isInt8() ? 2 : 0; } ///< of a column of B: its scale, then what its sum begins with
  /// Words of `count` columns of B in one step.
  int64_t panelWords(int64_t count) const { return count * bytes / 4; }

private:
  plan::Precision precision;
  bool dot;
  int64_t depth, words, bytes;
};

/// The upper half of each lane holds the bf16 nearest to the f32, the lower half is 0.
Value emitRoundToBf16(VectorBuilder &b, Value x);
/// Lanes round(x * inverse) as i32.
Value emitQuantize(VectorBuilder &b, Value x, Value inverse);
/// max(largest, |x|) as bits; a NaN is larger than all numbers and stays.
Value emitLargest(VectorBuilder &b, Value largest, Value x);
/// Of f32 numbers max|x| >= 0, scalar or vector: max / 127, and 127 / max or 0.
Value emitScale(VectorBuilder &b, Value max);
Value emitInverseScale(VectorBuilder &b, Value max);

/// Stores lanes k .. k + lanes of a row of A in the form's words at `row`; `inverse` is the row's, in all lanes, for int8.
void emitStoreNarrow(VectorBuilder &b, const NarrowForm &form, Value x, Value inverse, Value row, Value k);

/// sums[r][v] += sum over `steps` of rows[r] * b: as emitRegisterTile, with sums of i32 for int8. `width` is the panel's.
Values emitNarrowTile(VectorBuilder &b, const NarrowForm &form, llvm::ArrayRef<Value> rows, Value panel, int64_t width, Value steps,
                      int64_t vectors, Values sums);

} // namespace nacre::cpu

#endif
