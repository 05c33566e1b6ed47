// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators that take queries, keys and values: shapes, options, definitions, derivatives. Positions are in Rotary.cpp.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Attention.h"
#include "dialects/Nacre/IR/Ops/AttentionReference.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Layout.h"

#include "llvm/Support/Format.h"

#include <cmath>

using namespace nacre;
using namespace mlir;

//===-- shapes and options ---------------------------------------------------------------------------------------------------===//

/// An operand that must broadcast to `whole`.
static LogicalResult checkBroadcast(InferContext &context, Value value, ArrayRef<Dim> whole, StringRef what) {
  std::optional<Dims> joined = value ? broadcast(whole, dimsOf(value)) : Dims(whole);
  if (joined && *joined == Dims(whole))
    return success();
  return context.error("expects " + what + " that broadcasts to " + text(whole) + ", but got " + text(dimsOf(value)));
}

/// One number a head and distance.
static LogicalResult checkStrip(InferContext &context, Value value, const Dim &heads, const Dim &length, StringRef what) {
  if (!value)
    return success();
  Dims dims = dimsOf(value);
  if (failed(context.requireFloat(value, what)))
    return failure();
  if (dims.size() == 2 && (dims[0] == heads || dims[0].isOne()) && dims[1] == length)
    return success();
  return context.error("expects " + what + " of shape " + text({heads, length}) + ", but got " + text(dims));
}

/// What attention and its weights have in common. The size of the scores is [B, H, T, Tk].
template <typename Adaptor>
static LogicalResult checkScores(InferContext &context, Adaptor op) {
  Dims q = dimsOf(op.getQ()), k = dimsOf(op.getK());
  if (failed(context.requireFloat(op.getQ(), "queries")) || failed(context.requireFloat(op.getK(), "keys")))
    return failure();
  if (q.size() != 4)
    return context.error("expects queries of shape [B, H, T, d], but got " + text(q));
  if (k.size() != 4 || k[0] != q[0] || k[3] != q[3])
    return context.error("expects keys of shape [" + q[0].str() + ", _, _, " + q[3].str() + "], but got " + text(k));
  std::optional<int64_t> heads = q[1].asConstant(), keyHeads = k[1].asConstant();
  if (heads && keyHeads && (*keyHeads == 0 || *heads % *keyHeads != 0))
    return context.error("expects a number of key heads that divides " + Twine(*heads) + ", but got " + Twine(*keyHeads));
  if (op.getLengths() && dimsOf(op.getLengths()) != Dims{q[0]})
    return context.error("expects lengths of shape [" + q[0].str() + "], but got " + text(dimsOf(op.getLengths())));
  if (op.getLengths() && failed(context.requireInteger(op.getLengths(), "lengths")))
    return failure();
  if (op.getBias() && failed(context.requireFloat(op.getBias(), "a bias")))
    return failure();
  if (op.getMask() && !plainType(op.getMask()).getElementType().isInteger(1))
    return context.error("expects a mask of bool, but got " + Twine(plainType(op.getMask()).getElementType().isF32() ? "f32" : "i32"));
  Dims scores = {q[0], q[1], q[2], k[2]};
  Dim distances = q[2] + k[2] - Dim::constant(1);
  if (failed(checkBroadcast(context, op.getBias(), scores, "a bias")) || failed(checkBroadcast(context, op.getMask(), scores, "a mask")) ||
      failed(checkStrip(context, op.getRelative(), q[1], distances, "relative")))
    return failure();
  return checkStrip(context, op.getFactors(), q[1], distances, "factors");
}

template <typename Adaptor>
static LogicalResult checkValues(InferContext &context, Adaptor op) {
  Dims k = dimsOf(op.getK()), v = dimsOf(op.getV());
  if (failed(context.requireFloat(op.getV(), "values")))
    return failure();
  return v == k ? success() : context.error("expects values of shape " + text(k) + ", but got " + text(v));
}

/// As it is written in a program.
static std::string asText(double number) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", number);
  return text;
}

template <typename Adaptor>
static LogicalResult checkOptions(InferContext &context, Adaptor op) {
  if (op.getWindow() && int64_t(*op.getWindow()) < 1)
    return context.error("expects a window of at least 1, but got " + Twine(int64_t(*op.getWindow())));
  if (op.getPrefix() && int64_t(*op.getPrefix()) < 0)
    return context.error("expects a prefix of at least 0, but got " + Twine(int64_t(*op.getPrefix())));
  if (op.getWindow() && !op.getCausal() && !op.getPrefix())
    return context.error("expects causal = true with a window, but got causal = false");
  if (op.getSoftcap() && op.getSoftcap()->convertToDouble() <= 0)
    return context.error("expects a softcap above 0, but got " + asText(op.getSoftcap()->convertToDouble()));
  return success();
}

/// The default scale needs the head width as a number.
template <typename Op>
static FailureOr<double> resolvedScale(Op op) {
  if (op.getScale())
    return op.getScale()->convertToDouble();
  if (std::optional<int64_t> width = dimsOf(op.getQ())[3].asConstant())
    return 1 / std::sqrt(double(*width));
  return op.emitError() << op->getName().stripDialect() << " expects a fixed head width or an explicit scale, but got "
                        << dimsOf(op.getQ())[3].str();
}

//===-- the reference --------------------------------------------------------------------------------------------------------===//

template <typename Op>
static AttentionRule operandsOf(Op op, Evaluation &evaluation) {
  AttentionRule rule;
  rule.q = &evaluation.in(0), rule.k = &evaluation.in(1);
  rule.lengths = evaluation.in(op.getLengths()), rule.bias = evaluation.in(op.getBias()), rule.mask = evaluation.in(op.getMask());
  rule.relative = evaluation.in(op.getRelative()), rule.factors = evaluation.in(op.getFactors());
  rule.alibi = op.getAlibi();
  return rule;
}

/// Of an operator with options as people write them.
template <typename Op>
static FailureOr<AttentionRule> writtenRule(Op op, Evaluation &evaluation) {
  FailureOr<double> scale = resolvedScale(op);
  if (failed(scale))
    return failure();
  AttentionRule rule = operandsOf(op, evaluation);
  rule.scale = *scale, rule.softcap = op.getSoftcap() ? op.getSoftcap()->convertToDouble() : 0;
  rule.causal = op.getCausal() || op.getPrefix();
  rule.window = op.getWindow().value_or(0), rule.prefix = op.getPrefix().value_or(0);
  return rule;
}

/// Of an operator that kernels run.
template <typename Op>
static AttentionRule kernelRule(Op op, Evaluation &evaluation) {
  AttentionRule rule = operandsOf(op, evaluation);
  rule.scale = op.getScale().convertToDouble(), rule.softcap = op.getSoftcap().convertToDouble();
  rule.causal = op.getCausal(), rule.window = op.getWindow(), rule.prefix = op.getPrefix();
  return rule;
}

//===-- attention ------------------------------------------------------------------------------------------------------------===//

LogicalResult AttentionOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkOptions(context, op)) || failed(checkScores(context, op)) || failed(checkValues(context, op)))
    return failure();
  results.push_back(context.tensor(context.f32(), dimsOf(op.getQ())));
  return success();
}

LogicalResult AttentionOp::evaluate(Evaluation &evaluation) {
  FailureOr<AttentionRule> rule = writtenRule(*this, evaluation);
  if (failed(rule))
    return failure();
  Array lse;
  evaluateAttention(*rule, evaluation.in(2), evaluation.out(), lse);
  return success();
}

/// What a kernel's scratch is made for: steps of 64 columns, so that heads of similar widths share a kernel.
static FailureOr<int64_t> widthBound(AttentionOp op) {
  Dim width = dimsOf(op.getQ())[3];
  if (std::optional<int64_t> fixed = width.asConstant())
    return std::max<int64_t>((*fixed + 63) / 64 * 64, 128);
  return op.emitError("attention expects a fixed head width, but got ") << width.str();
}

/// The forward with its log-sum-exp; the second result is dead at inference.
LogicalResult AttentionOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  FailureOr<double> scale = resolvedScale(*this);
  FailureOr<int64_t> width = widthBound(*this);
  if (failed(scale) || failed(width))
    return failure();
  auto read = [&](Value rows) -> Value {
    return getLengths() ? ReadRowsOp::create(builder, getLoc(), rows, getLengths(), 2).getResult() : rows;
  };
  auto forward = AttentionForwardOp::create(
      builder, getLoc(), getQ(), read(getK()), read(getV()), getLengths(), getBias(), getMask(), getRelative(), getFactors(), APFloat(*scale),
      getCausal() || getPrefix(), getWindow().value_or(0), getPrefix().value_or(0), getSoftcap().value_or(APFloat(0.0)), getAlibi(),
      *width);
  results.push_back(forward.getResult());
  return success();
}

//===-- the kernels' forward and backward ------------------------------------------------------------------------------------===//

LogicalResult AttentionForwardOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkScores(context, op)) || failed(checkValues(context, op)))
    return failure();
  results.append({context.tensor(context.f32(), dimsOf(op.getQ())),
                  context.tensor(context.f32(), ArrayRef<Dim>(dimsOf(op.getQ())).drop_back())});
  return success();
}
LogicalResult AttentionForwardOp::evaluate(Evaluation &evaluation) {
  evaluateAttention(kernelRule(*this, evaluation), evaluation.in(2), evaluation.out(0), evaluation.out(1));
  return success();
}

/// A gradient that nobody reads is dropped later, so all are built.
LogicalResult AttentionForwardOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  if (cotangents[1])
    return emitError("the log-sum-exp of attention has no gradient");
  auto backward = AttentionBackwardOp::create(builder, getLoc(), getQ(), getK(), getV(), getLengths(), getBias(), getMask(), getRelative(),
                                              getFactors(), getResult(), cotangents[0], getLse(), getScale(), getCausal(), getWindow(),
                                              getPrefix(), getSoftcap(), getAlibi(), getWidth());
  auto ofBias = [&](StringRef name) -> Value {
    return AttentionBiasBackwardOp::create(builder, getLoc(), getQ(), getK(), getV(), getLengths(), getBias(), getMask(), getRelative(),
                                           getFactors(), getResult(), cotangents[0], getLse(), getScale(), getCausal(), getWindow(),
                                           getPrefix(), getSoftcap(), getAlibi(), getWidth(), name);
  };
  gradients.append({backward.getDq(), backward.getDk(), backward.getDv()});
  for (auto [operand, name] : {std::pair<Value, StringRef>(getLengths(), ""), {getBias(), "bias"}, {getMask(), ""},
                               {getRelative(), "relative"}, {getFactors(), "factors"}})
    if (operand)
      gradients.push_back(name.empty() ? Value() : ofBias(name));
  return success();
}
Value AttentionForwardOp::rowOperand() { return getQ(); }
FailureOr<Value> AttentionForwardOp::limitRows(OpBuilder &builder, Value lengths) {
  if (getLengths() != lengths || dimsOf(getQ())[2] != dimsOf(getK())[2])
    return failure();
  Operation *limited = builder.clone(*getOperation());
  cast<AttentionForwardOp>(limited).setPartial(true);
  return limited->getResult(0);
}
StringRef AttentionForwardOp::skeleton() { return "attention"; }
Dim AttentionForwardOp::operations() { return product(dimsOf(getQ())) * dimsOf(getK())[2] * Dim::constant(4); }

LogicalResult AttentionBackwardOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkScores(context, op)) || failed(checkValues(context, op)))
    return failure();
  for (Value value : {op.getQ(), op.getK(), op.getV()})
    results.push_back(context.tensor(context.f32(), dimsOf(value)));
  return success();
}
LogicalResult AttentionBackwardOp::evaluate(Evaluation &evaluation) {
  AttentionGradients all = differentiateAttention(kernelRule(*this, evaluation), evaluation.in(2), *evaluation.in(getCotangent()));
  evaluation.out(0) = std::move(all.q), evaluation.out(1) = std::move(all.k), evaluation.out(2) = std::move(all.v);
  return success();
}
StringRef AttentionBackwardOp::skeleton() { return "attention_backward"; }
Dim AttentionBackwardOp::operations() { return product(dimsOf(getQ())) * dimsOf(getK())[2] * Dim::constant(10); }

LogicalResult AttentionBiasBackwardOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkScores(context, op)) || failed(checkValues(context, op)))
    return failure();
  Value of = op.getOf() == "bias" ? op.getBias() : op.getOf() == "relative" ? op.getRelative() : op.getFactors();
  if (!of)
    return context.error("expects the operand '" + op.getOf() + "', whose gradient it is");
  results.push_back(context.tensor(context.f32(), dimsOf(of)));
  return success();
}
LogicalResult AttentionBiasBackwardOp::evaluate(Evaluation &evaluation) {
  AttentionGradients all = differentiateAttention(kernelRule(*this, evaluation), evaluation.in(2), *evaluation.in(getCotangent()));
  evaluation.out() = std::move(getOf() == "bias" ? all.bias : getOf() == "relative" ? all.relative : all.factors);
  return success();
}
StringRef AttentionBiasBackwardOp::skeleton() { return "attention_bias_backward"; }
Dim AttentionBiasBackwardOp::operations() { return product(dimsOf(getQ())) * dimsOf(getK())[2] * Dim::constant(4); }

//===-- attention_weights ----------------------------------------------------------------------------------------------------===//

LogicalResult AttentionWeightsOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkOptions(context, op)) || failed(checkScores(context, op)))
    return failure();
  Dims q = dimsOf(op.getQ());
  results.push_back(context.tensor(context.f32(), {q[0], q[1], q[2], dimsOf(op.getK())[2]}));
  return success();
}

LogicalResult AttentionWeightsOp::evaluate(Evaluation &evaluation) {
  FailureOr<AttentionRule> rule = writtenRule(*this, evaluation);
  if (failed(rule))
    return failure();
  Array weights(evaluation.shapeOf(getResult()));
  forEach({rule->q->shape[0], rule->q->shape[1], rule->q->shape[2]}, [&](ArrayRef<int64_t> place) {
    int64_t b = place[0], h = place[1], i = place[2];
    AttentionRow row = attentionRow(*rule, b, h, i);
    for (int64_t j = 0; j < rule->keys(); ++j)
      weights({b, h, i, j}) = row.weights[j] * rule->factor(h, i, j);
  });
  evaluation.out() = std::move(weights);
  return success();
}

/// q k^T for grouped heads: [B, H, T, Tk].
static Formula productOfHeads(Formula q, Formula k, ArrayRef<Dim> scores) {
  std::optional<int64_t> heads = q.dims()[1].asConstant(), keyHeads = k.dims()[1].asConstant();
  if (!heads || !keyHeads || *heads == *keyHeads || *keyHeads == 1)
    return matmul(q, transposed(k));
  Dims grouped = {q.dims()[0], Dim::constant(*keyHeads), Dim::constant(*heads / *keyHeads), q.dims()[2], q.dims()[3]};
  return reshape(matmul(reshape(q, grouped), addAxis(transposed(k), 2)), scores);
}

/// Entry i - j + Tk - 1 of a strip [H, T + Tk - 1] for every pair: [H, T, Tk]. The strip, one entry longer, is repeated Tk times; read with
/// rows one entry shorter than that, each repetition begins one entry earlier.
static Formula spread(Formula strip, const Dim &queries, const Dim &keys) {
  ImplicitLocOpBuilder &b = *strip.b;
  Dim heads = strip.dims()[0], length = strip.dims()[1], one = Dim::constant(1), longer = length + one;
  Formula padded(b, PadOp::create(b, strip.value, 1, "0", longer.str()));
  Formula repeated = reshape(broadcastTo(addAxis(padded, 1), {heads, keys, longer}), {heads, keys * longer});
  Formula skewed = reshape(slice(repeated, 1, keys - one, keys * length), {heads, keys, length});
  return transposed(slice(skewed, 2, Dim(), queries));
}

/// i' - j for every pair: [T, Tk].
static Formula lag(ImplicitLocOpBuilder &b, const Dim &queries, const Dim &keys) {
  Formula difference = iota(b, {queries, keys}, 0) - iota(b, {queries, keys}, 1);
  return difference + (sizeAsNumber(difference, keys) - sizeAsNumber(difference, queries));
}

static Formula atMost(Formula a, Formula b) { return Formula(*a.b, LessEqualOp::create(*a.b, a.value, b.value)); }
/// Both hold; conditions are combined as values, because there is no arithmetic on truth values.
static Formula both(std::optional<Formula> a, Formula b) {
  return a ? Formula(*b.b, GreaterOp::create(*b.b, (toFloat(*a) * toFloat(b)).value, Formula(*b.b, 0.5).value)) : b;
}

/// Scores before masks: soft-cap, then biases.
static Formula biasedScores(AttentionWeightsOp op, Formula scores, double scale) {
  ImplicitLocOpBuilder &b = *scores.b;
  Dims dims = scores.dims();
  scores = scores * scale;
  if (op.getSoftcap()) {
    double cap = op.getSoftcap()->convertToDouble();
    scores = tanh(scores / cap) * cap;
  }
  if (op.getBias())
    scores = scores + Formula(b, op.getBias());
  if (op.getRelative())
    scores = scores + spread(Formula(b, op.getRelative()), dims[2], dims[3]);
  if (op.getAlibi()) {
    Dims heads = {dims[1], Dim::constant(1), Dim::constant(1)};
    Formula slopes = exp((iota(b, heads, 0) + 1.0) * (-8 * std::log(2.0)) / sizeAsNumber(scores, dims[1]));
    scores = scores - slopes * lag(b, dims[2], dims[3]);
  }
  return scores;
}

/// Which pairs are allowed; nothing when all are.
static std::optional<Formula> allowedPairs(AttentionWeightsOp op, ImplicitLocOpBuilder &b, ArrayRef<Dim> dims) {
  std::optional<Formula> allowed;
  if (op.getCausal() || op.getPrefix()) {
    Formula distance = lag(b, dims[2], dims[3]), key = iota(b, {dims[2], dims[3]}, 1);
    allowed = atMost(Formula(b, 0.0), distance);
    if (op.getWindow())
      allowed = both(allowed, distance < Formula(b, double(*op.getWindow())));
    if (op.getPrefix())
      allowed = toFloat(*allowed) + toFloat(key < Formula(b, double(*op.getPrefix()))) > 0.5;
  }
  if (op.getMask())
    allowed = both(allowed, Formula(b, op.getMask()));
  if (op.getLengths()) {
    Formula lengths = toFloat(reshape(Formula(b, op.getLengths()), {dims[0], Dim::constant(1), Dim::constant(1), Dim::constant(1)}));
    allowed = both(allowed, iota(b, {dims[3]}, 0) < lengths);
  }
  return allowed;
}

/// exp(score - maximum) / sum with 0 where nothing is allowed: the sum of such a row is taken as 1.
LogicalResult AttentionWeightsOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  FailureOr<double> scale = resolvedScale(*this);
  if (failed(scale))
    return failure();
  Dims dims = dimsOf(getResult());
  Formula scores = biasedScores(*this, productOfHeads(Formula(b, getQ()), Formula(b, getK()), dims), *scale), zero(b, 0.0);
  std::optional<Formula> allowed = allowedPairs(*this, b, dims);
  if (allowed) // far below any score, and still a number whose difference to itself is 0
    scores = select(*allowed, scores, Formula(b, -1e30));
  Formula weights = exp(scores - stop(reduceMax(scores, -1)));
  if (allowed)
    weights = select(*allowed, weights, zero);
  Formula sum = reduceSum(weights, -1);
  weights = weights * (1.0 / (allowed ? sum + toFloat(sum == zero) : sum));
  if (getFactors())
    weights = weights * spread(Formula(b, getFactors()), dims[2], dims[3]);
  results.push_back(weights.value);
  return success();
}

//===-- read_rows ------------------------------------------------------------------------------------------------------------===//

LogicalResult ReadRowsOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), lengths = dimsOf(op.getLengths());
  if (x.empty() || lengths != Dims{x[0]})
    return context.error("expects lengths of the size of the first axis of " + text(x) + ", but got " + text(lengths));
  results.push_back(context.tensor(context.f32(), x));
  return success();
}
LogicalResult ReadRowsOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(0);
  return success();
}
LogicalResult ReadRowsOp::differentiate(OpBuilder &, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  gradients.append({cotangents[0], Value()});
  return success();
}
Value ReadRowsOp::limits() { return getLengths(); }
int64_t ReadRowsOp::limitedAxis() { return getAxis(); }

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Attention.cpp.inc"
void NacreDialect::addAttention() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Attention.cpp.inc"
      >();
}
