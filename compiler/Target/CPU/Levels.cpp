// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Levels.h"

namespace nacre::cpu {

// Tiles fill the registers but for the operands: 16 of v3 hold 4x3 sums, 3 columns and 1 row value; 32 of v4 hold 8x3, 3 and 1.
// Tall tiles likewise: 6x2 and 12x2.
static const Level allLevels[] = {
    {"v3", "x86-64-v3", "256", 8, 4, 3, 6},
    {"v4", "x86-64-v4", "512", 16, 8, 3, 12},
};

llvm::ArrayRef<Level> levels() { return allLevels; }

const Level *findLevel(llvm::StringRef name) {
  for (const Level &level : levels())
    if (level.name == name)
      return &level;
  return nullptr;
}

} // namespace nacre::cpu
