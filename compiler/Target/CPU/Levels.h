// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The CPU levels that a library is compiled for. A level fixes the vector length and with it the bits of a reduction;
// the runtime picks the last level of the table that the machine supports.
#ifndef NACRE_COMPILER_TARGET_CPU_LEVELS_H
#define NACRE_COMPILER_TARGET_CPU_LEVELS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace nacre::cpu {

/// Columns of a contraction's task, the same on every level of CPUs, so that one launch serves them all: a multiple of every level's panel.
inline constexpr int64_t kContractColumns = 192;

/// One instruction set. Register tiles are counted in rows x vectors of accumulators.
struct Level {
  llvm::StringRef name;        // "v3"; also the suffix of the level's kernels
  llvm::StringRef cpu;         // LLVM's name of the processor
  llvm::StringRef vectorWidth; // bits, for LLVM's "prefer-vector-width"
  int64_t lanes;               // f32 values in a vector
  int64_t tileRows;            // contraction: rows of the register tile
  int64_t tileVectors;         // contraction: vectors of a row of the register tile
  int64_t tallRows;            // rows of a register tile of two vectors
  llvm::StringRef features = "";   // LLVM's names of what the level has beyond `cpu`
  llvm::StringRef base = "";       // the level that is the same but for `features`: its code serves kernels that do not use them
  bool hasDotBf16 = false;         // VDPBF16PS
  bool hasDotInt8 = false;         // VPDPBUSD
  int64_t taskRows = 384;          // contraction: rows of a task
  int64_t foldRows = 128;          // likewise, at most, when its tiles are folded: the states stay in L2, and B is packed once for so many rows
  int64_t taskColumns = kContractColumns;
  int64_t depth = 384;             // contraction: k between two visits of a sum
  int64_t directRows = 16;         // contraction: tasks of up to so many rows read A and B in place where B's rows allow it
};

/// All levels that serve every kernel, weakest first.
llvm::ArrayRef<Level> levels();

/// Levels that differ from their base for products of narrow numbers alone, weakest first; they come after all others.
llvm::ArrayRef<Level> narrowLevels();

/// The level of that name, among all, or null.
const Level *findLevel(llvm::StringRef name);

} // namespace nacre::cpu

#endif
