// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registration, and the generated definitions of attribute, type, interfaces and operators.
#include "dialects/Nacre/IR/NacreDialect.h"

#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/NacreOps.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Scalar.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace nacre;

#include "dialects/Nacre/IR/NacreDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Nacre/IR/NacreAttributes.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Nacre/IR/NacreTypes.cpp.inc"

#include "dialects/Nacre/IR/Interfaces.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/Nacre/IR/NacreOps.cpp.inc"

void NacreDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Nacre/IR/NacreAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Nacre/IR/NacreTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/NacreOps.cpp.inc"
      >();
}

LogicalResult NestedType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> widths, RankedTensorType) {
  if (widths.empty())
    return emitError() << "expects at least one width";
  for (auto [i, width] : llvm::enumerate(widths))
    if (width <= (i == 0 ? 0 : widths[i - 1]))
      return emitError() << "expects widths that are positive and strictly increasing";
  return success();
}
