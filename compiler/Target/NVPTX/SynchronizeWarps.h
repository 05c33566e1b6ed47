// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the lanes of a warp exchange data through memory, they wait for each other.
#ifndef NACRE_COMPILER_TARGET_NVPTX_SYNCHRONIZEWARPS_H
#define NACRE_COMPILER_TARGET_NVPTX_SYNCHRONIZEWARPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace nacre::nvptx {

/// Makes the memory of a distributed kernel behave as if one thread ran it: between a write and a later access, and between a read and
/// a later write, all lanes meet, unless nothing that either touches can be another lane's. `slots`, the pointer that it is not
/// written through, needs no care.
///
/// elementsStay: an element that some lane accesses at a vector's place is accessed at vectors' places by that lane alone.
void synchronizeWarps(mlir::func::FuncOp kernel, mlir::Value slots, bool elementsStay);

} // namespace nacre::nvptx

#endif
