// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How much room weights take once they are packed for a contraction. A packed buffer (space "packed") holds matrices
// [outer][inner][panel][word][column of a panel] of 32-bit words; how many columns a panel has is the CPU level's affair.
#pragma once

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"

#include <cstdint>
#include <optional>

namespace nacre::plan {

inline constexpr llvm::StringLiteral kPackSkeleton = "pack_weights"; ///< of the kernels that fill packed buffers
inline constexpr llvm::StringLiteral kPackProgram = "pack.weights";  ///< the program that runs them; no function has such a name
inline constexpr llvm::StringLiteral kPackedSpace = "packed";

/// Columns that a packed matrix has room for: whole panels of every level, whose widths divide 48.
inline int64_t packedColumns(int64_t columns) { return llvm::alignTo(columns, 48); }

/// How the numbers of a product are kept, weights and activations alike; sums are f32, or exact integers scaled once.
enum class Precision {
  F32,
  Tf32, ///< f32 in memory, rounded to 11 significant bits by a GPU's tensor cores; on the CPU the same as F32
  Bf16, ///< rounded to nearest, ties to even; what is below 2^-126 becomes 0
  Int8  ///< round(x * 127 / max|x|): weights with one scale a column, activations with one a row and call
};

/// "f32", "tf32", "bf16", "int8"; nothing for another name.
inline std::optional<Precision> precisionNamed(llvm::StringRef name) {
  return name == "f32"    ? std::optional(Precision::F32)
         : name == "tf32" ? std::optional(Precision::Tf32)
         : name == "bf16" ? std::optional(Precision::Bf16)
         : name == "int8" ? std::optional(Precision::Int8)
                          : std::nullopt;
}
inline llvm::StringRef nameOf(Precision precision) {
  switch (precision) {
  case Precision::F32:
    return "f32";
  case Precision::Tf32:
    return "tf32";
  case Precision::Bf16:
    return "bf16";
  case Precision::Int8:
    return "int8";
  }
  llvm_unreachable("a precision of no kind");
}

/// The depths at which a sum of int8 products, the one of an activation and a weight at most 255 * 127, still fits in 32 bits.
inline constexpr int64_t kLongestInt8Sum = 65536;

/// Words of a column of a packed matrix of `depth` rows. f32: one for each k, up to a multiple of every level's vector, because a
/// transposed matrix is packed by whole squares. bf16: one for two k. int8: the column's scale, the value that its sum begins with, and
/// one for four k.
inline int64_t packedWords(int64_t depth, Precision precision) {
  switch (precision) {
  case Precision::F32:
  case Precision::Tf32:
    return llvm::alignTo(depth, 16);
  case Precision::Bf16:
    return llvm::divideCeil(depth, 2);
  case Precision::Int8:
    return llvm::divideCeil(depth, 4) + 2;
  }
  llvm_unreachable("a precision of no kind");
}

} // namespace nacre::plan
