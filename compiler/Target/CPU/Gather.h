// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows of a table by index, and the sum of rows into a table: no atomics, one fixed order.
#ifndef NACRE_COMPILER_TARGET_CPU_GATHER_H
#define NACRE_COMPILER_TARGET_CPU_GATHER_H

#include "compiler/Target/CPU/KernelInfo.h"
#include "compiler/Target/CPU/VectorBuilder.h"

namespace nacre::cpu {

/// y[n] = table[ids[n]]: ids beyond the table are clamped.
struct GatherSlots {
  enum : int64_t { Table, Ids, Output, Count_, Width, TableRows, TableStride, OutputStride, SlotCount };
};
/// table = 0, then table[ids[n]] += x[n] for n ascending. Tasks split the columns.
struct ScatterSlots {
  enum : int64_t { Input, Ids, Output, Count_, Width, TableRows, InputStride, OutputStride, SlotCount };
};

KernelInfo emitGather(mlir::ModuleOp module, llvm::StringRef name, const Level &level);
KernelInfo emitScatter(mlir::ModuleOp module, llvm::StringRef name, const Level &level);

} // namespace nacre::cpu

#endif
