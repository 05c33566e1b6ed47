// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels that compute with vectors of 32 lanes become the program of one thread of a warp.
//
//   vector<32xT>                  one T in each thread
//   load, store at p              at p + lane                    broadcast       the value itself
//   masked load, store, gather    under the thread's predicate   shuffle         a shuffle of the warp
//   store of a scalar             by lane 0                      bits of a mask  a ballot
//   compress                      at the number of set lanes before one's own
//
// Scalars are the same in all threads and computed by each. Vectors of other lengths stay what they are.
#ifndef NACRE_COMPILER_TARGET_NVPTX_DISTRIBUTEVECTORS_H
#define NACRE_COMPILER_TARGET_NVPTX_DISTRIBUTEVECTORS_H

#include "mlir/IR/BuiltinOps.h"

namespace nacre::nvptx {

/// Marks the branch around an access that some lanes do and others do not: its body is straight-line code with nothing to wait for.
inline constexpr llvm::StringLiteral kLaneBranch = "nacre.lane";
/// Marks an access where each thread has an element of its own, at a pointer plus its lane.
inline constexpr llvm::StringLiteral kLaneAccess = "nacre.lane_access";

/// Ensures that no vector of 32 lanes is left in `module`. Fails with a diagnostic on an operation that has no form for one thread.
llvm::LogicalResult distributeVectors(mlir::ModuleOp module);

} // namespace nacre::nvptx

#endif
