// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Contraction.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Layout.h"
#include "dialects/Nacre/IR/Ops/NestedWidth.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace nacre;
using namespace mlir;

/// Widths must be positive and strictly increasing.
static LogicalResult checkWidths(InferContext &context, ArrayRef<int64_t> widths) {
  for (auto [i, width] : llvm::enumerate(widths))
    if (width <= (i == 0 ? 0 : widths[i - 1]))
      return context.error("expects widths that are positive and strictly increasing");
  return widths.empty() ? context.error("expects at least one width") : success();
}

static LogicalResult checkFits(InferContext &context, ArrayRef<int64_t> widths, const Dim &axis) {
  std::optional<int64_t> size = axis.asConstant();
  if (size && widths.back() > *size)
    return context.error("expects widths up to " + Twine(*size) + ", but got " + Twine(widths.back()));
  return success();
}

//===-- prefixes -------------------------------------------------------------------------------------------------------------===//

LogicalResult PrefixesOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (isa<NestedType>(op.getX().getType()))
    return context.error("expects a tensor, but got a nested value");
  Dims dims = dimsOf(op.getX());
  FailureOr<int64_t> axis = context.axis(op.getAxis(), dims.size());
  if (failed(axis) || failed(checkWidths(context, op.getWidths())) || failed(checkFits(context, op.getWidths(), dims[*axis])))
    return failure();
  dims[*axis] = Dim::symbol(kWidth);
  auto element = cast<RankedTensorType>(context.tensor(plainType(op.getX()).getElementType(), dims));
  results.push_back(NestedType::get(context.context, op.getWidths(), element));
  return success();
}
LogicalResult PrefixesOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  SmallVector<int64_t, 4> shape = x.shape;
  shape[*normalizeAxis(getAxis(), x.rank())] = evaluation.sizeOf(Dim::symbol(kWidth));
  Array result(shape);
  forEach(shape, [&](ArrayRef<int64_t> index) { result(index) = x.at(index); });
  evaluation.out() = std::move(result);
  return success();
}

//===-- nest, pick, stack ----------------------------------------------------------------------------------------------------===//

/// The sizes of a nested value's members: what all parts have, or `width` where each has its own.
static FailureOr<Dims> commonDims(InferContext &context, ValueRange parts, ArrayRef<int64_t> widths) {
  Dims dims = dimsOf(parts[0]);
  auto refuse = [&](Value part) {
    return context.error("expects parts whose sizes are equal or their widths, but got " + text(dimsOf(parts[0])) + " and " + text(dimsOf(part)));
  };
  for (Value part : parts)
    if (dimsOf(part).size() != dims.size())
      return refuse(part);
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    auto sizeOf = [&](Value part) { return dimsOf(part)[axis]; };
    if (llvm::all_of(parts, [&](Value part) { return sizeOf(part) == dims[axis]; }))
      continue;
    for (auto [part, width] : llvm::zip(parts, widths))
      if (sizeOf(part) != Dim::constant(width))
        return refuse(part);
    dims[axis] = Dim::symbol(kWidth);
  }
  return dims;
}

LogicalResult NestOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkWidths(context, op.getWidths())))
    return failure();
  if (op.getParts().size() != op.getWidths().size())
    return context.error("expects one part for each of " + Twine(op.getWidths().size()) + " widths, but got " + Twine(op.getParts().size()));
  for (Value part : op.getParts())
    if (!isa<RankedTensorType>(part.getType()) || plainType(part).getElementType() != plainType(op.getParts()[0]).getElementType())
      return context.error("expects tensors of one type of numbers");
  FailureOr<Dims> dims = commonDims(context, op.getParts(), op.getWidths());
  if (failed(dims))
    return failure();
  auto element = cast<RankedTensorType>(context.tensor(plainType(op.getParts()[0]).getElementType(), *dims));
  results.push_back(NestedType::get(context.context, op.getWidths(), element));
  return success();
}
LogicalResult NestOp::evaluate(Evaluation &evaluation) {
  int64_t width = evaluation.sizeOf(Dim::symbol(kWidth));
  evaluation.out() = evaluation.in(llvm::find(getWidths(), width) - getWidths().begin());
  return success();
}

LogicalResult PickOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  auto nested = dyn_cast<NestedType>(op.getX().getType());
  if (!nested)
    return context.error("expects a nested value, but got a tensor of shape " + text(dimsOf(op.getX())));
  Dim width = Dim::parse(op.getWidth()).value_or(Dim());
  std::optional<int64_t> number = width.asConstant();
  if (number && !llvm::is_contained(nested.getWidths(), *number)) {
    std::string list = llvm::join(llvm::map_range(nested.getWidths(), [](int64_t w) { return std::to_string(w); }), ", ");
    return context.error("expects one of the widths " + list + ", but got " + Twine(*number));
  }
  Dims dims = dimsOf(nested);
  for (Dim &dim : dims)
    dim = dim.substitute(kWidth, width);
  results.push_back(context.tensor(nested.getElement().getElementType(), dims));
  return success();
}
LogicalResult PickOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(0);
  return success();
}

LogicalResult StackOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  auto nested = dyn_cast<NestedType>(op.getX().getType());
  if (!nested)
    return context.error("expects a nested value, but got a tensor of shape " + text(dimsOf(op.getX())));
  Dims dims = dimsOf(nested);
  for (const Dim &dim : dims)
    if (dim.mentions(kWidth))
      return context.error("expects members of one shape, but they are " + text(dims));
  dims.insert(dims.begin(), Dim::constant(nested.getWidths().size()));
  results.push_back(context.tensor(nested.getElement().getElementType(), dims));
  return success();
}
LogicalResult StackOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(0); // the evaluator hands over the members already joined
  return success();
}

//===-- nested_linear --------------------------------------------------------------------------------------------------------===//

LogicalResult NestedLinearOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), w = dimsOf(op.getW());
  if (failed(checkWidths(context, op.getWidths())) || failed(context.requireFloat(op.getX(), "an input")))
    return failure();
  if (x.empty() || w.size() != 2 || w[0] != x.back())
    return context.error("expects weights of shape [" + (x.empty() ? std::string("_") : x.back().str()) + ", _], but got " + text(w));
  if (op.getB() && dimsOf(op.getB()) != Dims{w[1]})
    return context.error("expects a bias of shape [" + w[1].str() + "], but got " + text(dimsOf(op.getB())));
  if (failed(checkFits(context, op.getWidths(), x.back())))
    return failure();
  x.back() = w[1];
  auto element = cast<RankedTensorType>(context.tensor(context.f32(), x));
  results.push_back(NestedType::get(context.context, op.getWidths(), element));
  return success();
}
LogicalResult NestedLinearOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &w = evaluation.in(1);
  const Array *bias = getB() ? &evaluation.in(2) : nullptr;
  int64_t depth = x.shape.back(), columns = w.shape[1], width = evaluation.sizeOf(Dim::symbol(kWidth));
  Array result(evaluation.shapeOf(getResult()));
  for (int64_t i = 0; i < result.size(); ++i) {
    double sum = bias ? bias->data[i % columns] : 0;
    for (int64_t k = 0; k < width; ++k)
      sum += x.data[i / columns * depth + k] * w.data[k * columns + i % columns];
    result.data[i] = sum;
  }
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult NestedLinearOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Value x = PrefixesOp::create(b, getX(), getWidths(), -1);
  Value w = PrefixesOp::create(b, getW(), getWidths(), 0);
  results.push_back(LinearOp::create(b, x, w, getB()));
  return success();
}

//===-- nested_matmul --------------------------------------------------------------------------------------------------------===//

LogicalResult NestedMatmulOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), w = dimsOf(op.getW());
  if (failed(checkWidths(context, op.getWidths())))
    return failure();
  if (x.size() < 2 || w.size() != 2 || w[0] != x.back())
    return context.error("expects weights of shape [" + (x.empty() ? std::string("_") : x.back().str()) + ", _], but got " + text(w));
  x.back() = w[1];
  x.insert(x.begin(), Dim::constant(op.getWidths().size()));
  results.push_back(context.tensor(context.f32(), x));
  return checkFits(context, op.getWidths(), w[0]);
}
LogicalResult NestedMatmulOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &w = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  int64_t depth = x.shape.back(), columns = w.shape[1], perWidth = result.size() / int64_t(getWidths().size());
  for (int64_t i = 0; i < result.size(); ++i) {
    int64_t row = i % perWidth / columns;
    for (int64_t k = 0; k < getWidths()[i / perWidth]; ++k)
      result.data[i] += x.data[row * depth + k] * w.data[k * columns + i % columns];
  }
  evaluation.out() = std::move(result);
  return success();
}

/// With S_i the sum of the cotangents of width i and wider, the columns of segment i see
///   dx[.., seg_i] = S_i @ w[seg_i, :]^T     and     dw[seg_i, :] = x[.., seg_i]^T @ S_i,
/// so the backward costs one product of full width each, like the forward.
LogicalResult NestedMatmulOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula g(b, cotangents[0]), x(b, getX()), w(b, getW());
  Dims flat = {product(ArrayRef<Dim>(x.dims()).drop_back()), x.dims().back()};
  Formula rows = reshape(x, flat);
  SmallVector<Value> dx, dw;
  std::optional<Formula> suffix;
  for (size_t i = getWidths().size(); i-- > 0;) {
    int64_t start = i == 0 ? 0 : getWidths()[i - 1];
    Dim size = Dim::constant(getWidths()[i] - start);
    Formula member = reshape(slice(g, 0, Dim::constant(i), Dim::constant(1)), {flat[0], w.dims()[1]});
    suffix = suffix ? *suffix + member : member;
    dx.push_back(matmul(*suffix, transposed(slice(w, 0, Dim::constant(start), size))).value);
    dw.push_back(matmul(transposed(slice(rows, 1, Dim::constant(start), size)), *suffix).value);
  }
  std::reverse(dx.begin(), dx.end());
  std::reverse(dw.begin(), dw.end());
  // Columns of x beyond the widest width are never read.
  std::optional<int64_t> depth = flat[1].asConstant();
  Formula fullX = concat(b, dx, 1), fullW = concat(b, dw, 0);
  if (!depth || *depth > getWidths().back()) {
    fullX = Formula(b, PadOp::create(b, fullX.value, 1, "0", flat[1].str()));
    fullW = Formula(b, PadOp::create(b, fullW.value, 0, "0", flat[1].str()));
  }
  gradients.append({reshape(fullX, x.dims()).value, fullW.value});
  return success();
}
StringRef NestedMatmulOp::skeleton() { return "contract"; }
bool NestedMatmulOp::acceptsEpilogue() { return true; }
Value NestedMatmulOp::lhs() { return getX(); }
Value NestedMatmulOp::rhs() { return getW(); }
ArrayRef<int64_t> NestedMatmulOp::checkpoints() { return getWidths(); }
Dim NestedMatmulOp::operations() {
  Dims x = dimsOf(getX());
  x.back() = dimsOf(getW())[1];
  return product(x) * Dim::constant(2 * getWidths().back());
}

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/NestedWidth.cpp.inc"
void NacreDialect::addNestedWidth() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/NestedWidth.cpp.inc"
      >();
}
