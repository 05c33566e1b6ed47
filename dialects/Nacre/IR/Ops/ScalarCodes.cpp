// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Codes without a table of vectors: hashes, packed bits, and quantisers that round each dimension for itself.
#include "dialects/Nacre/IR/Ops/Codebook.h"

#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Contraction.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Layout.h"
#include "dialects/Nacre/IR/Ops/Loss.h"
#include "dialects/Nacre/IR/Ops/Reduction.h"
#include "dialects/Nacre/IR/Ops/SparseActivation.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace nacre;
using namespace mlir;

static constexpr int64_t kWordBits = 32;

//===-- hash_code ------------------------------------------------------------------------------------------------------------===//

LogicalResult HashCodeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireInteger(op.getFeature(), "features")) || failed(context.requireInteger(op.getToken(), "tokens")))
    return failure();
  int64_t rows = op.getRows(), lookups = op.getLookups();
  if (rows < 1 || rows > std::numeric_limits<int32_t>::max())
    return context.error("expects from 1 to 2147483647 rows, but got " + Twine(rows));
  if (lookups < 1 || lookups > 64)
    return context.error("expects from 1 to 64 lookups, but got " + Twine(lookups));
  std::optional<Dims> dims = broadcast(dimsOf(op.getFeature()), dimsOf(op.getToken()));
  if (!dims)
    return context.error("expects shapes that broadcast, but got " + text(dimsOf(op.getFeature())) + " and " + text(dimsOf(op.getToken())));
  dims->push_back(Dim::constant(lookups));
  results.push_back(context.tensor(context.i32(), *dims));
  return success();
}
LogicalResult HashCodeOp::evaluate(Evaluation &evaluation) {
  const Array &feature = evaluation.in(0), &token = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  forEach(result.shape, [&](ArrayRef<int64_t> index) {
    ArrayRef<int64_t> row = index.drop_back();
    auto step = uint64_t(int64_t(feature.at(row))) * 64u + uint64_t(index.back()) + 1u;
    uint64_t z = uint64_t(int64_t(token.at(row))) + 0x9E3779B97F4A7C15ull * step;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    result(index) = double((z ^ z >> 31) % uint64_t(getRows()));
  });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult HashCodeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  SmallVector<Value> parts;
  for (int64_t i = 0; i < int64_t(getLookups()); ++i)
    parts.push_back(addAxis(Formula(b, HashEntryOp::create(b, getFeature(), getToken(), i, getRows())), -1).value);
  results.push_back(parts.size() == 1 ? parts[0] : concat(b, parts, -1).value);
  return success();
}

//===-- packed bits ----------------------------------------------------------------------------------------------------------===//

LogicalResult PackBitsOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  if (failed(context.requireFloat(op.getX(), "an operand")))
    return failure();
  std::optional<int64_t> bits = dims.empty() ? std::nullopt : dims.back().asConstant();
  if (!bits)
    return context.error("expects a last axis of fixed size, but got " + text(dims));
  dims.back() = Dim::constant((*bits + kWordBits - 1) / kWordBits);
  results.push_back(context.tensor(context.i32(), dims));
  return success();
}
LogicalResult PackBitsOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  Array result(evaluation.shapeOf(getResult()));
  int64_t bits = x.shape.back(), words = result.shape.back();
  for (int64_t i = 0; i < result.size(); ++i) {
    uint32_t word = 0;
    for (int64_t d = i % words * kWordBits; d < std::min((i % words + 1) * kWordBits, bits); ++d)
      word |= uint32_t(x.data[i / words * bits + d] > 0) << (d % kWordBits);
    result.data[i] = double(int32_t(word));
  }
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult PackBitsOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  Dims dims = x.dims(), words = dimsOf(getResult());
  Dim padded = words.back() * Dim::constant(kWordBits);
  if (padded != dims.back())
    x = Formula(b, PadOp::create(b, x.value, dims.size() - 1, "0", padded.str()));
  dims.back() = words.back();
  dims.push_back(Dim::constant(kWordBits));
  x = reshape(x, dims);
  Value word = ConstantOp::create(b, b.getI32IntegerAttr(0));
  for (int64_t bit = 0; bit < kWordBits; ++bit)
    word = AppendBitOp::create(b, word, dropAxis(slice(x, -1, Dim::constant(bit), Dim::constant(1)), -1).value, bit);
  results.push_back(word);
  return success();
}

static LogicalResult checkCodes(const InferContext &context, Value a, Value b) {
  if (failed(context.requireInteger(a, "packed bits")) || failed(context.requireInteger(b, "packed bits")))
    return failure();
  Dims one = dimsOf(a), other = dimsOf(b);
  if (one.size() != 2 || other.size() != 2 || one[1] != other[1])
    return context.error("expects codes of shape [Q, W] and [N, W], but got " + text(one) + " and " + text(other));
  return success();
}

static int64_t countDifferent(const Array &a, int64_t i, const Array &b, int64_t j) {
  int64_t words = a.shape[1], count = 0;
  for (int64_t w = 0; w < words; ++w)
    for (int64_t bit = 0; bit < kWordBits; ++bit)
      count += (int64_t(a.data[i * words + w]) >> bit & 1) != (int64_t(b.data[j * words + w]) >> bit & 1);
  return count;
}

/// [Q, N] of f32.
static Formula distances(ImplicitLocOpBuilder &b, Value a, Value other) {
  return Formula(b, DifferingBitsOp::create(b, a, transposed(Formula(b, other)).value));
}

LogicalResult HammingDistanceOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkCodes(context, op.getA(), op.getB())))
    return failure();
  results.push_back(context.tensor(context.i32(), {dimsOf(op.getA())[0], dimsOf(op.getB())[0]}));
  return success();
}
LogicalResult HammingDistanceOp::evaluate(Evaluation &evaluation) {
  Array result(evaluation.shapeOf(getResult()));
  forEach(result.shape, [&](ArrayRef<int64_t> at) { result(at) = double(countDifferent(evaluation.in(0), at[0], evaluation.in(1), at[1])); });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult HammingDistanceOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  results.push_back(ToIntOp::create(b, distances(b, getA(), getB()).value));
  return success();
}

LogicalResult HammingTopkOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkCodes(context, op.getA(), op.getB())))
    return failure();
  Dim rows = dimsOf(op.getB())[0];
  int64_t k = op.getK();
  if (k < 1 || k > rows.asConstant().value_or(k))
    return context.error("expects k from 1 to " + rows.str() + ", but got " + Twine(k));
  if (op.getReturns() != "indices" && op.getReturns() != "distances")
    return context.error("expects returns = indices or distances, but got " + op.getReturns());
  results.push_back(context.tensor(context.i32(), {dimsOf(op.getA())[0], Dim::constant(k)}));
  return success();
}
LogicalResult HammingTopkOp::evaluate(Evaluation &evaluation) {
  const Array &a = evaluation.in(0), &b = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  int64_t k = result.shape[1];
  for (int64_t i = 0; i < a.shape[0]; ++i) {
    std::vector<std::pair<int64_t, int64_t>> found;
    for (int64_t j = 0; j < b.shape[0]; ++j)
      found.push_back({countDifferent(a, i, b, j), j});
    std::sort(found.begin(), found.end());
    for (int64_t t = 0; t < k; ++t)
      result.data[i * k + t] = double(getReturns() == "indices" ? found[t].second : found[t].first);
  }
  evaluation.out() = std::move(result);
  return success();
}
/// The nearest, then the nearest of what is left, k times.
LogicalResult HammingTopkOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  auto best = TopEntriesOp::create(b, (-distances(b, getA(), getB())).value, std::to_string(getK()), "value", "rank");
  bool isIndex = getReturns() == "indices";
  results.push_back(isIndex ? best.getIndices() : Value(toInt(-Formula(b, best.getValues())).value));
  return success();
}

//===-- rounding a dimension at a time ---------------------------------------------------------------------------------------===//

static Formula straightThrough(Formula y, Formula x) { return Formula(*y.b, StraightThroughOp::create(*y.b, y.value, x.value)); }

template <typename Adaptor>
static LogicalResult inferSame(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(plainType(op.getX()));
  return context.requireFloat(op.getX(), "an operand");
}
static LogicalResult evaluateSign(Evaluation &evaluation) {
  return evaluateUnary(evaluation, [](double x) { return x > 0 ? 1.0 : -1.0; });
}
static Value signOf(ImplicitLocOpBuilder b, Value operand) {
  Formula x(b, operand), one(b, 1.0), minus(b, -1.0);
  return straightThrough(select(x > 0, broadcastTo(one, x.dims()), minus), x).value;
}

LogicalResult BinarizeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) { return inferSame(context, op, results); }
LogicalResult BinarizeOp::evaluate(Evaluation &evaluation) { return evaluateSign(evaluation); }
LogicalResult BinarizeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  results.push_back(signOf(ImplicitLocOpBuilder(getLoc(), builder), getX()));
  return success();
}
LogicalResult LookupFreeQuantizeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferSame(context, op, results);
}
LogicalResult LookupFreeQuantizeOp::evaluate(Evaluation &evaluation) { return evaluateSign(evaluation); }
LogicalResult LookupFreeQuantizeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  results.push_back(signOf(ImplicitLocOpBuilder(getLoc(), builder), getX()));
  return success();
}

static LogicalResult checkLevels(const InferContext &context, Value x, ArrayRef<int64_t> levels) {
  Dims dims = dimsOf(x);
  if (failed(context.requireFloat(x, "an operand")))
    return failure();
  for (int64_t count : levels)
    if (count < 2)
      return context.error("expects levels of at least 2, but got " + Twine(count));
  if (dims.empty() || levels.empty() || (levels.size() > 1 && dims.back().asConstant() != int64_t(levels.size())))
    return context.error("expects one level or one for each of the last axis, but got " + Twine(levels.size()) + " for " + text(dims));
  return success();
}
static double levelOf(ArrayRef<int64_t> levels, int64_t d) { return double(levels[levels.size() == 1 ? 0 : d]); }

/// A number for each dimension of the last axis.
static Formula perDimension(ImplicitLocOpBuilder &b, int64_t size, llvm::function_ref<double(int64_t)> number) {
  Formula place = iota(b, {Dim::constant(size)}, 0), row(b, number(size - 1));
  for (int64_t d = size - 2; d >= 0; --d)
    row = select(place < Formula(b, double(d) + 0.5), Formula(b, number(d)), row);
  return row;
}
static Formula halfRange(ImplicitLocOpBuilder &b, ArrayRef<int64_t> levels) {
  if (levels.size() == 1)
    return Formula(b, (levelOf(levels, 0) - 1) / 2);
  return perDimension(b, levels.size(), [&](int64_t d) { return (levelOf(levels, d) - 1) / 2; });
}
static double rounded(double x) { return std::floor(x + 0.5); }
static Formula rounded(Formula x) { return Formula(*x.b, FloorOp::create(*x.b, (x + 0.5).value)); }

LogicalResult FiniteScalarQuantizeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(plainType(op.getX()));
  return checkLevels(context, op.getX(), op.getLevels());
}
LogicalResult FiniteScalarQuantizeOp::evaluate(Evaluation &evaluation) {
  Array y = evaluation.in(0);
  for (int64_t i = 0; i < y.size(); ++i) {
    double half = (levelOf(getLevels(), i % y.shape.back()) - 1) / 2;
    y.data[i] = rounded(std::tanh(y.data[i]) * half) / half;
  }
  evaluation.out() = std::move(y);
  return success();
}
LogicalResult FiniteScalarQuantizeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula inside = tanh(Formula(b, getX())), half = halfRange(b, getLevels());
  results.push_back(straightThrough(rounded(inside * half) / half, inside).value);
  return success();
}

LogicalResult FiniteScalarCodeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  if (failed(checkLevels(context, op.getX(), op.getLevels())))
    return failure();
  std::optional<int64_t> size = dims.back().asConstant();
  if (!size)
    return context.error("expects a last axis of fixed size, but got " + text(dims));
  double codes = 1; // the sum of digits is made in f32, exact up to 2^24
  for (int64_t d = 0; d < *size; ++d)
    codes *= levelOf(op.getLevels(), d);
  if (codes > double(1 << 24))
    return context.error("expects at most 16777216 codes, but got the levels of more");
  dims.pop_back();
  results.push_back(context.tensor(context.i32(), dims));
  return success();
}
LogicalResult FiniteScalarCodeOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  Array code(evaluation.shapeOf(getResult()));
  int64_t size = x.shape.back();
  for (int64_t row = 0; row < code.size(); ++row)
    for (int64_t d = size - 1; d >= 0; --d) {
      double level = levelOf(getLevels(), d), half = (level - 1) / 2;
      code.data[row] = code.data[row] * level + rounded(std::tanh(x.data[row * size + d]) * half) + std::floor(half);
    }
  evaluation.out() = std::move(code);
  return success();
}
LogicalResult FiniteScalarCodeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  int64_t size = *x.dims().back().asConstant();
  auto half = [&](int64_t d) { return (levelOf(getLevels(), d) - 1) / 2; };
  auto weight = [&](int64_t d) {
    double product = 1;
    while (d-- > 0)
      product *= levelOf(getLevels(), d);
    return product;
  };
  Formula digits = rounded(tanh(x) * halfRange(b, getLevels())) + perDimension(b, size, [&](int64_t d) { return std::floor(half(d)); });
  Formula code = reduceSum(digits * perDimension(b, size, weight), -1);
  results.push_back(ToIntOp::create(b, dropAxis(code, -1).value));
  return success();
}

//===-- scalar codebooks -----------------------------------------------------------------------------------------------------===//

static LogicalResult checkScalars(const InferContext &context, Value x, Value v) {
  if (failed(context.requireFloat(x, "an operand")) || failed(context.requireFloat(v, "values")))
    return failure();
  Dims dims = dimsOf(x), values = dimsOf(v);
  if (dims.empty() || values.size() != 2 || values[0] != dims.back())
    return context.error("expects values of shape [" + (dims.empty() ? std::string("_") : dims.back().str()) + ", _], but got " + text(values));
  if (values[1].isZero())
    return context.error("expects at least one value a dimension");
  return success();
}
static int64_t nearestScalar(const Array &x, const Array &v, int64_t i) {
  int64_t n = v.shape[1], best = 0;
  const double *row = &v.data[i % v.shape[0] * n];
  for (int64_t j = 1; j < n; ++j)
    best = std::fabs(x.data[i] - row[j]) < std::fabs(x.data[i] - row[best]) ? j : best;
  return best;
}

LogicalResult ScalarCodeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(context.tensor(context.i32(), dimsOf(op.getX())));
  return checkScalars(context, op.getX(), op.getV());
}
LogicalResult ScalarCodeOp::evaluate(Evaluation &evaluation) {
  Array result(evaluation.in(0).shape);
  for (int64_t i = 0; i < result.size(); ++i)
    result.data[i] = double(nearestScalar(evaluation.in(0), evaluation.in(1), i));
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult ScalarCodeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula distance = abs(addAxis(Formula(b, getX()), -1) - Formula(b, getV()));
  results.push_back(ArgmaxOp::create(b, (-distance).value));
  return success();
}

LogicalResult ScalarQuantizeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(plainType(op.getX()));
  return checkScalars(context, op.getX(), op.getV());
}
LogicalResult ScalarQuantizeOp::evaluate(Evaluation &evaluation) {
  const Array &v = evaluation.in(1);
  Array result(evaluation.in(0).shape);
  for (int64_t i = 0; i < result.size(); ++i)
    result.data[i] = v.data[i % v.shape[0] * v.shape[1] + nearestScalar(evaluation.in(0), v, i)];
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult ScalarQuantizeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula v(b, getV()), code = addAxis(toFloat(Formula(b, ScalarCodeOp::create(b, getX(), getV()))), -1);
  Dims dims = dimsOf(getX());
  dims.push_back(v.dims()[1]);
  Formula chosen = select(iota(b, dims, -1) == code, v, Formula(b, 0.0));
  results.push_back(dropAxis(reduceSum(chosen, -1), -1).value);
  return success();
}

//===-- losses of quantisers -------------------------------------------------------------------------------------------------===//

static LogicalResult inferPair(InferContext &context, Value x, Value e, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(x, "an input")) || failed(context.requireFloat(e, "quantised values")))
    return failure();
  if (dimsOf(x) != dimsOf(e))
    return context.error("expects two values of one shape, but got " + text(dimsOf(x)) + " and " + text(dimsOf(e)));
  results.push_back(context.tensor(context.f32(), {}));
  return success();
}
static LogicalResult evaluateSquares(Evaluation &evaluation, double factor) {
  const Array &x = evaluation.in(0), &e = evaluation.in(1);
  double sum = 0;
  for (int64_t i = 0; i < x.size(); ++i)
    sum += (x.data[i] - e.data[i]) * (x.data[i] - e.data[i]);
  evaluation.out() = Array({}, factor * sum / double(x.size()));
  return success();
}

LogicalResult CommitmentOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferPair(context, op.getX(), op.getE(), results);
}
LogicalResult CommitmentOp::evaluate(Evaluation &evaluation) { return evaluateSquares(evaluation, 1); }
LogicalResult CommitmentOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  results.push_back(MseOp::create(b, getX(), stop(Formula(b, getE())).value));
  return success();
}
LogicalResult CodebookLossOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferPair(context, op.getX(), op.getE(), results);
}
LogicalResult CodebookLossOp::evaluate(Evaluation &evaluation) { return evaluateSquares(evaluation, 1 + getBeta().convertToDouble()); }
LogicalResult CodebookLossOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX()), e(b, getE());
  Formula codes(b, MseOp::create(b, stop(x).value, e.value)), inputs(b, MseOp::create(b, x.value, stop(e).value));
  results.push_back((codes + inputs * getBeta().convertToDouble()).value);
  return success();
}
