// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Levels.h"

namespace nacre::cpu {

// Tiles fill the registers but for the operands: 16 of v3 hold 4x3 sums, 3 columns and 1 row value; 32 of v4 hold 8x3, 3 and 1.
// Tall tiles likewise: 6x2 and 12x2.
static const Level wholeLevels[] = {
    {"v3", "x86-64-v3", "256", 8, 4, 3, 6},
    {"v4", "x86-64-v4", "512", 16, 8, 3, 12},
};

static const Level levelsOfNarrowNumbers[] = {
    {"v4-vnni", "x86-64-v4", "512", 16, 8, 3, 12, "+avx512vnni", "v4", false, true},
    {"v4-bf16", "x86-64-v4", "512", 16, 8, 3, 12, "+avx512bf16", "v4", true, false},
};

llvm::ArrayRef<Level> levels() { return wholeLevels; }

llvm::ArrayRef<Level> narrowLevels() { return levelsOfNarrowNumbers; }

const Level *findLevel(llvm::StringRef name) {
  for (llvm::ArrayRef<Level> list : {levels(), narrowLevels()})
    for (const Level &level : list)
      if (level.name == name)
        return &level;
  return nullptr;
}

} // namespace nacre::cpu
