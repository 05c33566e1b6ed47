// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products that are folded and never stored are computed again for each of their folds.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace nacre {

/// Gives every fold of rows that is also defined by simpler operators a product of its own, with the element-wise work between, right
/// before it, so that kernel formation can fold tiles as they are computed. Where no product is folded, the definition takes its place.
/// Common operators must not be merged afterwards.
mlir::LogicalResult isolateFolds(mlir::func::FuncOp function);

} // namespace nacre
