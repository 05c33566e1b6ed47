// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Loss.h"
#include "dialects/Nacre/IR/Ops/Normalization.h"
#include "dialects/Nacre/IR/Ops/Reduction.h"

#include <cmath>

using namespace nacre;
using namespace mlir;

/// The mean over all elements, as one number.
static Value meanOfAll(Formula x) { return MeanOp::create(*x.b, x.value, Value(), IntegerAttr(), StringAttr(), x.b->getBoolAttr(false)); }

static LogicalResult inferElementLoss(InferContext &context, Value a, Value b, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(a, "predictions")) || failed(context.requireFloat(b, "targets")))
    return failure();
  if (dimsOf(a) != dimsOf(b))
    return context.error("expects two values of one shape, but got " + text(dimsOf(a)) + " and " + text(dimsOf(b)));
  results.push_back(context.tensor(context.f32(), {}));
  return success();
}

static LogicalResult evaluateElementLoss(Evaluation &evaluation, llvm::function_ref<double(double, double)> loss) {
  const Array &a = evaluation.in(0), &b = evaluation.in(1);
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i)
    sum += loss(a.data[i], b.data[i]);
  evaluation.out() = Array({}, sum / double(a.size()));
  return success();
}

//===-- cross_entropy --------------------------------------------------------------------------------------------------------===//

LogicalResult CrossEntropyOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims logits = dimsOf(op.getLogits());
  if (failed(context.requireFloat(op.getLogits(), "logits")) || failed(context.requireInteger(op.getY(), "labels")))
    return failure();
  if (logits.size() < 2)
    return context.error("expects logits of shape [.., classes], but got " + text(logits));
  Dims rows(logits.begin(), logits.end() - 1);
  if (dimsOf(op.getY()) != rows)
    return context.error("expects labels of shape " + text(rows) + ", but got " + text(dimsOf(op.getY())));
  results.push_back(context.tensor(context.f32(), {}));
  return success();
}
LogicalResult CrossEntropyOp::evaluate(Evaluation &evaluation) {
  const Array &logits = evaluation.in(0), &labels = evaluation.in(1);
  int64_t classes = logits.shape.back(), rows = labels.size();
  double sum = 0, smoothing = getSmoothing().convertToDouble();
  for (int64_t row = 0; row < rows; ++row) {
    const double *x = &logits.data[row * classes];
    double top = x[0], total = 0, average = 0;
    for (int64_t j = 0; j < classes; ++j)
      top = std::fmax(top, x[j]);
    for (int64_t j = 0; j < classes; ++j) {
      total += std::exp(x[j] - top);
      average += x[j] / classes;
    }
    double lse = top + std::log(total);
    sum += lse - (1 - smoothing) * x[int64_t(labels.data[row])] - smoothing * average;
  }
  evaluation.out() = Array({}, sum / double(rows));
  return success();
}
Value CrossEntropyOp::positions() { return getY(); }
std::optional<int64_t> CrossEntropyOp::positionBound() { return dimsOf(getLogits()).back().asConstant(); }
LogicalResult CrossEntropyOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getLogits());
  double smoothing = getSmoothing().convertToDouble();
  Formula logp(b, LogSoftmaxOp::create(b, x.value));
  Formula label = addAxis(toFloat(Formula(b, getY())), -1);
  Dims row(x.rank(), Dim::constant(1));
  row.back() = x.dims().back();
  Formula target = select(iota(b, row, -1) == label, Formula(b, 1 - smoothing), Formula(b, 0.0));
  if (smoothing > 0)
    target = target + smoothing * (1.0 / sizeAsNumber(x, x.dims().back()));
  Formula losses = -reduceSum(logp * target, -1);
  results.push_back(meanOfAll(dropAxis(losses, -1)));
  return success();
}

//===-- element losses -------------------------------------------------------------------------------------------------------===//

LogicalResult BceOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferElementLoss(context, op.getLogits(), op.getY(), results);
}
LogicalResult BceOp::evaluate(Evaluation &evaluation) {
  return evaluateElementLoss(evaluation, [](double x, double y) {
    return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))) - x * y;
  });
}
LogicalResult BceOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getLogits()), y(b, getY());
  results.push_back(meanOfAll(softplus(x) - x * y));
  return success();
}

LogicalResult MseOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferElementLoss(context, op.getA(), op.getB(), results);
}
LogicalResult MseOp::evaluate(Evaluation &evaluation) {
  return evaluateElementLoss(evaluation, [](double a, double b) { return (a - b) * (a - b); });
}
LogicalResult MseOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  results.push_back(meanOfAll(square(Formula(b, getA()) - Formula(b, getB()))));
  return success();
}

LogicalResult L1Op::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferElementLoss(context, op.getA(), op.getB(), results);
}
LogicalResult L1Op::evaluate(Evaluation &evaluation) {
  return evaluateElementLoss(evaluation, [](double a, double b) { return std::fabs(a - b); });
}
LogicalResult L1Op::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  results.push_back(meanOfAll(abs(Formula(b, getA()) - Formula(b, getB()))));
  return success();
}

LogicalResult HuberOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (op.getDelta().convertToDouble() <= 0)
    return context.error("expects a delta above 0");
  return inferElementLoss(context, op.getA(), op.getB(), results);
}
LogicalResult HuberOp::evaluate(Evaluation &evaluation) {
  double delta = getDelta().convertToDouble();
  return evaluateElementLoss(evaluation, [&](double a, double b) {
    double d = std::fabs(a - b);
    return d <= delta ? d * d / 2 : delta * (d - delta / 2);
  });
}
/// With c = min(|d|, delta): c^2 / 2 + delta (|d| - c).
LogicalResult HuberOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  double delta = getDelta().convertToDouble();
  Formula d = abs(Formula(b, getA()) - Formula(b, getB()));
  Formula c = minimum(d, Formula(b, delta));
  results.push_back(meanOfAll(square(c) * 0.5 + (d - c) * delta));
  return success();
}

LogicalResult HingeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferElementLoss(context, op.getX(), op.getY(), results);
}
LogicalResult HingeOp::evaluate(Evaluation &evaluation) {
  return evaluateElementLoss(evaluation, [](double x, double y) { return std::fmax(0, 1 - x * y); });
}
LogicalResult HingeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula margin = 1.0 - Formula(b, getX()) * Formula(b, getY());
  results.push_back(meanOfAll(Formula(b, ReluOp::create(b, margin.value))));
  return success();
}

//===-- kl_distill -----------------------------------------------------------------------------------------------------------===//

LogicalResult KlOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (op.getTemperature().convertToDouble() <= 0)
    return context.error("expects a temperature above 0");
  if (dimsOf(op.getStudent()).empty())
    return context.error("expects at least one axis");
  return inferElementLoss(context, op.getStudent(), op.getTeacher(), results);
}
LogicalResult KlOp::evaluate(Evaluation &evaluation) {
  const Array &student = evaluation.in(0), &teacher = evaluation.in(1);
  double t = getTemperature().convertToDouble(), sum = 0;
  int64_t width = student.shape.back();
  auto logSumExp = [&](const double *x) {
    double top = x[0], total = 0;
    for (int64_t j = 0; j < width; ++j)
      top = std::fmax(top, x[j]);
    for (int64_t j = 0; j < width; ++j)
      total += std::exp((x[j] - top) / t);
    return top / t + std::log(total);
  };
  for (int64_t start = 0; start < student.size(); start += width) {
    const double *s = &student.data[start], *p = &teacher.data[start];
    double ls = logSumExp(s), lp = logSumExp(p);
    for (int64_t j = 0; j < width; ++j)
      sum += std::exp(p[j] / t - lp) * ((p[j] / t - lp) - (s[j] / t - ls));
  }
  evaluation.out() = Array({}, t * t * sum / (double(student.size()) / width));
  return success();
}
LogicalResult KlOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  double t = getTemperature().convertToDouble();
  Formula s(b, LogSoftmaxOp::create(b, (Formula(b, getStudent()) * (1 / t)).value));
  Formula p(b, LogSoftmaxOp::create(b, (Formula(b, getTeacher()) * (1 / t)).value));
  Formula divergence = dropAxis(reduceSum(exp(p) * (p - s), -1), -1);
  results.push_back((Formula(b, meanOfAll(divergence)) * (t * t)).value);
  return success();
}

//===-- ordinal_cross_entropy, early_learning_regularization, rate -----------------------------------------------------------===//

static LogicalResult checkLabels(InferContext &context, Value logits, Value y, StringRef what) {
  Dims rows = dimsOf(logits);
  if (failed(context.requireFloat(logits, "logits")) || failed(context.requireInteger(y, what)))
    return failure();
  if (rows.empty())
    return context.error("expects logits of shape [.., classes], but got " + text(rows));
  rows.pop_back();
  if (dimsOf(y) != rows)
    return context.error("expects " + what + " of shape " + text(rows) + ", but got " + text(dimsOf(y)));
  return success();
}

LogicalResult OrdinalCrossEntropyOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(context.tensor(context.f32(), {}));
  return checkLabels(context, op.getLogits(), op.getY(), "labels");
}
LogicalResult OrdinalCrossEntropyOp::evaluate(Evaluation &evaluation) {
  const Array &logits = evaluation.in(0), &labels = evaluation.in(1);
  int64_t width = logits.shape.back();
  double sum = 0;
  for (int64_t i = 0; i < logits.size(); ++i) {
    double x = logits.data[i], above = labels.data[i / width] > double(i % width) ? 1 : 0;
    sum += std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))) - x * above;
  }
  evaluation.out() = Array({}, sum / double(labels.size()));
  return success();
}
LogicalResult OrdinalCrossEntropyOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getLogits()), y = addAxis(toFloat(Formula(b, getY())), -1);
  Formula losses = softplus(x) - select(iota(b, x.dims(), -1) < y, x, Formula(b, 0.0));
  results.push_back(meanOfAll(reduceSum(losses, -1)));
  return success();
}

LogicalResult EarlyLearningOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(context.tensor(context.f32(), {}));
  if (failed(checkLabels(context, op.getLogits(), op.getY(), "labels")) || failed(context.requireFloat(op.getQ(), "average predictions")))
    return failure();
  if (dimsOf(op.getQ()) != dimsOf(op.getLogits()))
    return context.error("expects average predictions of shape " + text(dimsOf(op.getLogits())) + ", but got " + text(dimsOf(op.getQ())));
  double clamp = op.getClamp().convertToDouble();
  return clamp >= 0 && clamp < 0.5 ? success() : context.error("expects a clamp from 0 to below 0.5");
}
Value EarlyLearningOp::positions() { return getY(); }
std::optional<int64_t> EarlyLearningOp::positionBound() { return dimsOf(getLogits()).back().asConstant(); }
LogicalResult EarlyLearningOp::evaluate(Evaluation &evaluation) {
  const Array &logits = evaluation.in(0), &labels = evaluation.in(1), &q = evaluation.in(2);
  int64_t classes = logits.shape.back();
  double sum = 0, clamp = getClamp().convertToDouble();
  for (int64_t row = 0; row < labels.size(); ++row) {
    const double *x = &logits.data[row * classes];
    double total = 0, agreement = 0;
    for (int64_t j = 0; j < classes; ++j)
      total += std::exp(x[j]);
    for (int64_t j = 0; j < classes; ++j)
      agreement += q.data[row * classes + j] * std::fmin(std::fmax(std::exp(x[j]) / total, clamp), 1 - clamp);
    sum += std::log(total) - x[int64_t(labels.data[row])] + getLambda().convertToDouble() * std::log(1 - agreement);
  }
  evaluation.out() = Array({}, sum / double(labels.size()));
  return success();
}
LogicalResult EarlyLearningOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  double clamp = getClamp().convertToDouble();
  Formula p(b, SoftmaxOp::create(b, getLogits()));
  p = minimum(maximum(p, Formula(b, clamp)), Formula(b, 1 - clamp));
  Formula agreement = reduceSum(stop(Formula(b, getQ())) * p, -1);
  Formula loss(b, CrossEntropyOp::create(b, getLogits(), getY(), APFloat(0.0)));
  Formula regularizer(b, meanOfAll(log(1.0 - agreement)));
  results.push_back((loss + regularizer * getLambda().convertToDouble()).value);
  return success();
}

LogicalResult RateOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(context.tensor(context.f32(), {}));
  if (dimsOf(op.getLogits()).size() == 1) {
    if (failed(context.requireFloat(op.getLogits(), "logits")))
      return failure();
    return context.requireInteger(op.getCodes(), "codes");
  }
  return checkLabels(context, op.getLogits(), op.getCodes(), "codes");
}
Value RateOp::positions() { return getCodes(); }
std::optional<int64_t> RateOp::positionBound() { return dimsOf(getLogits()).back().asConstant(); }
LogicalResult RateOp::evaluate(Evaluation &evaluation) {
  const Array &codes = evaluation.in(0), &logits = evaluation.in(1);
  int64_t width = logits.shape.back();
  double sum = 0;
  for (int64_t i = 0; i < codes.size(); ++i) {
    const double *x = &logits.data[logits.rank() == 1 ? 0 : i * width];
    double total = 0;
    for (int64_t j = 0; j < width; ++j)
      total += std::exp(x[j]);
    sum += std::log2(total / std::exp(x[int64_t(codes.data[i])]));
  }
  evaluation.out() = Array({}, sum / double(codes.size()));
  return success();
}
LogicalResult RateOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula bits = Formula(b, LogSoftmaxOp::create(b, getLogits())) * (-1 / std::log(2.0));
  Formula code = addAxis(toFloat(Formula(b, getCodes())), -1);
  Dims dims = code.dims();
  dims.back() = bits.dims().back();
  results.push_back(meanOfAll(reduceSum(select(iota(b, dims, -1) == code, bits, Formula(b, 0.0)), -1)));
  return success();
}

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Loss.cpp.inc"
void NacreDialect::addLoss() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Loss.cpp.inc"
      >();
}
