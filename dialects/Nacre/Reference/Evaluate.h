// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reference evaluator: runs a function of nacre operators in f64, one operator after the other, as naively as possible.
// It is what compiled code is compared with, and shares nothing with any lowering.
#pragma once

#include "dialects/Nacre/Reference/Array.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <map>
#include <string>

namespace nacre {

/// A plain value has one member, a nested one a member for each width.
using Members = std::vector<Array>;

/// Parameters by name; `nacre.assign` writes here.
using ParameterValues = std::map<std::string, Array>;

/// Sees each result of an operator as soon as it is there, and may change it.
using ResultObserver = llvm::function_ref<void(mlir::Value, Array &)>;

/// Runs `function` with `inputs` (one array an argument; a run-time width choice is a scalar). Named sizes are bound by the inputs'
/// shapes. Every result as members. Fails with a diagnostic on an operator without a reference or sizes that do not fit.
/// `observer` may be null.
mlir::FailureOr<std::vector<Members>> evaluate(mlir::func::FuncOp function, llvm::ArrayRef<Array> inputs, ParameterValues &parameters,
                                               ResultObserver observer = nullptr);

} // namespace nacre
