// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Normalisation of [B, C, S..] over everything but channels, or but groups of them: rows of another shape.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Normalization.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace nacre;
using namespace mlir;

static LogicalResult checkChannels(InferContext &context, Value x, ArrayRef<std::pair<Value, StringRef>> scales) {
  Dims dims = dimsOf(x);
  if (failed(context.requireFloat(x, "an input")))
    return failure();
  if (dims.size() < 2)
    return context.error("expects an input of shape [B, C, S..], but got " + text(dims));
  for (auto [scale, what] : scales)
    if (scale && dimsOf(scale) != Dims{dims[1]})
      return context.error("expects " + what + " of shape [" + dims[1].str() + "], but got " + text(dimsOf(scale)));
  return success();
}

/// A value a channel, in a shape that broadcasts over `x`.
static Formula alongChannels(Formula x, Value scale) {
  Dims dims(x.rank() - 1, Dim::constant(1));
  dims[0] = x.dims()[1];
  return reshape(Formula(*x.b, scale), dims);
}
static Formula scaled(Formula x, Value gamma, Value beta) {
  if (gamma)
    x = x * alongChannels(x, gamma);
  return beta ? x + alongChannels(x, beta) : x;
}
static Formula standardized(Formula rows, APFloat eps) {
  return Formula(*rows.b, LayerNormOp::create(*rows.b, rows.value, Value(), Value(), eps));
}

/// Standardises the elements that `setOf` maps to one number, then scales by channel.
static LogicalResult evaluateSets(Evaluation &evaluation, int64_t sets, llvm::function_ref<int64_t(ArrayRef<int64_t>)> setOf, double eps,
                                  const Array *gamma, const Array *beta, const Array *mean, const Array *variance) {
  const Array &x = evaluation.in(0);
  std::vector<double> count(sets), sum(sets), squares(sets);
  forEach(x.shape, [&](ArrayRef<int64_t> at) { ++count[setOf(at)], sum[setOf(at)] += x.at(at); });
  auto centre = [&](int64_t set) { return mean ? mean->data[set] : sum[set] / count[set]; };
  forEach(x.shape, [&](ArrayRef<int64_t> at) { squares[setOf(at)] += std::pow(x.at(at) - centre(setOf(at)), 2); });
  Array result(x.shape);
  forEach(x.shape, [&](ArrayRef<int64_t> at) {
    int64_t set = setOf(at);
    double spread = variance ? variance->data[set] : squares[set] / count[set];
    double y = (x.at(at) - centre(set)) / std::sqrt(spread + eps);
    result(at) = y * (gamma ? gamma->data[at[1]] : 1) + (beta ? beta->data[at[1]] : 0);
  });
  evaluation.out() = std::move(result);
  return success();
}

//===-- group_norm -----------------------------------------------------------------------------------------------------------===//

LogicalResult GroupNormOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkChannels(context, op.getX(), {{op.getGamma(), "gamma"}, {op.getBeta(), "beta"}})))
    return failure();
  Dim channels = dimsOf(op.getX())[1];
  if (int64_t(op.getGroups()) < 1 || !channels.dividedBy(op.getGroups()))
    return context.error("expects a number of groups that divides the " + channels.str() + " channels, but got " + Twine(int64_t(op.getGroups())));
  results.push_back(plainType(op.getX()));
  return success();
}
LogicalResult GroupNormOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  int64_t groups = getGroups(), wide = x.shape[1] / groups;
  return evaluateSets(evaluation, x.shape[0] * groups, [&](ArrayRef<int64_t> at) { return at[0] * groups + at[1] / wide; },
                      getEps().convertToDouble(), evaluation.in(getGamma()), evaluation.in(getBeta()), nullptr, nullptr);
}
LogicalResult GroupNormOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  Dims dims = x.dims();
  Dim wide = *dims[1].dividedBy(getGroups()) * product(ArrayRef<Dim>(dims).drop_front(2));
  Formula rows = standardized(reshape(x, {dims[0], Dim::constant(getGroups()), wide}), getEps());
  results.push_back(scaled(reshape(rows, dims), getGamma(), getBeta()).value);
  return success();
}

//===-- batch_norm -----------------------------------------------------------------------------------------------------------===//

LogicalResult BatchNormOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (bool(op.getMean()) != bool(op.getVariance()))
    return context.error("expects both a mean and a variance, or neither");
  if (failed(checkChannels(context, op.getX(), {{op.getGamma(), "gamma"}, {op.getBeta(), "beta"}, {op.getMean(), "a mean"},
                                                {op.getVariance(), "a variance"}})))
    return failure();
  results.push_back(plainType(op.getX()));
  return success();
}
LogicalResult BatchNormOp::evaluate(Evaluation &evaluation) {
  return evaluateSets(evaluation, evaluation.in(0).shape[1], [](ArrayRef<int64_t> at) { return at[1]; }, getEps().convertToDouble(),
                      evaluation.in(getGamma()), evaluation.in(getBeta()), evaluation.in(getMean()), evaluation.in(getVariance()));
}
LogicalResult BatchNormOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  if (getMean()) {
    Formula scale = rsqrt(alongChannels(x, getVariance()) + getEps().convertToDouble());
    results.push_back(scaled((x - alongChannels(x, getMean())) * scale, getGamma(), getBeta()).value);
    return success();
  }
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, x.rank()));
  std::swap(order[0], order[1]); // its own inverse
  Formula byChannel = permute(x, order);
  Dims dims = byChannel.dims();
  Formula rows = standardized(reshape(byChannel, {dims[0], product(ArrayRef<Dim>(dims).drop_front())}), getEps());
  results.push_back(scaled(permute(reshape(rows, dims), order), getGamma(), getBeta()).value);
  return success();
}
