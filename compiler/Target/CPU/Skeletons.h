// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the plan's kernels to CPU code: which builder carries a skeleton, and how a launch fills the builder's slots.
#ifndef NACRE_COMPILER_TARGET_CPU_SKELETONS_H
#define NACRE_COMPILER_TARGET_CPU_SKELETONS_H

#include "compiler/Target/CPU/KernelInfo.h"
#include "compiler/Target/CPU/Levels.h"
#include "dialects/Plan/IR/PlanOps.h"

#include <vector>

namespace nacre::cpu {

/// One slot of a launch.
struct Slot {
  enum Kind {
    Integer,  ///< `value`
    Pointer,  ///< the launch's buffer `buffer`, `value` elements in
    Table,    ///< a constant array of i64
    RowGrain, ///< rows of a task: about kGrainElements elements, by the slot of columns in `buffer`
    FoldRows  ///< rows of a task, at most KernelInfo::mostRows: a part for each thread of the rows in slot `buffer`, in whole steps of kFoldRowStep
  } kind = Integer;
  Dim value;
  int64_t buffer = 0;
  std::vector<int64_t> table;

  static Slot integer(const Dim &value) { return {Integer, value, 0, {}}; }
  static Slot integer(int64_t value) { return {Integer, Dim::constant(value), 0, {}}; }
  static Slot pointer(int64_t buffer, const Dim &offset) { return {Pointer, offset, buffer, {}}; }
};

/// Elements of a row-wise task: long enough to hide the claim of a task, short enough to share out.
inline constexpr int64_t kGrainElements = 16384; // not measured

/// Rows that a task of few rows begins with: a register tile of the widest level, as good as any.
inline constexpr int64_t kFoldRowStep = 8;

/// Emits a kernel for one level. Fails on a skeleton that this target does not have.
mlir::FailureOr<KernelInfo> emitKernel(mlir::ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel);

/// What a kernel of the skeletons `contract` and `contract_fold` computes.
struct ContractSpec;
ContractSpec contractSpec(plan::KernelOp kernel, const Level &level);

/// The view whose rows a kernel reads up to a multiple of kPaddedElements, or nothing: all others are read up to their ends alone.
std::optional<int64_t> paddedView(plan::KernelOp kernel);
inline constexpr int64_t kPaddedElements = 16;

/// The slots of a launch, in the order of its kernel.
std::vector<Slot> fillSlots(plan::KernelOp kernel, plan::LaunchOp launch);

} // namespace nacre::cpu

#endif
