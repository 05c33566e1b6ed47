// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A warp as a vector machine: a level of 32 lanes, and the operations by which its threads act as one.
//
// All 32 threads run a kernel together. Every operation here is reached by all of them, or by none.
#ifndef NACRE_COMPILER_TARGET_NVPTX_WARP_H
#define NACRE_COMPILER_TARGET_NVPTX_WARP_H

#include "compiler/Target/CPU/Levels.h"
#include "mlir/IR/Builders.h"

namespace nacre::nvptx {

inline constexpr int64_t kWarpLanes = 32;

/// Warps of a block of the generic kernels, each a worker of its own.
inline constexpr int64_t kWarpsOfBlock = 4; // 128 threads: enough blocks a multiprocessor for any register count; not measured

/// The level that generic kernels are emitted for. Its name is "warp".
const cpu::Level &warpLevel();

/// The number of the thread in its warp, an i32 in [0, 32).
mlir::Value laneOf(mlir::OpBuilder &b, mlir::Location loc);
/// The value that lane `source` (i32) holds; i1, i32, i64 and f32.
mlir::Value fromLane(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value, mlir::Value source);
/// Bit l of the i32 is lane l's `predicate`.
mlir::Value ballot(mlir::OpBuilder &b, mlir::Location loc, mlir::Value predicate);
/// Waits for all lanes; what they wrote before is seen by all afterwards.
void synchronizeLanes(mlir::OpBuilder &b, mlir::Location loc);

} // namespace nacre::nvptx

#endif
