// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The stages as passes. Contracts: Passes.td.
#pragma once

#include "mlir/Pass/Pass.h"

namespace nacre {

#define GEN_PASS_DECL
#include "compiler/Pipelines/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/Pipelines/Passes.h.inc"

} // namespace nacre
