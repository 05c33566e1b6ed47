// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The plan dialect: kernels, programs, buffers, launches.
#pragma once

#include "dialects/Nacre/IR/Layout.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"

#include "dialects/Plan/IR/PlanDialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Plan/IR/PlanAttributes.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Plan/IR/PlanTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/Plan/IR/PlanOps.h.inc"

namespace nacre::plan {

/// Views that no buffer stands behind.
inline constexpr int64_t kPosition = -1, kNumber = -2;

ViewAttr viewOf(mlir::MLIRContext *context, int64_t buffer, const Layout &layout);
Layout layoutOf(ViewAttr view);

} // namespace nacre::plan
