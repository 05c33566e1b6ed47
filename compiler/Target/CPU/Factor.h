// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Triangular factors of small matrices, and substitution with them. A matrix is factored by one task in one fixed order; substitution
// splits the columns of the right side. Sums are f32, in ascending order of the summed index (Cholesky: lanes first, in a fixed tree).
#ifndef NACRE_COMPILER_TARGET_CPU_FACTOR_H
#define NACRE_COMPILER_TARGET_CPU_FACTOR_H

#include "compiler/Target/CPU/KernelInfo.h"
#include "compiler/Target/CPU/VectorBuilder.h"

namespace nacre::cpu {

/// Input and output are batches of n x n matrices with columns of stride 1. Order: n positions a matrix (lu alone).
struct FactorSlots {
  enum : int64_t { Input, Output, Order, Batch, Size, InputBatch, InputRow, OutputBatch, OutputRow, OrderBatch, SlotCount };
};
/// T x = b[order] for n x n matrices and n x m right sides. Order is read only when the kernel has one.
struct SubstituteSlots {
  enum : int64_t { Matrix, Side, Output, Order, Batch, Size, Columns, MatrixBatch, MatrixRow, SideBatch, SideRow, OutputBatch, OutputRow,
                   OrderBatch, SlotCount };
};

KernelInfo emitLu(mlir::ModuleOp module, llvm::StringRef name, const Level &level);
KernelInfo emitCholesky(mlir::ModuleOp module, llvm::StringRef name, const Level &level);

struct SubstituteSpec {
  bool lower, unit, ordered;
};
KernelInfo emitSubstitute(mlir::ModuleOp module, llvm::StringRef name, const Level &level, SubstituteSpec spec);

} // namespace nacre::cpu

#endif
