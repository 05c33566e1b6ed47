// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Infer.h"

using namespace nacre;
using namespace mlir;

RankedTensorType nacre::plainType(Value value) {
  if (auto nested = dyn_cast<NestedType>(value.getType()))
    return nested.getElement();
  if (auto sparse = dyn_cast<SparseType>(value.getType()))
    return sparse.getElement();
  if (auto code = dyn_cast<CodeType>(value.getType()))
    return code.getElement();
  return cast<RankedTensorType>(value.getType());
}

/// Whether the encoding says the size of every axis, in canonical text, and agrees with the static extents.
static bool namesEveryAxis(RankedTensorType type) {
  if (type.hasStaticShape())
    return !type.getEncoding();
  auto encoding = dyn_cast_or_null<DimsAttr>(type.getEncoding());
  if (!encoding || int64_t(encoding.getDims().size()) != type.getRank())
    return false;
  for (auto [attribute, extent] : llvm::zip(encoding.getDims(), type.getShape())) {
    auto text = dyn_cast<StringAttr>(attribute);
    std::optional<Dim> dim = text ? Dim::parse(text.getValue()) : std::nullopt;
    if (!dim || dim->str() != text.getValue() || dim->asConstant().value_or(ShapedType::kDynamic) != extent)
      return false;
  }
  return true;
}

/// Operands are tensors of the element types that the dialect has, with sizes that everyone can read.
static LogicalResult checkOperand(const InferContext &context, Value operand) {
  RankedTensorType type = plainType(operand);
  Type element = type.getElementType();
  std::string found;
  llvm::raw_string_ostream(found) << type;
  if (!element.isF32() && !element.isInteger(32) && !element.isInteger(1))
    return context.error("expects operands of f32, i32 or bool, but got " + found);
  if (!namesEveryAxis(type))
    return context.error("expects operands whose #nacre.dims gives every axis in canonical text, but got " + found);
  return success();
}

/// Refuses sparse values and codes where the operator has no meaning for them.
LogicalResult InferContext::checkKinds(ValueRange operands, const LiftRule &rule) const {
  unsigned sparse = 0;
  bool nested = false;
  for (Value operand : operands) {
    nested |= isa<NestedType>(operand.getType());
    if (auto code = dyn_cast<CodeType>(operand.getType()); code && !rule.codes)
      return error("expects a tensor, but got code[" + Twine(code.getCount()) + "], which has no arithmetic");
    auto type = dyn_cast<SparseType>(operand.getType());
    if (!type)
      continue;
    if (rule.sparse == SparseRule::Refused)
      return error("expects a dense value, but got sparse[" + type.getLimit().getValue() + "]; densify(x) makes it dense");
    if (++sparse > 1)
      return error("expects one sparse operand, but got two; densify(x) makes one dense");
  }
  if (sparse && nested)
    return error("expects no nested value beside a sparse one");
  return success();
}

/// Results of the sparse operand's shape are as sparse as it is.
LogicalResult InferContext::keepSparse(ValueRange operands, SmallVectorImpl<Type> &results) const {
  for (Value operand : operands)
    if (auto type = dyn_cast<SparseType>(operand.getType()))
      for (Type &result : results) {
        if (result != type.getElement())
          return error("expects operands that broadcast to the sparse value's shape " + text(dimsOf(type)) + ", but the result is " +
                       text(dimsOf(result)));
        result = type;
      }
  return success();
}

LogicalResult InferContext::lift(ValueRange operands, const LiftRule &rule, SmallVectorImpl<Type> &results,
                                 llvm::function_ref<LogicalResult(SmallVectorImpl<Type> &)> infer) {
  NestedType family;
  if (failed(checkKinds(operands, rule)))
    return failure();
  for (Value operand : operands) {
    if (failed(checkOperand(*this, operand)))
      return failure();
    auto nested = dyn_cast<NestedType>(operand.getType());
    if (!nested || !rule.widthwise)
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
  return rule.sparse == SparseRule::Kept ? keepSparse(operands, results) : success();
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
