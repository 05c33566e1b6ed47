// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel that packs weights once, in the panels that a contraction's register tile reads (dialects/Plan/IR/Packing.h): panel p holds
// columns [p * width, (p + 1) * width), word by word of k. Columns that do not exist are 0, or copies of the last one: they are computed
// with and never stored.
//
// f32: word k is the weight. Narrow numbers as Narrow.h has them: bf16 puts k and k + 1 into one word. int8 puts a column's scale and what
// its sum begins with before the numbers, then four bytes of ascending k a word where the level has VPDPBUSD, whose other factor is
// unsigned (the sum begins with -128 * sum of the column), else two bytes a half-word.
#ifndef NACRE_COMPILER_TARGET_CPU_PACKWEIGHTS_H
#define NACRE_COMPILER_TARGET_CPU_PACKWEIGHTS_H

#include "compiler/Target/CPU/Skeletons.h"
#include "dialects/Plan/IR/Packing.h"

namespace nacre::cpu {

/// The slots of the kernel; strides count elements of the source and words of the target.
struct PackSlots {
  enum : int64_t {
    Source, Target,         // pointers
    Depth, Columns,         // of a matrix
    Step, Column,           // strides of the source between k and between columns; one of them must be 1
    Words,                  // of a column in the target
    Batch, BatchInner,      // number of matrices, and of those of the inner axis
    SourceOuter, SourceInner, TargetOuter, TargetInner,
    Count
  };
};

/// Adds the kernel `name` for `level` to `module`.
KernelInfo emitPackWeights(mlir::ModuleOp module, llvm::StringRef name, const Level &level, plan::Precision precision);

/// The slots of a launch, whose views are the weights and the packed buffer.
std::vector<Slot> fillPackWeights(plan::LaunchOp launch);

/// The precision of a contraction's or a packing kernel's weights.
plan::Precision precisionOf(plan::KernelOp kernel);

/// Whether view `operand` of a launch is a packed buffer.
bool isPacked(plan::LaunchOp launch, int64_t operand);

} // namespace nacre::cpu

#endif
