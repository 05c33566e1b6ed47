// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a training step does to gradients before the optimiser sees them.
#pragma once

#include "dialects/Nacre/IR/Expression.h"

namespace nacre {

/// g without its part along w, row by row of the last axis: a step along it would only change the rows' lengths. A zero row of w leaves
/// g as it is.
Formula withoutRadialPart(Formula w, Formula g);

/// Rows of the last axis scaled to length 1; a zero row stays zero.
Formula withUnitRows(Formula w);

/// All gradients times min(1, maxNorm / norm), where norm is the Euclidean one over all of them (Pascanu and others 2013).
void clipByGlobalNorm(mlir::ImplicitLocOpBuilder &b, llvm::MutableArrayRef<mlir::Value> gradients, double maxNorm);

} // namespace nacre
