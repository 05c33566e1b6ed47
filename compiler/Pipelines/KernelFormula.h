// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A kernel's operators as text that a person reads: "result = gelu(add(matmul(x, w1), b1))".
#pragma once

#include "dialects/Plan/IR/PlanOps.h"

#include <string>
#include <vector>

namespace nacre {

/// Assignments in order. `inputs` names the kernel's block arguments, `outputs` what it yields. Operators are called by the names that
/// they have in the dialect, options follow their operands; a value with several readers has a line of its own.
std::vector<std::string> formulaOf(plan::KernelOp kernel, llvm::ArrayRef<std::string> inputs, llvm::ArrayRef<std::string> outputs);

/// The operators' names in order, each run of equal ones once: "matmul add gelu". Of a kernel without operators "copy", or its skeleton.
std::string operatorsOf(plan::KernelOp kernel);

} // namespace nacre
