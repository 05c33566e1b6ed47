// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Losses between rows: cosine, triplet, contrastive, alignment of representations, transport.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Loss.h"
#include "dialects/Nacre/IR/Ops/Normalization.h"
#include "dialects/Nacre/IR/Ops/Reduction.h"

#include <cmath>
#include <limits>

using namespace nacre;
using namespace mlir;

static const double kNegativeInfinity = -std::numeric_limits<double>::infinity();

static Formula meanOfAll(Formula x) {
  return Formula(*x.b, MeanOp::create(*x.b, x.value, Value(), IntegerAttr(), StringAttr(), x.b->getBoolAttr(false)));
}
static Formula sumOfAll(Formula x) {
  return Formula(*x.b, SumOp::create(*x.b, x.value, Value(), IntegerAttr(), StringAttr(), x.b->getBoolAttr(false)));
}
static Formula unitRows(Formula x) { return Formula(*x.b, NormalizeOp::create(*x.b, x.value, -1, APFloat(1e-12))); }
static Formula logSumExp(Formula x, int64_t axis) { return Formula(*x.b, LogSumExpOp::create(*x.b, x.value, axis, true)); }
static Formula sumOfRows(Formula x) { return reduceSum(x, -1); }

static LogicalResult inferNumber(InferContext &context, SmallVectorImpl<Type> &results) {
  results.push_back(context.tensor(context.f32(), {}));
  return success();
}
static LogicalResult checkSameRows(InferContext &context, Value a, Value b) {
  if (failed(context.requireFloat(a, "rows")) || failed(context.requireFloat(b, "rows")))
    return failure();
  if (dimsOf(a) != dimsOf(b) || dimsOf(a).empty())
    return context.error("expects rows of one shape, but got " + text(dimsOf(a)) + " and " + text(dimsOf(b)));
  return success();
}
static LogicalResult checkTemperature(InferContext &context, double temperature) {
  return temperature > 0 ? success() : context.error("expects a temperature above 0");
}
static LogicalResult checkMatrix(InferContext &context, Value x, StringRef what) {
  if (failed(context.requireFloat(x, what)))
    return failure();
  return dimsOf(x).size() == 2 ? success() : context.error("expects " + what + " of shape [B, D], but got " + text(dimsOf(x)));
}

static double dot(const double *a, const double *b, int64_t size) {
  double sum = 0;
  for (int64_t j = 0; j < size; ++j)
    sum += a[j] * b[j];
  return sum;
}
static double normOf(const double *a, int64_t size) { return std::fmax(std::sqrt(dot(a, a, size)), 1e-12); }

//===-- cosine_loss, triplet -------------------------------------------------------------------------------------------------===//

LogicalResult CosineLossOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return failed(checkSameRows(context, op.getA(), op.getB())) ? failure() : inferNumber(context, results);
}
LogicalResult CosineLossOp::evaluate(Evaluation &evaluation) {
  const Array &a = evaluation.in(0), &b = evaluation.in(1);
  int64_t width = a.shape.back();
  double sum = 0;
  for (int64_t i = 0; i < a.size(); i += width)
    sum += 1 - dot(&a.data[i], &b.data[i], width) / normOf(&a.data[i], width) / normOf(&b.data[i], width);
  evaluation.out() = Array({}, sum / (double(a.size()) / double(width)));
  return success();
}
LogicalResult CosineLossOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  results.push_back(meanOfAll(1.0 - sumOfRows(unitRows(Formula(b, getA())) * unitRows(Formula(b, getB())))).value);
  return success();
}

LogicalResult TripletOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkSameRows(context, op.getA(), op.getP())) || failed(checkSameRows(context, op.getA(), op.getN())))
    return failure();
  return inferNumber(context, results);
}
LogicalResult TripletOp::evaluate(Evaluation &evaluation) {
  const Array &a = evaluation.in(0);
  int64_t width = a.shape.back();
  double sum = 0;
  auto distance = [&](const Array &other, int64_t start) {
    double squares = 0;
    for (int64_t j = start; j < start + width; ++j)
      squares += std::pow(a.data[j] - other.data[j] + getEps().convertToDouble(), 2);
    return std::sqrt(squares);
  };
  for (int64_t i = 0; i < a.size(); i += width)
    sum += std::fmax(0, distance(evaluation.in(1), i) - distance(evaluation.in(2), i) + getMargin().convertToDouble());
  evaluation.out() = Array({}, sum / (double(a.size()) / double(width)));
  return success();
}
LogicalResult TripletOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula a(b, getA());
  auto distance = [&](Value other) { return sqrt(sumOfRows(square(a - Formula(b, other) + getEps().convertToDouble()))); };
  Formula excess = distance(getP()) - distance(getN()) + getMargin().convertToDouble();
  results.push_back(meanOfAll(Formula(b, ReluOp::create(b, excess.value))).value);
  return success();
}

//===-- infonce --------------------------------------------------------------------------------------------------------------===//

LogicalResult InfoNceOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkMatrix(context, op.getA(), "rows")) || failed(checkSameRows(context, op.getA(), op.getB())) ||
      failed(checkTemperature(context, op.getTemperature().convertToDouble())))
    return failure();
  if (op.getSides() != 1 && op.getSides() != 2)
    return context.error("expects one side or 2, but got " + Twine(op.getSides()));
  return inferNumber(context, results);
}

/// The mean over rows of logsumexp_j(a_i . b_j / t) - a_i . b_i / t.
static double oneSide(const Array &a, const Array &b, double temperature, bool normalise) {
  int64_t rows = a.shape[0], width = a.shape[1];
  auto score = [&](int64_t i, int64_t j) {
    const double *x = &a.data[i * width], *y = &b.data[j * width];
    return dot(x, y, width) / (normalise ? normOf(x, width) * normOf(y, width) : 1) / temperature;
  };
  double total = 0;
  for (int64_t i = 0; i < rows; ++i) {
    double top = kNegativeInfinity, sum = 0;
    for (int64_t j = 0; j < rows; ++j)
      top = std::fmax(top, score(i, j));
    for (int64_t j = 0; j < rows; ++j)
      sum += std::exp(score(i, j) - top);
    total += top + std::log(sum) - score(i, i);
  }
  return total / double(rows);
}

LogicalResult InfoNceOp::evaluate(Evaluation &evaluation) {
  const Array &a = evaluation.in(0), &b = evaluation.in(1);
  double t = getTemperature().convertToDouble(), loss = oneSide(a, b, t, getNormalise());
  evaluation.out() = Array({}, getSides() == 1 ? loss : (loss + oneSide(b, a, t, getNormalise())) / 2);
  return success();
}
LogicalResult InfoNceOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula u(b, getA()), v(b, getB());
  if (getNormalise()) {
    u = unitRows(u);
    v = unitRows(v);
  }
  u = u * (1 / getTemperature().convertToDouble());
  Formula all(b, BatchContrastOp::create(b, u.value, v.value, getSides())), own = meanOfAll(sumOfRows(u * v));
  results.push_back((all - own).value);
  return success();
}

//===-- supervised_contrastive -----------------------------------------------------------------------------------------------===//

LogicalResult SupConOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkMatrix(context, op.getZ(), "rows")) || failed(context.requireInteger(op.getY(), "labels")) ||
      failed(checkTemperature(context, op.getTemperature().convertToDouble())))
    return failure();
  Dim rows = dimsOf(op.getZ())[0];
  if (dimsOf(op.getY()) != Dims{rows})
    return context.error("expects labels of shape [" + rows.str() + "], but got " + text(dimsOf(op.getY())));
  return inferNumber(context, results);
}
LogicalResult SupConOp::evaluate(Evaluation &evaluation) {
  const Array &z = evaluation.in(0), &y = evaluation.in(1);
  int64_t rows = z.shape[0], width = z.shape[1], anchors = 0;
  double loss = 0;
  for (int64_t i = 0; i < rows; ++i) {
    double sum = 0, positives = 0, count = 0;
    for (int64_t j = 0; j < rows; ++j) {
      const double *a = &z.data[i * width], *b = &z.data[j * width];
      double score = dot(a, b, width) / normOf(a, width) / normOf(b, width) / getTemperature().convertToDouble();
      if (i == j)
        continue;
      sum += std::exp(score);
      positives += y.data[i] == y.data[j] ? score : 0;
      count += y.data[i] == y.data[j];
    }
    anchors += count > 0;
    loss += count > 0 ? std::log(sum) - positives / count : 0;
  }
  evaluation.out() = Array({}, loss / std::fmax(double(anchors), 1));
  return success();
}
LogicalResult SupConOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  results.push_back(LabelContrastOp::create(b, unitRows(Formula(b, getZ())).value, getY(), getTemperature()));
  return success();
}

//===-- cka ------------------------------------------------------------------------------------------------------------------===//

LogicalResult CkaOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkMatrix(context, op.getA(), "rows")) || failed(checkMatrix(context, op.getB(), "rows")))
    return failure();
  if (dimsOf(op.getA())[0] != dimsOf(op.getB())[0])
    return context.error("expects as many rows on both sides, but got " + text(dimsOf(op.getA())) + " and " + text(dimsOf(op.getB())));
  return inferNumber(context, results);
}

static Array centredColumns(Array x) {
  for (int64_t j = 0; j < x.shape[1]; ++j) {
    double mean = 0;
    for (int64_t i = j; i < x.size(); i += x.shape[1])
      mean += x.data[i] / double(x.shape[0]);
    for (int64_t i = j; i < x.size(); i += x.shape[1])
      x.data[i] -= mean;
  }
  return x;
}
/// |X^T Y|^2 as the sum over pairs of rows of the products of their inner products.
static double alignment(const Array &x, const Array &y) {
  double sum = 0;
  for (int64_t i = 0; i < x.shape[0]; ++i)
    for (int64_t j = 0; j < x.shape[0]; ++j)
      sum += dot(&x.data[i * x.shape[1]], &x.data[j * x.shape[1]], x.shape[1]) * dot(&y.data[i * y.shape[1]], &y.data[j * y.shape[1]], y.shape[1]);
  return sum;
}

LogicalResult CkaOp::evaluate(Evaluation &evaluation) {
  Array x = centredColumns(evaluation.in(0)), y = centredColumns(evaluation.in(1));
  evaluation.out() = Array({}, alignment(x, y) / std::sqrt(alignment(x, x) * alignment(y, y)));
  return success();
}
LogicalResult CkaOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  auto centred = [&](Value value) {
    Formula x(b, value);
    return x - reduceSum(x, 0) / sizeAsNumber(x, x.dims()[0]);
  };
  Formula x = centred(getA()), y = centred(getB());
  auto squares = [&](Formula p, Formula q) { return sumOfAll(square(matmul(transposed(p), q))); };
  results.push_back((squares(x, y) * rsqrt(squares(x, x)) * rsqrt(squares(y, y))).value);
  return success();
}

//===-- sinkhorn -------------------------------------------------------------------------------------------------------------===//

template <typename Adaptor>
static LogicalResult inferTransport(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkMatrix(context, op.getA(), "rows")) || failed(checkMatrix(context, op.getB(), "rows")))
    return failure();
  if (dimsOf(op.getA())[1] != dimsOf(op.getB())[1])
    return context.error("expects rows of one width, but got " + text(dimsOf(op.getA())) + " and " + text(dimsOf(op.getB())));
  if (op.getEps().convertToDouble() <= 0)
    return context.error("expects an eps above 0");
  if (op.getIterations() < 1)
    return context.error("expects at least one iteration, but got " + Twine(op.getIterations()));
  return inferNumber(context, results);
}

/// With scaling vectors u and v instead of logarithms.
static double transport(const Array &a, const Array &b, double eps, int64_t iterations) {
  int64_t n = a.shape[0], m = b.shape[0], width = a.shape[1];
  std::vector<double> cost(n * m), u(n, 1), v(m, 1);
  for (int64_t i = 0; i < n * m; ++i)
    for (int64_t k = 0; k < width; ++k)
      cost[i] += std::pow(a.data[i / m * width + k] - b.data[i % m * width + k], 2);
  auto kernel = [&](int64_t i, int64_t j) { return std::exp(-cost[i * m + j] / eps); };
  for (int64_t t = 0; t < iterations; ++t) {
    for (int64_t i = 0; i < n; ++i) {
      double sum = 0;
      for (int64_t j = 0; j < m; ++j)
        sum += kernel(i, j) * v[j];
      u[i] = 1 / (sum * double(n));
    }
    for (int64_t j = 0; j < m; ++j) {
      double sum = 0;
      for (int64_t i = 0; i < n; ++i)
        sum += kernel(i, j) * u[i];
      v[j] = 1 / (sum * double(m));
    }
  }
  double total = 0;
  for (int64_t i = 0; i < n * m; ++i)
    total += u[i / m] * kernel(i / m, i % m) * v[i % m] * cost[i];
  return total;
}

static Formula transport(Formula a, Formula b, double eps, int64_t iterations) {
  ImplicitLocOpBuilder &build = *a.b;
  Formula cost = sumOfRows(square(a)) + transposed(sumOfRows(square(b))) - matmul(a, transposed(b)) * 2.0;
  // Scaled potentials f / eps - log N and g / eps - log M take the weights in.
  Formula scaled = cost * (-1 / eps), logN = log(sizeAsNumber(a, a.dims()[0])), logM = log(sizeAsNumber(b, b.dims()[0]));
  Formula f(build, 0.0), g = -logM;
  for (int64_t t = 0; t < iterations; ++t) {
    f = -(logSumExp(scaled + g, 1)) - logN;
    g = -(logSumExp(scaled + f, 0)) - logM;
  }
  return sumOfAll(exp(scaled + f + g) * cost);
}

LogicalResult SinkhornOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) { return inferTransport(context, op, results); }
LogicalResult SinkhornOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = Array({}, transport(evaluation.in(0), evaluation.in(1), getEps().convertToDouble(), getIterations()));
  return success();
}
LogicalResult SinkhornOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  results.push_back(transport(Formula(b, getA()), Formula(b, getB()), getEps().convertToDouble(), getIterations()).value);
  return success();
}
LogicalResult SinkhornDivergenceOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferTransport(context, op, results);
}
LogicalResult SinkhornDivergenceOp::evaluate(Evaluation &evaluation) {
  const Array &a = evaluation.in(0), &b = evaluation.in(1);
  auto cost = [&](const Array &x, const Array &y) { return transport(x, y, getEps().convertToDouble(), getIterations()); };
  evaluation.out() = Array({}, cost(a, b) - cost(a, a) / 2 - cost(b, b) / 2);
  return success();
}
LogicalResult SinkhornDivergenceOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  auto cost = [&](Value x, Value y) { return Formula(b, SinkhornOp::create(b, x, y, getEps(), getIterations())); };
  results.push_back((cost(getA(), getB()) - (cost(getA(), getA()) + cost(getB(), getB())) * 0.5).value);
  return success();
}
