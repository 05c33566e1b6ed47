// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Defines the functions of the generated header inside an LLVM module: thin calls through the runtime's table of entries.
#pragma once

#include "compiler/Artifact/Model.h"
#include "compiler/Artifact/TableTypes.h"

#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/Module.h"

namespace nacre {

/// Defines `<model>_model`, `<model>_parameters_*`, `<model>_context_*` and one typed function a function of the model.
/// `table` is the model's constant.
void defineInterface(llvm::Module &module, const TableTypes &types, const ModelDescription &model, llvm::GlobalVariable *table);

} // namespace nacre
