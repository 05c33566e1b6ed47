// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registration, and the generated definitions of attribute, type, and interfaces. Each family defines its own operators.
#include "dialects/Nacre/IR/NacreDialect.h"

#include "dialects/Nacre/IR/Operator.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace nacre;

#include "dialects/Nacre/IR/NacreDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Nacre/IR/NacreAttributes.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Nacre/IR/NacreTypes.cpp.inc"

#include "dialects/Nacre/IR/Interfaces.cpp.inc"

void NacreDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Nacre/IR/NacreAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Nacre/IR/NacreTypes.cpp.inc"
      >();
  addProgram();
  addElementwise();
  addReduction();
  addLayout();
  addContraction();
  addNestedWidth();
  addNormalization();
  addAttention();
  addSparseActivation();
  addCodebook();
  addConvolution();
  addFactorization();
  addLoss();
  addOptimizer();
}

LogicalResult NestedType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> widths, RankedTensorType) {
  if (widths.empty())
    return emitError() << "expects at least one width";
  for (auto [i, width] : llvm::enumerate(widths))
    if (width <= (i == 0 ? 0 : widths[i - 1]))
      return emitError() << "expects widths that are positive and strictly increasing";
  return success();
}
