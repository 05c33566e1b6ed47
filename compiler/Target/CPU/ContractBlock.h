// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parts of the contraction kernel that its files share. Not for users of the kernel.
#ifndef NACRE_COMPILER_TARGET_CPU_CONTRACTBLOCK_H
#define NACRE_COMPILER_TARGET_CPU_CONTRACTBLOCK_H

#include "compiler/Target/CPU/Contract.h"

namespace nacre::cpu::contract {

/// Everything about the task at hand that its loops need.
struct Block {
  Value a, aRow, aStep;
  Value b, bStep, bColumn;
  Value row, rows;       // first row and number of rows of the task
  Value column, columns; // likewise
  Value depth;           // number of k
  Value listA, list;     // Rows: rows of A from the task's first entry on, of the result from entry 0 on; Depth: of A and B from k = 0 on
  llvm::SmallVector<TileMatrix> extras, outputs;
  Value table, tableRow, tableColumns; // of a fold that has one
};

/// The scratch of a worker, in elements: A's rows of one segment, panels of B, then sums, panel by panel.
struct Scratch {
  explicit Scratch(const Level &level, const ContractSchedule &schedule)
      : width(level.tileVectors * level.lanes), lanes(level.lanes), depth(schedule.depth + level.lanes), rows(schedule.rows),
        panels(schedule.panels ? schedule.panels : 192 / width) {}
  int64_t width, lanes; // columns of a panel of B; rows of a group of A
  int64_t depth, rows, panels;
  int64_t groupSize() const { return depth * lanes; }
  int64_t panelsOffset() const { return (rows + lanes - 1) / lanes * groupSize(); }
  int64_t panelSize() const { return depth * width; }
  int64_t sumsOffset() const { return panelsOffset() + panels * panelSize(); }
  int64_t sumsSize() const { return rows * width; } // of a panel
  int64_t largestOffset() const { return sumsOffset() + panels * sumsSize(); } // of int8: max|x| of each row of A
  int64_t size() const { return largestOffset() + rows; }
};

} // namespace nacre::cpu::contract

#endif
