// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights that contractions read are packed once for a set of parameters instead of once a task.
#pragma once

#include "dialects/Plan/IR/Packing.h"

#include "mlir/IR/BuiltinOps.h"

namespace nacre {

/// Gives every parameter that a contraction reads as its right factor a packed copy, and adds the program plan::kPackProgram that fills
/// all copies. Products that read a parameter in the same way share one copy; one that is read in two ways has two, because each is what
/// an inner loop reads in order. Returns the bytes of all copies.
///
/// Left alone: programs that write parameters, for which packing inside the kernel costs no more; factors whose size depends on a dim;
/// and factors of few columns, whose copies would more than double them.
///
/// With another precision than f32, copies hold narrow numbers and their products are launches of kernels of that precision, except
/// products with checkpoints, whose prefixes are those of one f32 sum, and int8 sums that 32 bits might not hold.
int64_t packWeights(mlir::ModuleOp module, plan::Precision precision);

} // namespace nacre
