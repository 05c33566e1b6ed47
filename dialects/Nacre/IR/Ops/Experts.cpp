// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Mixtures of experts: products in which every row has a matrix of its own, and how many rows an expert takes.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Codebook.h"
#include "dialects/Nacre/IR/Ops/SparseActivation.h"

using namespace nacre;
using namespace mlir;

static Dim dimOf(StringRef text) { return Dim::parse(text).value_or(Dim()); }

//===-- the primitives -------------------------------------------------------------------------------------------------------===//

/// Whether `x` has the shape of the entries and one axis more; the last axis of the entries may be 1 in x.
static bool hasRowsOf(const Dims &x, const Dims &entries) {
  if (entries.empty() || x.size() != entries.size() + 1 || x[entries.size() - 1] == entries.back())
    return !entries.empty() && ArrayRef<Dim>(x).drop_back() == ArrayRef<Dim>(entries);
  return x[entries.size() - 1].isOne() && ArrayRef<Dim>(x).drop_back(2) == ArrayRef<Dim>(entries).drop_back();
}

/// Calls `body` with every entry that has an expert: its number, that of its row of x, and its expert.
static void forEachExpert(const Array &experts, const Array &x, int64_t count, llvm::function_ref<void(int64_t, int64_t, int64_t)> body) {
  bool isShared = x.shape[x.rank() - 2] == 1;
  for (int64_t entry = 0; entry < experts.size(); ++entry)
    if (experts.data[entry] >= 0 && experts.data[entry] < double(count))
      body(entry, isShared ? entry / experts.shape.back() : entry, int64_t(experts.data[entry]));
}

LogicalResult GroupedProductOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), w = dimsOf(op.getW()), experts = dimsOf(op.getExperts());
  if (failed(context.requireFloat(op.getX(), "an operand")) || failed(context.requireFloat(op.getW(), "weights")) ||
      failed(context.requireInteger(op.getExperts(), "experts")))
    return failure();
  if (!hasRowsOf(x, experts))
    return context.error("expects an operand of shape " + text(experts) + " and one axis more, but got " + text(x));
  if (w.size() != 3 || w[1] != x.back())
    return context.error("expects weights of shape [_, " + x.back().str() + ", _], but got " + text(w));
  experts.push_back(w[2]);
  results.push_back(context.tensor(context.f32(), experts));
  return success();
}
LogicalResult GroupedProductOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &w = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  int64_t depth = w.shape[1], width = w.shape[2];
  forEachExpert(evaluation.in(2), x, w.shape[0], [&](int64_t entry, int64_t row, int64_t expert) {
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t c = 0; c < width; ++c)
        result.data[entry * width + c] += x.data[row * depth + k] * w.data[(expert * depth + k) * width + c];
  });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult GroupedProductOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula w(b, getW());
  gradients.push_back(GroupedProductOp::create(b, cotangents[0], transposed(w).value, getExperts()));
  gradients.push_back(GroupedOuterOp::create(b, getX(), cotangents[0], getExperts(), w.dims()[0].str()));
  gradients.push_back(Value());
  return success();
}
StringRef GroupedProductOp::skeleton() { return "grouped"; }
Value GroupedProductOp::segmentIndices() { return getExperts(); }
Value GroupedProductOp::segmentRows() { return Value(); }
Dim GroupedProductOp::segments() { return dimsOf(getW())[0]; }
bool GroupedProductOp::acceptsEpilogue() { return true; }
Dim GroupedProductOp::operations() { return product(dimsOf(getResult())) * dimsOf(getX()).back() * Dim::constant(2); }

LogicalResult GroupedOuterOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), y = dimsOf(op.getY()), experts = dimsOf(op.getExperts());
  if (failed(context.requireFloat(op.getX(), "a left operand")) || failed(context.requireFloat(op.getY(), "a right operand")) ||
      failed(context.requireInteger(op.getExperts(), "experts")))
    return failure();
  if (!hasRowsOf(x, experts) || y.size() != experts.size() + 1 || ArrayRef<Dim>(y).drop_back() != ArrayRef<Dim>(experts))
    return context.error("expects operands of shape " + text(experts) + " and one axis more, but got " + text(x) + " and " + text(y));
  results.push_back(context.tensor(context.f32(), {dimOf(op.getCount()), x.back(), y.back()}));
  return success();
}
LogicalResult GroupedOuterOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &y = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  int64_t depth = result.shape[1], width = result.shape[2];
  forEachExpert(evaluation.in(2), x, result.shape[0], [&](int64_t entry, int64_t row, int64_t expert) {
    for (int64_t i = 0; i < depth; ++i)
      for (int64_t c = 0; c < width; ++c)
        result.data[(expert * depth + i) * width + c] += x.data[row * depth + i] * y.data[entry * width + c];
  });
  evaluation.out() = std::move(result);
  return success();
}
StringRef GroupedOuterOp::skeleton() { return "grouped_outer"; }
Value GroupedOuterOp::segmentIndices() { return getExperts(); }
Value GroupedOuterOp::segmentRows() { return Value(); }
Dim GroupedOuterOp::segments() { return dimOf(getCount()); }
bool GroupedOuterOp::acceptsEpilogue() { return true; }
Dim GroupedOuterOp::operations() { return product(dimsOf(getY())) * dimsOf(getX()).back() * Dim::constant(2); }

//===-- grouped_linear -------------------------------------------------------------------------------------------------------===//

LogicalResult GroupedLinearOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), w = dimsOf(op.getW()), experts = dimsOf(op.getExperts());
  if (failed(context.requireFloat(op.getX(), "an input")) || failed(context.requireFloat(op.getW(), "weights")) ||
      failed(context.requireInteger(op.getExperts(), "experts")))
    return failure();
  if (x.size() < 2)
    return context.error("expects an input of shape [.., d] with at least two axes, but got " + text(x));
  Dims rows(x.begin(), x.end() - 1);
  bool fits = experts == rows || (experts.size() == x.size() && ArrayRef<Dim>(experts).drop_back() == ArrayRef<Dim>(rows));
  if (!fits) {
    std::string one = text(rows);
    return context.error("expects experts of shape " + one + ", or " + one.substr(0, one.size() - 1) + ", _], but got " + text(experts));
  }
  if (w.size() != 3 || w[1] != x.back())
    return context.error("expects weights of shape [_, " + x.back().str() + ", _], but got " + text(w));
  if (!w[0].asConstant())
    return context.error("expects a fixed number of experts, but got weights of shape " + text(w));
  if (op.getB() && dimsOf(op.getB()) != Dims{w[0], w[2]})
    return context.error("expects a bias of shape [" + w[0].str() + ", " + w[2].str() + "], but got " + text(dimsOf(op.getB())));
  experts.push_back(w[2]);
  results.push_back(context.tensor(context.f32(), experts));
  return success();
}
LogicalResult GroupedLinearOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &w = evaluation.in(1), &experts = evaluation.in(2), *bias = evaluation.in(getB());
  Array result(evaluation.shapeOf(getResult()));
  int64_t depth = w.shape[1], width = w.shape[2], perRow = experts.rank() == x.rank() ? experts.shape.back() : 1;
  for (int64_t i = 0; i < result.size(); ++i) {
    int64_t entry = i / width, column = i % width, expert = int64_t(experts.data[entry]);
    if (expert < 0 || expert >= w.shape[0])
      continue;
    double sum = bias ? bias->data[expert * width + column] : 0;
    for (int64_t k = 0; k < depth; ++k)
      sum += x.data[entry / perRow * depth + k] * w.data[(expert * depth + k) * width + column];
    result.data[i] = sum;
  }
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult GroupedLinearOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  Value experts = getExperts();
  if (isa<CodeType>(experts.getType()))
    experts = IdsOp::create(b, experts);
  Dims entries = dimsOf(experts);
  if (int64_t(entries.size()) == x.rank())
    x = addAxis(x, x.rank() - 1);
  Value bias; // of every entry, before the product, which then adds it: a row of a table, none for those without an expert
  if (getB()) {
    Dims slots = entries;
    slots.push_back(Dim::constant(1));
    Value ones = broadcastTo(Formula(b, 1.0), slots).value, places = reshape(Formula(b, experts), slots).value;
    bias = GatherRowsSumOp::create(b, ones, places, getB(), Value(), "");
  }
  Formula y(b, GroupedProductOp::create(b, x.value, getW(), experts));
  results.push_back(bias ? (y + Formula(b, bias)).value : y.value);
  return success();
}

LogicalResult CombineExpertsOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims y = dimsOf(op.getY()), weights = dimsOf(op.getWeights());
  if (failed(context.requireFloat(op.getY(), "results of experts")) || failed(context.requireFloat(op.getWeights(), "weights")))
    return failure();
  if (y.size() < 2 || ArrayRef<Dim>(y).drop_back() != ArrayRef<Dim>(weights))
    return context.error("expects weights of the shape of " + text(y) + " without its last axis, but got " + text(weights));
  y.erase(y.end() - 2);
  results.push_back(context.tensor(context.f32(), y));
  return success();
}
LogicalResult CombineExpertsOp::evaluate(Evaluation &evaluation) {
  const Array &y = evaluation.in(0), &weights = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  int64_t width = y.shape.back(), k = weights.shape.back();
  for (int64_t i = 0; i < y.size(); ++i)
    result.data[i / width / k * width + i % width] += weights.data[i / width] * y.data[i];
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult CombineExpertsOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula y(b, getY()), weights(b, getWeights());
  int64_t last = weights.rank() - 1;
  results.push_back(dropAxis(reduceSum(y * addAxis(weights, last + 1), last), last).value);
  return success();
}

//===-- position_in_expert, within_capacity ----------------------------------------------------------------------------------===//

static LogicalResult inferExperts(InferContext &context, Value experts, int64_t count, SmallVectorImpl<Type> &results) {
  if (failed(context.requireInteger(experts, "experts")))
    return failure();
  if (dimsOf(experts).empty())
    return context.error("expects experts with at least one axis");
  if (count < 1)
    return context.error("expects a count of at least 1, but got " + Twine(count));
  results.push_back(plainType(experts));
  return success();
}

/// The contract of position_in_expert; -1 for entries without an expert.
static std::vector<int64_t> positionsOf(const Array &experts, int64_t count) {
  std::vector<int64_t> seen(count), positions;
  for (double expert : experts.data)
    positions.push_back(expert >= 0 && expert < double(count) ? seen[int64_t(expert)]++ : -1);
  return positions;
}

LogicalResult PositionInExpertOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferExperts(context, op.getExperts(), op.getCount(), results);
}
LogicalResult PositionInExpertOp::evaluate(Evaluation &evaluation) {
  Array result = evaluation.in(0);
  for (auto [to, position] : llvm::zip(result.data, positionsOf(evaluation.in(0), getCount())))
    to = double(std::max<int64_t>(position, 0));
  evaluation.out() = std::move(result);
  return success();
}
StringRef PositionInExpertOp::skeleton() { return "segment_position"; }
Value PositionInExpertOp::segmentIndices() { return getExperts(); }
Value PositionInExpertOp::segmentRows() { return Value(); }
Dim PositionInExpertOp::segments() { return Dim::constant(getCount()); }
Dim PositionInExpertOp::operations() { return product(dimsOf(getExperts())); }

LogicalResult WithinCapacityOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (int64_t capacity = op.getCapacity(); capacity < 1)
    return context.error("expects a capacity of at least 1, but got " + Twine(capacity));
  return inferExperts(context, op.getExperts(), op.getCount(), results);
}
LogicalResult WithinCapacityOp::evaluate(Evaluation &evaluation) {
  Array result = evaluation.in(0);
  for (auto [expert, position] : llvm::zip(result.data, positionsOf(evaluation.in(0), getCount())))
    if (position < 0 || position >= int64_t(getCapacity()))
      expert = double(getCount());
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult WithinCapacityOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Value experts = getExperts();
  if (isa<CodeType>(experts.getType()))
    experts = IdsOp::create(b, experts);
  // Exact in f32: there are fewer than 2^24 entries and experts.
  Formula ids = toFloat(Formula(b, experts)), none(b, double(getCount()));
  Formula position = toFloat(Formula(b, PositionInExpertOp::create(b, experts, getCount())));
  Formula isTaken = position < Formula(b, double(getCapacity()));
  Formula isExpert = ids > -0.5;
  results.push_back(toInt(select(isTaken, select(isExpert, minimum(ids, none), none), none)).value);
  return success();
}
