// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers that hold smaller ones, and parameters that move between models of different width.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Layout.h"
#include "dialects/Nacre/IR/Ops/NestedWidth.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace nacre;
using namespace mlir;

//===-- block_nested_linear --------------------------------------------------------------------------------------------------===//

LogicalResult BlockNestedLinearOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), w = dimsOf(op.getW());
  if (failed(context.requireFloat(op.getX(), "an input")) || failed(context.requireFloat(op.getW(), "weights")))
    return failure();
  int64_t last = 0;
  for (int64_t width : op.getWidths()) {
    if (width <= last)
      return context.error("expects widths that are positive and strictly increasing");
    last = width;
  }
  if (x.empty() || last == 0 || x.back() != Dim::constant(last))
    return context.error("expects widths up to the last axis of the input, but got " + Twine(last) + " and " + text(x));
  if (w != Dims{x.back(), x.back()})
    return context.error("expects weights of shape [" + x.back().str() + ", " + x.back().str() + "], but got " + text(w));
  if (op.getB() && dimsOf(op.getB()) != Dims{x.back()})
    return context.error("expects a bias of shape [" + x.back().str() + "], but got " + text(dimsOf(op.getB())));
  results.push_back(context.tensor(context.f32(), x));
  return success();
}
LogicalResult BlockNestedLinearOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &w = evaluation.in(1), *bias = evaluation.in(getB());
  int64_t width = w.shape[0];
  Array result(x.shape);
  for (int64_t i = 0; i < result.size(); ++i) {
    int64_t column = i % width, depth = *llvm::upper_bound(getWidths(), column);
    for (int64_t k = 0; k < depth; ++k)
      result.data[i] += x.data[i - column + k] * w.data[k * width + column];
    result.data[i] += bias ? bias->data[column] : 0;
  }
  evaluation.out() = std::move(result);
  return success();
}

static Formula part(Formula x, int64_t axis, int64_t begin, int64_t end) {
  return slice(x, axis, Dim::constant(begin), Dim::constant(end - begin));
}
static Formula asRows(Formula x) {
  Dims dims = x.dims();
  return reshape(x, {product(ArrayRef<Dim>(dims).drop_back()), dims.back()});
}
/// Calls `body` with begin and end of every segment.
static void forEachSegment(ArrayRef<int64_t> widths, llvm::function_ref<void(int64_t, int64_t)> body) {
  int64_t begin = 0;
  for (int64_t end : widths) {
    body(begin, end);
    begin = end;
  }
}

LogicalResult BlockNestedLinearOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX()), rows = asRows(x), w(b, getW());
  SmallVector<Value> parts;
  forEachSegment(getWidths(), [&](int64_t begin, int64_t end) {
    Formula y = matmul(part(rows, 1, 0, end), part(part(w, 0, 0, end), 1, begin, end));
    parts.push_back((getB() ? y + part(Formula(b, getB()), 0, begin, end) : y).value);
  });
  results.push_back(reshape(concat(b, parts, 1), x.dims()).value);
  return success();
}
/// Inputs of a segment reach the outputs from that segment on; weights below the staircase have gradient 0.
LogicalResult BlockNestedLinearOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX()), rows = asRows(x), w(b, getW()), g = asRows(broadcastTo(Formula(b, cotangents[0]), x.dims()));
  int64_t width = getWidths().back();
  SmallVector<Value> dx, dw;
  forEachSegment(getWidths(), [&](int64_t begin, int64_t end) {
    dx.push_back(matmul(part(g, 1, begin, width), transposed(part(part(w, 0, begin, end), 1, begin, width))).value);
    Formula used = matmul(transposed(part(rows, 1, 0, end)), part(g, 1, begin, end));
    dw.push_back(end == width ? used.value : Value(PadOp::create(b, used.value, 0, "0", std::to_string(width))));
  });
  gradients.append({reshape(concat(b, dx, 1), x.dims()).value, concat(b, dw, 1).value});
  if (getB())
    gradients.push_back(dropAxis(reduceSum(g, 0), 0).value);
  return success();
}

//===-- simplex_head ---------------------------------------------------------------------------------------------------------===//

LogicalResult SimplexHeadOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  if (failed(context.requireFloat(op.getX(), "an input")))
    return failure();
  if (dims.empty())
    return context.error("expects at least one axis");
  dims.back() = dims.back() + Dim::constant(1);
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}
LogicalResult SimplexHeadOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  Array result(evaluation.shapeOf(getResult()));
  int64_t width = x.shape.back();
  double alpha = (1 - std::sqrt(double(width + 1))) / double(width);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t row = i / width * (width + 1);
    result.data[row + i % width] = x.data[i];
    result.data[row + width] += alpha * x.data[i];
  }
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult SimplexHeadOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX()), d = sizeAsNumber(x, x.dims().back());
  Formula last = reduceSum(x, -1) * ((1.0 - sqrt(d + 1.0)) / d);
  results.push_back(concat(b, {x.value, last.value}, -1).value);
  return success();
}

//===-- coalesce, decoalesce, interpolate ------------------------------------------------------------------------------------===//

/// The sizes with `axis` as [axis / factor, factor].
static Dims splitAxis(Dims dims, int64_t axis, int64_t factor) {
  dims[axis] = *dims[axis].dividedBy(factor);
  dims.insert(dims.begin() + axis + 1, Dim::constant(factor));
  return dims;
}

LogicalResult CoalesceOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getW());
  FailureOr<int64_t> axis = context.axis(op.getAxis(), dims.size());
  if (failed(axis) || failed(context.requireFloat(op.getW(), "parameters")))
    return failure();
  int64_t factor = op.getFactor();
  if (factor < 1 || !dims[*axis].dividedBy(factor))
    return context.error("expects a factor that divides the axis of " + dims[*axis].str() + ", but got " + Twine(factor));
  dims[*axis] = *dims[*axis].dividedBy(factor);
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}
LogicalResult CoalesceOp::evaluate(Evaluation &evaluation) {
  const Array &w = evaluation.in(0);
  int64_t axis = *normalizeAxis(getAxis(), w.rank()), factor = getFactor();
  Array result(evaluation.shapeOf(getResult()));
  forEach(w.shape, [&](ArrayRef<int64_t> at) {
    SmallVector<int64_t> to(at);
    to[axis] /= factor;
    result(to) += getSum() ? w.at(at) : w.at(at) / double(factor);
  });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult CoalesceOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula w(b, getW());
  int64_t axis = *normalizeAxis(getAxis(), w.rank()), factor = getFactor();
  Formula sum = dropAxis(reduceSum(reshape(w, splitAxis(w.dims(), axis, factor)), axis + 1), axis + 1);
  results.push_back((getSum() ? sum : sum * (1.0 / double(factor))).value);
  return success();
}

LogicalResult DecoalesceOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getW());
  FailureOr<int64_t> axis = context.axis(op.getAxis(), dims.size());
  if (failed(axis) || failed(context.requireFloat(op.getW(), "parameters")))
    return failure();
  if (int64_t(op.getFactor()) < 1)
    return context.error("expects a factor of at least 1, but got " + Twine(int64_t(op.getFactor())));
  dims[*axis] = dims[*axis] * Dim::constant(op.getFactor());
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}
LogicalResult DecoalesceOp::evaluate(Evaluation &evaluation) {
  const Array &w = evaluation.in(0);
  int64_t axis = *normalizeAxis(getAxis(), w.rank()), factor = getFactor();
  Array result(evaluation.shapeOf(getResult()));
  forEach(result.shape, [&](ArrayRef<int64_t> at) {
    SmallVector<int64_t> from(at);
    from[axis] /= factor;
    result(at) = w.at(from) / (getDivide() ? double(factor) : 1);
  });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult DecoalesceOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula w(b, getW());
  Dims dims = dimsOf(getResult());
  int64_t axis = *normalizeAxis(getAxis(), w.rank()), factor = getFactor();
  if (getDivide())
    w = w * (1.0 / double(factor));
  results.push_back(reshape(broadcastTo(addAxis(w, axis + 1), splitAxis(dims, axis, factor)), dims).value);
  return success();
}

LogicalResult InterpolateOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getA(), "parameters")) || failed(context.requireFloat(op.getB(), "parameters")))
    return failure();
  if (dimsOf(op.getA()) != dimsOf(op.getB()))
    return context.error("expects two values of one shape, but got " + text(dimsOf(op.getA())) + " and " + text(dimsOf(op.getB())));
  results.push_back(plainType(op.getA()));
  return success();
}
LogicalResult InterpolateOp::evaluate(Evaluation &evaluation) {
  Array result = evaluation.in(0);
  double t = getT().convertToDouble();
  for (int64_t i = 0; i < result.size(); ++i)
    result.data[i] = (1 - t) * result.data[i] + t * evaluation.in(1).data[i];
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult InterpolateOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  double t = getT().convertToDouble();
  results.push_back((Formula(b, getA()) * (1 - t) + Formula(b, getB()) * t).value);
  return success();
}
