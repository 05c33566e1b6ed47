// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The dialect class, `DimsAttr`, and the types of the field: `NestedType`, `SparseType`, `CodeType`.
#pragma once

#include "dialects/Nacre/IR/Dims.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"

#include "dialects/Nacre/IR/NacreDialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Nacre/IR/NacreAttributes.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Nacre/IR/NacreTypes.h.inc"
