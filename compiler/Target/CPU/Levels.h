// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The CPU levels that a library is compiled for. A level fixes the vector length and with it the bits of a reduction;
// the runtime picks the last level of the table that the machine supports.
#ifndef NACRE_COMPILER_TARGET_CPU_LEVELS_H
#define NACRE_COMPILER_TARGET_CPU_LEVELS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace nacre::cpu {

/// One instruction set. Register tiles are counted in rows x vectors of accumulators.
struct Level {
  llvm::StringRef name;        // "v3"; also the suffix of the level's kernels
  llvm::StringRef cpu;         // LLVM's name of the processor
  llvm::StringRef vectorWidth; // bits, for LLVM's "prefer-vector-width"
  int64_t lanes;               // f32 values in a vector
  int64_t tileRows;            // contraction: rows of the register tile
  int64_t tileVectors;         // contraction: vectors of a row of the register tile
  int64_t tallRows;            // rows of a register tile of two vectors
};

/// All levels, weakest first.
llvm::ArrayRef<Level> levels();

/// The level of that name, or null.
const Level *findLevel(llvm::StringRef name);

} // namespace nacre::cpu

#endif
