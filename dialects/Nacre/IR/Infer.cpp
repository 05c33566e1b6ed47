// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Infer.h"

using namespace nacre;
using namespace mlir;

RankedTensorType nacre::plainType(Value value) {
  if (auto nested = dyn_cast<NestedType>(value.getType()))
    return nested.getElement();
  return cast<RankedTensorType>(value.getType());
}

LogicalResult InferContext::lift(ValueRange operands, bool widthwise, SmallVectorImpl<Type> &results,
                                 llvm::function_ref<LogicalResult(SmallVectorImpl<Type> &)> infer) {
  NestedType family;
  for (Value operand : operands) {
    auto nested = dyn_cast<NestedType>(operand.getType());
    if (!nested || !widthwise)
      continue;
    if (family && family.getWidths() != nested.getWidths())
      return error("combines nested values of different widths");
    family = nested;
  }
  SmallVector<Type> plain;
  if (failed(infer(plain)))
    return failure();
  for (Type type : plain)
    results.push_back(family ? Type(NestedType::get(context, family.getWidths(), cast<RankedTensorType>(type))) : type);
  return success();
}

LogicalResult InferContext::error(const Twine &message) const {
  return emitOptionalError(location, name, " ", message);
}

static std::string elementName(Type element) {
  if (element.isInteger(1))
    return "bool";
  std::string text;
  llvm::raw_string_ostream(text) << element;
  return text;
}

LogicalResult InferContext::requireFloat(Value value, StringRef what) const {
  Type element = plainType(value).getElementType();
  if (element.isF32())
    return success();
  return error("expects " + what + " of f32, but got " + elementName(element));
}

LogicalResult InferContext::requireInteger(Value value, StringRef what) const {
  Type element = plainType(value).getElementType();
  if (element.isInteger(32))
    return success();
  return error("expects " + what + " of i32, but got " + elementName(element));
}

FailureOr<int64_t> InferContext::axis(int64_t axis, int64_t rank) const {
  if (std::optional<int64_t> result = normalizeAxis(axis, rank))
    return *result;
  return error("expects an axis from " + Twine(-rank) + " to " + Twine(rank - 1) + ", but got " + Twine(axis));
}
