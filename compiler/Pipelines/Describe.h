// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the artefact says about a model, gathered from the module while its functions still say it.
#pragma once

#include "compiler/Artifact/Model.h"
#include "dialects/Plan/IR/PlanOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace nacre {

/// Dims, functions with their ports, and the train block. Requires the module as the frontend left it.
ModelDescription describeInterface(mlir::ModuleOp module);

/// The parameters, laid out in one block. Requires the optimiser's to be there.
void describeParameters(mlir::ModuleOp module, ModelDescription &model);

/// Launches, buffers and arena of a function. Requires buffers to be planned.
void describeProgram(plan::ProgramOp program, FunctionDescription &function);

/// Skeleton and operators of a kernel, under its own name.
KernelDescription describeKernel(plan::KernelOp kernel);

/// The name in symbols and file names: the model's, in lower case.
std::string symbolPrefix(llvm::StringRef model);

} // namespace nacre
