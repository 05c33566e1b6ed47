// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A fixed place for every intermediate buffer.
#pragma once

#include "dialects/Plan/IR/PlanOps.h"

namespace nacre {

/// Gives every arena buffer of a program an offset, and the program its `arena` size, both in bytes as polynomials in the dims.
///
/// Buffers are grouped by symbolic size (1, B, B*T ...); inside a group sizes are integer multiples, which first-fit packing places by
/// liveness once for all dims. Offsets are multiples of 64 bytes. Two buffers that live at the same time never overlap; an element-wise
/// launch may write over an operand that dies with it. Streams come first, at the same place in every program of the module.
void planBuffers(plan::ProgramOp program);

} // namespace nacre
