// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A budget for the values of a call: where they take more, some are computed again instead of being kept.
#pragma once

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace nacre {

/// What the values of a function take in its arena at the greatest sizes of its dims, in bytes.
struct MemoryReport {
  std::string function;
  int64_t bytesBefore = 0, bytes = 0; ///< with everything kept, and as it is compiled
  int64_t recomputed = 0;             ///< values that are computed again
};

/// Keeps the arena of every function within `limit` bytes at the greatest sizes of its dims, with as few values computed again as it takes.
/// Parameters, optimiser states, inputs and results are not counted. Requires primitives; works on the functions, and plans copies of them
/// to see what they need. Fails, with the least that is possible, where that is more than the limit.
mlir::FailureOr<std::vector<MemoryReport>> limitMemory(mlir::ModuleOp module, int64_t limit);

} // namespace nacre
