// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which operators become one kernel. Works on the roles that operators declare, never on their names.
//
// A group is launched as a whole, groups run in order, and an operator joins only the latest group among those that feed it: so no
// order between existing groups ever changes.
#pragma once

#include "dialects/Nacre/IR/Operator.h"
#include "dialects/Nacre/Transforms/Demand.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>

namespace nacre {

enum class GroupKind {
  Rows,     ///< element-wise work and reductions along the last axis, over one iteration space
  Columns,  ///< one reduction along an earlier axis
  Skeleton, ///< a contraction with an epilogue or a fold, attention, gather ...
  Join,     ///< parts copied side by side
  Tap,      ///< a value that the call may read and change in its own buffer
  Choice    ///< one of two values, by a number
};

struct Group {
  GroupKind kind;
  Dims space; ///< Rows: the iteration space; Skeleton: the shape of the heart's result 0
  llvm::SmallVector<mlir::Operation *> ops;
  Guard guard; ///< when its results are needed; the same for all operators
};

/// Work that costs nothing to repeat and has no memory behind it: positions, and values that are one number for all elements (constants,
/// sizes, and whatever is made of those alone). Every kernel that needs such a value makes it for itself.
bool isFree(mlir::Operation *op);
bool isFree(mlir::Value value);

/// Whether a value is positions of every element of a tile. Sizes and positions along one axis are read from memory by an epilogue; these would
/// have to be stored for it.
bool arePositionsOf(llvm::ArrayRef<Dim> tile, mlir::Value value);

/// The value whose storage `value` is a view of.
mlir::Value storageRoot(mlir::Value value);

/// Groups in launch order; every operator that does work is in exactly one (in one of its own where the function has plan::kUnfused).
/// Requires plain tensors and no composites. Fails, naming the operator, on one without a role.
mlir::FailureOr<std::vector<Group>> formGroups(mlir::func::FuncOp function, const Demand &demand);

} // namespace nacre
