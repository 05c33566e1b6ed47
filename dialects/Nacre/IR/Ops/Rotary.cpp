// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of Attention.td that know positions: rotary, positions, distances, t5_buckets.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Attention.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Scalar.h"

#include <cmath>

using namespace nacre;
using namespace mlir;

static Formula floorOf(Formula x) { return Formula(*x.b, FloorOp::create(*x.b, x.value)); }
static const Dim kOne = Dim::constant(1);

//===-- rotary ---------------------------------------------------------------------------------------------------------------===//

LogicalResult RotaryOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX());
  if (failed(context.requireFloat(op.getX(), "an operand")))
    return failure();
  if (x.size() < 2)
    return context.error("expects x of shape [.., T, d], but got " + text(x));
  int64_t multiple = op.getGrid() ? 4 : 2;
  std::optional<int64_t> width = x.back().asConstant();
  if (!width || *width % multiple != 0)
    return context.error("expects a last axis of a multiple of " + Twine(multiple) + ", but got " + x.back().str());
  if (op.getPairs() != "interleaved" && op.getPairs() != "halves")
    return context.error("expects pairs = \"interleaved\" or \"halves\", but got \"" + op.getPairs() + "\"");
  if (op.getGrid() && int64_t(*op.getGrid()) < 1)
    return context.error("expects a grid of at least 1 column, but got " + Twine(int64_t(*op.getGrid())));
  if (op.getBase().convertToDouble() <= 0)
    return context.error("expects a base above 0, but got " + std::to_string(op.getBase().convertToDouble()));
  Dim rows = x[x.size() - 2];
  if (op.getPositions()) {
    Dims places = dimsOf(op.getPositions());
    if (places != Dims{rows} && !(x.size() > 2 && places == Dims{x[0], rows}))
      return context.error("expects positions of shape " + text({rows}) + " or " + text({x[0], rows}) + ", but got " + text(places));
    if (plainType(op.getPositions()).getElementType().isInteger(1))
      return context.error("expects positions of i32 or f32, but got bool");
  }
  results.push_back(plainType(op.getX()));
  return success();
}

LogicalResult RotaryOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), *positions = evaluation.in(getPositions());
  int64_t width = x.shape.back(), rank = x.rank();
  double base = getBase().convertToDouble(), sign = getInverse() ? -1 : 1;
  bool interleaved = getPairs() == "interleaved";
  Array y(x.shape);
  forEach(x.shape, [&](ArrayRef<int64_t> index) {
    int64_t column = index.back(), row = index[rank - 2];
    int64_t pair = interleaved ? column / 2 : column % (width / 2);
    bool isSecond = interleaved ? column % 2 : column >= width / 2;
    double position = !positions ? double(row) : positions->rank() == 1 ? positions->at({row}) : positions->at({index[0], row});
    double exponent = -2.0 * double(pair) / double(width);
    if (getGrid()) {
      double columns = double(*getGrid()), line = std::floor(position / columns);
      position = pair % 2 == 0 ? line : position - line * columns;
      exponent = -4.0 * double(pair / 2) / double(width);
    }
    double angle = sign * position * std::pow(base, exponent);
    SmallVector<int64_t> other(index);
    other.back() = interleaved ? column ^ 1 : (column + width / 2) % width;
    y(index) = x.at(index) * std::cos(angle) + (isSecond ? 1 : -1) * x.at(other) * std::sin(angle);
  });
  evaluation.out() = std::move(y);
  return success();
}

/// The angles of all pairs, in a shape that broadcasts to x with its last axis cut in two (`pairAxis` is that of the pairs).
static Formula angles(RotaryOp op, ImplicitLocOpBuilder &b, int64_t rank, int64_t pairAxis) {
  Dims x = dimsOf(op.getX()), places(rank + 1, kOne), pairs = {kOne, kOne};
  int64_t width = *x.back().asConstant();
  pairs[pairAxis - (rank - 1)] = Dim::constant(width / 2);
  places[rank - 2] = x[rank - 2];
  Formula position(b, 0.0), pair = iota(b, pairs, pairAxis - (rank - 1));
  if (Value given = op.getPositions()) {
    if (plainType(given).getRank() == 2)
      places[0] = x[0];
    Formula listed(b, given);
    position = reshape(plainType(given).getElementType().isF32() ? listed : toFloat(listed), places);
  } else {
    position = iota(b, ArrayRef<Dim>(places).drop_front(rank - 2), 0);
  }
  double step = -2 * std::log(op.getBase().convertToDouble()) / double(width);
  if (!op.getGrid())
    return position * exp(pair * step);
  double columns = double(*op.getGrid());
  Formula line = floorOf((position + 0.5) / columns), half = floorOf(pair * 0.5); // + 0.5: a quotient that rounds up stays below
  return select(pair - half * 2.0 > 0.5, position - line * columns, line) * exp(half * (2 * step));
}

/// One table of cosines and one of sines a call, shared by all heads and by queries and keys.
LogicalResult RotaryOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  Dims dims = x.dims(), cut = dims;
  int64_t rank = dims.size();
  bool interleaved = getPairs() == "interleaved";
  int64_t pairAxis = interleaved ? rank - 1 : rank, partAxis = interleaved ? rank : rank - 1;
  cut.push_back(Dim::constant(2));
  cut[pairAxis] = Dim::constant(*dims.back().asConstant() / 2), cut[partAxis] = Dim::constant(2);
  Formula angle = angles(*this, b, rank, pairAxis), c = cos(angle), s = sin(angle);
  Formula parts = reshape(x, cut), first = slice(parts, partAxis, Dim(), kOne), second = slice(parts, partAxis, kOne, kOne);
  Formula forth = getInverse() ? -s : s, back = getInverse() ? s : -s;
  Value turned[] = {TurnOp::create(b, first.value, second.value, c.value, forth.value),
                    TurnOp::create(b, second.value, first.value, c.value, back.value)};
  results.push_back(reshape(concat(b, turned, partAxis), dims).value);
  return success();
}

/// A rotation's transpose is the rotation back.
LogicalResult RotaryOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula g = broadcastTo(Formula(b, cotangents[0]), dimsOf(getX()));
  IntegerAttr grid = getGridAttr();
  gradients.push_back(RotaryOp::create(b, g.value, getPositions(), getBaseAttr(), getPairsAttr(), grid, b.getBoolAttr(!getInverse())));
  if (getPositions())
    gradients.push_back(Value());
  return success();
}

LogicalResult TurnOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  for (Value operand : op.getOperands())
    if (failed(context.requireFloat(operand, "an operand")))
      return failure();
  std::optional<Dims> dims = broadcast(dimsOf(op.getA()), dimsOf(op.getCosine()));
  if (!dims || *dims != dimsOf(op.getA()) || dimsOf(op.getB()) != *dims || dimsOf(op.getSine()) != dimsOf(op.getCosine()))
    return context.error("expects two equal shapes and angles that broadcast to them, but got " + text(dimsOf(op.getA())) + " and " +
                         text(dimsOf(op.getCosine())));
  results.push_back(plainType(op.getA()));
  return success();
}
LogicalResult TurnOp::evaluate(Evaluation &evaluation) {
  Array result(evaluation.shapeOf(getResult()));
  forEach(result.shape, [&](ArrayRef<int64_t> i) {
    result(i) = evaluation.in(0).at(i) * evaluation.in(2).at(i) - evaluation.in(1).at(i) * evaluation.in(3).at(i);
  });
  evaluation.out() = std::move(result);
  return success();
}
void TurnOp::emit(ImplicitLocOpBuilder &builder, ValueRange operands, SmallVectorImpl<Value> &results) {
  Scalar a(builder, operands[0]), b(builder, operands[1]), c(builder, operands[2]), s(builder, operands[3]);
  results.push_back((a * c - b * s).value);
}

//===-- positions, distances, t5_buckets -------------------------------------------------------------------------------------===//

LogicalResult PositionsOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  FailureOr<int64_t> axis = context.axis(op.getAxis(), plainType(op.getX()).getRank());
  if (failed(axis))
    return failure();
  results.push_back(context.tensor(context.f32(), {dimsOf(op.getX())[*axis]}));
  return success();
}
LogicalResult PositionsOp::evaluate(Evaluation &evaluation) {
  Array result(evaluation.shapeOf(getResult()));
  for (int64_t i = 0; i < result.size(); ++i)
    result.data[i] = double(i);
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult PositionsOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  results.push_back(iota(b, dimsOf(getResult()), 0).value);
  return success();
}

LogicalResult DistancesOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims q = dimsOf(op.getQ()), k = dimsOf(op.getK());
  if (q.size() < 2 || k.size() < 2)
    return context.error("expects queries and keys of shape [.., T, d], but got " + text(q) + " and " + text(k));
  results.push_back(context.tensor(context.f32(), {q[q.size() - 2] + k[k.size() - 2] - kOne}));
  return success();
}
LogicalResult DistancesOp::evaluate(Evaluation &evaluation) {
  Array result(evaluation.shapeOf(getResult()));
  for (int64_t i = 0, keys = evaluation.in(1).shape.end()[-2]; i < result.size(); ++i)
    result.data[i] = double(i - keys + 1);
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult DistancesOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Dims k = dimsOf(getK());
  Formula entry = iota(b, dimsOf(getResult()), 0);
  results.push_back((entry - (sizeAsNumber(entry, k[k.size() - 2]) - 1.0)).value);
  return success();
}

namespace {
/// Buckets of one sign of the distance: `exact` of one distance each, then `count` - `exact` with growing ones.
struct BucketRule {
  int64_t count, exact;
  double longest;
  /// The smallest distance of bucket `exact` + `step`, step > 0. 1e-6: powers that are whole numbers stay so.
  double threshold(int64_t step) const {
    double share = double(step) / double(count - exact);
    return std::ceil(double(exact) * std::pow(longest / double(exact), share) - 1e-6);
  }
};
} // namespace

static BucketRule ruleOf(T5BucketsOp op) {
  int64_t count = op.getBidirectional() ? op.getBuckets() / 2 : op.getBuckets();
  return {count, count / 2, double(op.getMaxDistance())};
}

LogicalResult T5BucketsOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  int64_t least = op.getBidirectional() ? 4 : 2, buckets = op.getBuckets();
  if (failed(context.requireFloat(op.getDistance(), "distances")))
    return failure();
  if (buckets < least || buckets % least != 0)
    return context.error("expects a number of buckets that is a multiple of " + Twine(least) + ", but got " + Twine(buckets));
  if (int64_t(op.getMaxDistance()) <= buckets / least)
    return context.error("expects a max_distance above " + Twine(buckets / least) + ", but got " + Twine(int64_t(op.getMaxDistance())));
  results.push_back(context.tensor(context.i32(), dimsOf(op.getDistance())));
  return success();
}
LogicalResult T5BucketsOp::evaluate(Evaluation &evaluation) {
  BucketRule rule = ruleOf(*this);
  Array result = evaluation.in(0);
  for (double &distance : result.data) {
    double away = getBidirectional() ? std::fabs(distance) : std::fmax(distance, 0);
    double start = getBidirectional() && distance < 0 ? rule.count : 0;
    // 1e-9: logarithms of whole powers may fall short of their quotient.
    double share = std::log(std::fmax(away, 1) / rule.exact) / std::log(rule.longest / rule.exact) + 1e-9;
    double spread = rule.exact + std::floor(share * double(rule.count - rule.exact));
    distance = start + (away < rule.exact ? away : std::fmin(spread, rule.count - 1));
  }
  evaluation.out() = std::move(result);
  return success();
}
/// Comparisons with the first distance of each bucket: logarithms in f32 would put some powers one bucket too low.
LogicalResult T5BucketsOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  BucketRule rule = ruleOf(*this);
  Formula distance(b, getDistance()), away = getBidirectional() ? abs(distance) : maximum(distance, Formula(b, 0.0));
  Formula bucket = minimum(away, Formula(b, double(rule.exact)));
  for (int64_t step = 1; step < rule.count - rule.exact; ++step)
    bucket = bucket + toFloat(away > rule.threshold(step) - 0.5);
  if (getBidirectional())
    bucket = bucket + toFloat(distance < Formula(b, 0.0)) * double(rule.count);
  results.push_back(ToIntOp::create(b, bucket.value));
  return success();
}
