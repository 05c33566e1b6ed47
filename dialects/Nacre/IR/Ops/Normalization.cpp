// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Normalization.h"

#include <cmath>

using namespace nacre;
using namespace mlir;

static LogicalResult inferRows(InferContext &context, Value x, SmallVectorImpl<Type> &results) {
  if (plainType(x).getRank() == 0)
    return context.error("expects at least one axis");
  results.push_back(plainType(x));
  return context.requireFloat(x, "an operand");
}

static LogicalResult checkScale(InferContext &context, Value x, Value scale, StringRef what) {
  Dims dims = dimsOf(x);
  if (!scale || dimsOf(scale) == Dims{dims.back()})
    return success();
  return context.error("expects " + what + " of shape [" + dims.back().str() + "], but got " + text(dimsOf(scale)));
}

/// Calls `row` with pointers to each row of the last axis.
static LogicalResult evaluateRows(Evaluation &evaluation, llvm::function_ref<void(const double *, double *, int64_t)> row) {
  const Array &x = evaluation.in(0);
  Array result(x.shape);
  int64_t width = x.shape.back();
  for (int64_t start = 0; start < x.size(); start += width)
    row(&x.data[start], &result.data[start], width);
  evaluation.out() = std::move(result);
  return success();
}

static double logSumExp(const double *x, int64_t width) {
  double top = x[0], sum = 0;
  for (int64_t j = 1; j < width; ++j)
    top = std::fmax(top, x[j]);
  for (int64_t j = 0; j < width; ++j)
    sum += std::exp(x[j] - top);
  return top + std::log(sum);
}

static Formula meanOfRows(Formula x) { return reduceSum(x, -1) * (1.0 / sizeAsNumber(x, x.dims().back())); }

//===-- softmax, log_softmax -------------------------------------------------------------------------------------------------===//

LogicalResult SoftmaxOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferRows(context, op.getX(), results);
}
LogicalResult SoftmaxOp::evaluate(Evaluation &evaluation) {
  return evaluateRows(evaluation, [](const double *x, double *y, int64_t width) {
    double total = logSumExp(x, width);
    for (int64_t j = 0; j < width; ++j)
      y[j] = std::exp(x[j] - total);
  });
}
LogicalResult SoftmaxOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  Formula e = exp(x - stop(reduceMax(x, -1)));
  results.push_back((e * (1.0 / reduceSum(e, -1))).value);
  return success();
}
LogicalResult SoftmaxOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula g(b, cotangents[0]), y(b, getResult());
  gradients.push_back((y * (g - reduceSum(broadcastTo(g, y.dims()) * y, -1))).value);
  return success();
}

LogicalResult LogSoftmaxOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferRows(context, op.getX(), results);
}
LogicalResult LogSoftmaxOp::evaluate(Evaluation &evaluation) {
  return evaluateRows(evaluation, [](const double *x, double *y, int64_t width) {
    double total = logSumExp(x, width);
    for (int64_t j = 0; j < width; ++j)
      y[j] = x[j] - total;
  });
}
LogicalResult LogSoftmaxOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  Formula shifted = x - stop(reduceMax(x, -1));
  results.push_back((shifted - log(reduceSum(exp(shifted), -1))).value);
  return success();
}
LogicalResult LogSoftmaxOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula y(b, getResult()), g = broadcastTo(Formula(b, cotangents[0]), y.dims());
  gradients.push_back((g - exp(y) * reduceSum(g, -1)).value);
  return success();
}

//===-- layer_norm, rms_norm -------------------------------------------------------------------------------------------------===//

LogicalResult LayerNormOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(inferRows(context, op.getX(), results)) || failed(checkScale(context, op.getX(), op.getGamma(), "gamma")))
    return failure();
  return checkScale(context, op.getX(), op.getBeta(), "beta");
}
LogicalResult LayerNormOp::evaluate(Evaluation &evaluation) {
  const Array *gamma = evaluation.in(getGamma()), *beta = evaluation.in(getBeta());
  double eps = getEps().convertToDouble();
  return evaluateRows(evaluation, [&](const double *x, double *y, int64_t width) {
    double mean = 0, variance = 0;
    for (int64_t j = 0; j < width; ++j)
      mean += x[j] / width;
    for (int64_t j = 0; j < width; ++j)
      variance += (x[j] - mean) * (x[j] - mean) / width;
    for (int64_t j = 0; j < width; ++j)
      y[j] = (x[j] - mean) / std::sqrt(variance + eps) * (gamma ? gamma->data[j] : 1) + (beta ? beta->data[j] : 0);
  });
}

namespace {
/// (x - mean) / sqrt(variance + eps), and the second factor.
struct Standardized {
  Formula value, scale;
};
} // namespace

static Standardized standardize(Formula x, double eps) {
  Formula centred = x - meanOfRows(x);
  Formula scale = rsqrt(meanOfRows(square(centred)) + eps);
  return {centred * scale, scale};
}

LogicalResult LayerNormOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula y = standardize(Formula(b, getX()), getEps().convertToDouble()).value;
  if (getGamma())
    y = y * Formula(b, getGamma());
  if (getBeta())
    y = y + Formula(b, getBeta());
  results.push_back(y.value);
  return success();
}
/// With xhat the standardised row and h = g * gamma: dx = scale * (h - mean(h) - xhat * mean(h * xhat)).
LogicalResult LayerNormOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX()), g = broadcastTo(Formula(b, cotangents[0]), x.dims());
  Standardized hat = standardize(x, getEps().convertToDouble());
  Formula h = getGamma() ? g * Formula(b, getGamma()) : g;
  gradients.push_back((hat.scale * (h - meanOfRows(h) - hat.value * meanOfRows(h * hat.value))).value);
  if (getGamma())
    gradients.push_back((g * hat.value).value);
  if (getBeta())
    gradients.push_back(g.value);
  return success();
}

LogicalResult RmsNormOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(inferRows(context, op.getX(), results)))
    return failure();
  return checkScale(context, op.getX(), op.getGamma(), "gamma");
}
LogicalResult RmsNormOp::evaluate(Evaluation &evaluation) {
  const Array *gamma = evaluation.in(getGamma());
  double eps = getEps().convertToDouble();
  return evaluateRows(evaluation, [&](const double *x, double *y, int64_t width) {
    double squares = 0;
    for (int64_t j = 0; j < width; ++j)
      squares += x[j] * x[j] / width;
    for (int64_t j = 0; j < width; ++j)
      y[j] = x[j] / std::sqrt(squares + eps) * (gamma ? gamma->data[j] : 1);
  });
}
LogicalResult RmsNormOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  Formula y = x * rsqrt(meanOfRows(square(x)) + getEps().convertToDouble());
  results.push_back((getGamma() ? y * Formula(b, getGamma()) : y).value);
  return success();
}

//===-- normalize ------------------------------------------------------------------------------------------------------------===//

LogicalResult NormalizeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(plainType(op.getX()));
  if (failed(context.requireFloat(op.getX(), "an operand")))
    return failure();
  return LogicalResult(context.axis(op.getAxis(), plainType(op.getX()).getRank()));
}
LogicalResult NormalizeOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  int64_t axis = *normalizeAxis(getAxis(), x.rank());
  SmallVector<int64_t, 4> shape = x.shape;
  shape[axis] = 1;
  Array squares(shape);
  auto kept = [&](ArrayRef<int64_t> index) {
    SmallVector<int64_t> result(index);
    result[axis] = 0;
    return result;
  };
  forEach(x.shape, [&](ArrayRef<int64_t> index) { squares(kept(index)) += x.at(index) * x.at(index); });
  Array result(x.shape);
  double eps = getEps().convertToDouble();
  forEach(x.shape, [&](ArrayRef<int64_t> index) {
    result(index) = x.at(index) / std::fmax(std::sqrt(squares(kept(index))), eps);
  });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult NormalizeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  // max(norm, eps) = sqrt(max(norm^2, eps^2)); the second form has no infinite slope at a zero row.
  double eps = getEps().convertToDouble(), floor = std::fmax(eps * eps, 1e-37); // 1e-37: smallest that f32 holds as a normal number
  results.push_back((x * rsqrt(maximum(reduceSum(square(x), getAxis()), Formula(b, floor)))).value);
  return success();
}

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Normalization.cpp.inc"
void NacreDialect::addNormalization() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Normalization.cpp.inc"
      >();
}
