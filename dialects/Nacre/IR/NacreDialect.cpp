// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registration, and the generated definitions of attribute, type, and interfaces. Each family defines its own operators.
#include "dialects/Nacre/IR/NacreDialect.h"

#include "dialects/Nacre/IR/RowInterfaces.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace nacre;

#include "dialects/Nacre/IR/NacreDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Nacre/IR/NacreAttributes.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Nacre/IR/NacreTypes.cpp.inc"

#include "dialects/Nacre/IR/Interfaces.cpp.inc"
#include "dialects/Nacre/IR/RowInterfaces.cpp.inc"

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

LogicalResult SparseType::verify(function_ref<InFlightDiagnostic()> emitError, StringAttr limit, RankedTensorType element) {
  StringRef text = limit.getValue();
  text.consume_front("<=");
  std::optional<Dim> count = Dim::parse(text);
  if (!count || count->asConstant().value_or(1) < 1)
    return emitError() << "expects a limit such as \"32\" or \"<=32*B\", but got " << limit;
  if (element.getRank() < 1 || !element.getElementType().isF32())
    return emitError() << "expects a tensor of f32 with at least one axis, but got " << element;
  return success();
}
bool SparseType::isPerRow() const { return !getLimit().getValue().starts_with("<="); }
Dim SparseType::getCount() const {
  StringRef text = getLimit().getValue();
  text.consume_front("<=");
  return *Dim::parse(text);
}

LogicalResult CodeType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t count, RankedTensorType element) {
  if (count < 1 || count > INT32_MAX)
    return emitError() << "expects a number of codes from 1 to 2147483647, but got " << count;
  if (!element.getElementType().isInteger(32))
    return emitError() << "expects a tensor of i32, but got " << element;
  return success();
}

LogicalResult NestedType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> widths, RankedTensorType) {
  if (widths.empty())
    return emitError() << "expects at least one width";
  for (auto [i, width] : llvm::enumerate(widths))
    if (width <= (i == 0 ? 0 : widths[i - 1]))
      return emitError() << "expects widths that are positive and strictly increasing";
  return success();
}
