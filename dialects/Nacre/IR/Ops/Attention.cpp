// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Attention.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"

#include <cmath>
#include <limits>

using namespace nacre;
using namespace mlir;

template <typename Adaptor>
static LogicalResult inferAttention(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims q = dimsOf(op.getQ()), k = dimsOf(op.getK()), v = dimsOf(op.getV());
  if (failed(context.requireFloat(op.getQ(), "queries")) || failed(context.requireFloat(op.getK(), "keys")) ||
      failed(context.requireFloat(op.getV(), "values")))
    return failure();
  if (q.size() != 4)
    return context.error("expects queries of shape [B, H, T, d], but got " + text(q));
  if (k.size() != 4 || k[0] != q[0] || k[3] != q[3])
    return context.error("expects keys of shape [" + q[0].str() + ", _, _, " + q[3].str() + "], but got " + text(k));
  if (v != k)
    return context.error("expects values of shape " + text(k) + ", but got " + text(v));
  std::optional<int64_t> heads = q[1].asConstant(), keyHeads = k[1].asConstant();
  if (heads && keyHeads && (*keyHeads == 0 || *heads % *keyHeads != 0))
    return context.error("expects a number of key heads that divides " + Twine(*heads) + ", but got " + Twine(*keyHeads));
  if (op.getLengths() && dimsOf(op.getLengths()) != Dims{q[0]})
    return context.error("expects lengths of shape [" + q[0].str() + "], but got " + text(dimsOf(op.getLengths())));
  if (op.getBias() && !broadcast({q[0], q[1], q[2], k[2]}, dimsOf(op.getBias())))
    return context.error("expects a bias that broadcasts to " + text({q[0], q[1], q[2], k[2]}) + ", but got " + text(dimsOf(op.getBias())));
  results.push_back(context.tensor(context.f32(), q));
  return success();
}

template <typename Op>
static double scaleOf(Op op) {
  return op.getScale().convertToDouble();
}

namespace {
/// The scores of one query row: -inf where a mask forbids.
struct ScoreRule {
  double scale, softcap;
  bool causal;
  int64_t window, prefix;

  bool allows(int64_t i, int64_t j, int64_t tq, int64_t tk, int64_t length) const {
    int64_t diagonal = i + (tk - tq);
    if (j >= length)
      return false;
    if (prefix > 0)
      return j <= diagonal || j < prefix;
    if (causal && j > diagonal)
      return false;
    return window == 0 || j > diagonal - window;
  }
};
} // namespace

static double dot(const Array &a, ArrayRef<int64_t> i, const Array &b, ArrayRef<int64_t> j) {
  double sum = 0;
  SmallVector<int64_t> ia(i), ib(j);
  for (int64_t c = 0; c < a.shape[3]; ++c) {
    ia[3] = ib[3] = c;
    sum += a.at(ia) * b.at(ib);
  }
  return sum;
}

static std::vector<double> scoreRow(const ScoreRule &rule, const Array &q, const Array &k, const Array *lengths, const Array *bias,
                                    int64_t b, int64_t h, int64_t i) {
  int64_t tk = k.shape[2], keyHead = h * k.shape[1] / q.shape[1];
  std::vector<double> scores(tk, -std::numeric_limits<double>::infinity());
  for (int64_t j = 0; j < tk; ++j) {
    if (!rule.allows(i, j, q.shape[2], tk, lengths ? int64_t(lengths->data[b]) : tk))
      continue;
    double score = rule.scale * dot(q, {b, h, i, 0}, k, {b, keyHead, j, 0});
    if (rule.softcap > 0)
      score = rule.softcap * std::tanh(score / rule.softcap);
    scores[j] = score + (bias ? bias->at({b, h, i, j}) : 0);
  }
  return scores;
}

static void evaluateAttention(const ScoreRule &rule, const Array &q, const Array &k, const Array &v, const Array *lengths,
                              const Array *bias, Array &y, Array &lse) {
  y = Array(q.shape);
  lse = Array({q.shape[0], q.shape[1], q.shape[2]});
  forEach(lse.shape, [&](ArrayRef<int64_t> row) {
    int64_t b = row[0], h = row[1], i = row[2], keyHead = h * k.shape[1] / q.shape[1];
    std::vector<double> scores = scoreRow(rule, q, k, lengths, bias, b, h, i);
    double top = -std::numeric_limits<double>::infinity(), sum = 0;
    for (double score : scores)
      top = std::fmax(top, score);
    lse(row) = top;
    if (std::isinf(top))
      return;
    for (double score : scores)
      sum += std::exp(score - top);
    lse(row) = top + std::log(sum);
    for (size_t j = 0; j < scores.size(); ++j)
      for (int64_t c = 0; c < q.shape[3]; ++c)
        y({b, h, i, c}) += std::exp(scores[j] - top) / sum * v.at({b, keyHead, int64_t(j), c});
  });
}

template <typename Op>
static ScoreRule ruleOf(Op op, double scale) {
  return {scale, op.getSoftcap().convertToDouble(), op.getCausal(), int64_t(op.getWindow()), int64_t(op.getPrefix())};
}

//===-- attention ------------------------------------------------------------------------------------------------------------===//

LogicalResult AttentionOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (int64_t(op.getWindow()) < 0 || (op.getWindow() > 0 && !op.getCausal()))
    return context.error("expects a window of at least 1 together with causal = true");
  if (int64_t(op.getPrefix()) < 0)
    return context.error("expects a prefix of at least 0");
  return inferAttention(context, op, results);
}

/// The default scale needs the head width as a number.
static FailureOr<double> resolvedScale(AttentionOp op) {
  if (op.getScale())
    return op.getScale()->convertToDouble();
  if (std::optional<int64_t> width = dimsOf(op.getQ())[3].asConstant())
    return 1 / std::sqrt(double(*width));
  return op.emitError("attention expects a fixed head width or an explicit scale, but got ") << dimsOf(op.getQ())[3].str();
}

LogicalResult AttentionOp::evaluate(Evaluation &evaluation) {
  FailureOr<double> scale = resolvedScale(*this);
  if (failed(scale))
    return failure();
  Array lse;
  evaluateAttention(ruleOf(*this, *scale), evaluation.in(0), evaluation.in(1), evaluation.in(2), evaluation.in(getLengths()),
                    evaluation.in(getBias()), evaluation.out(), lse);
  return success();
}

/// The forward with its log-sum-exp; the second result is dead at inference.
LogicalResult AttentionOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  FailureOr<double> scale = resolvedScale(*this);
  if (failed(scale))
    return failure();
  auto forward = AttentionForwardOp::create(builder, getLoc(), getQ(), getK(), getV(), getLengths(), getBias(),
                                            builder.getF64FloatAttr(*scale), getCausalAttr(), getWindowAttr(), getPrefixAttr(),
                                            getSoftcapAttr());
  results.push_back(forward.getResult());
  return success();
}

//===-- the kernels' forward and backward ------------------------------------------------------------------------------------===//

LogicalResult AttentionForwardOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(inferAttention(context, op, results)))
    return failure();
  results.push_back(context.tensor(context.f32(), ArrayRef<Dim>(dimsOf(op.getQ())).drop_back()));
  return success();
}
LogicalResult AttentionForwardOp::evaluate(Evaluation &evaluation) {
  evaluateAttention(ruleOf(*this, scaleOf(*this)), evaluation.in(0), evaluation.in(1), evaluation.in(2), evaluation.in(getLengths()),
                    evaluation.in(getBias()), evaluation.out(0), evaluation.out(1));
  return success();
}
LogicalResult AttentionForwardOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  if (getBias())
    return emitError("the gradient of attention with a bias is not available yet");
  if (cotangents[1])
    return emitError("the log-sum-exp of attention has no gradient");
  auto backward = AttentionBackwardOp::create(builder, getLoc(), getQ(), getK(), getV(), getLengths(), getBias(), getResult(),
                                              cotangents[0], getLse(), getScaleAttr(), getCausalAttr(), getWindowAttr(),
                                              getPrefixAttr(), getSoftcapAttr());
  gradients.append({backward.getDq(), backward.getDk(), backward.getDv()});
  gradients.resize(getNumOperands());
  return success();
}
StringRef AttentionForwardOp::skeleton() { return "attention"; }
Dim AttentionForwardOp::operations() { return product(dimsOf(getQ())) * dimsOf(getK())[2] * Dim::constant(4); }

LogicalResult AttentionBackwardOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  SmallVector<Type> forward;
  if (failed(inferAttention(context, op, forward)))
    return failure();
  results.append({context.tensor(context.f32(), dimsOf(op.getQ())), context.tensor(context.f32(), dimsOf(op.getK())),
                  context.tensor(context.f32(), dimsOf(op.getV()))});
  return success();
}
/// dP = dO V^T, dS = P * (dP - rowsum(dO * O)) (times the slope of the soft-cap), dQ = scale dS K, dK = scale dS^T Q, dV = P^T dO.
LogicalResult AttentionBackwardOp::evaluate(Evaluation &evaluation) {
  const Array &q = evaluation.in(0), &k = evaluation.in(1), &v = evaluation.in(2);
  const Array &output = *evaluation.in(getOutput()), &cotangent = *evaluation.in(getCotangent()), &lse = *evaluation.in(getLse());
  const Array *lengths = evaluation.in(getLengths()), *bias = evaluation.in(getBias());
  ScoreRule rule = ruleOf(*this, scaleOf(*this));
  Array dq(q.shape), dk(k.shape), dv(v.shape);
  forEach(lse.shape, [&](ArrayRef<int64_t> row) {
    int64_t b = row[0], h = row[1], i = row[2], keyHead = h * k.shape[1] / q.shape[1];
    if (std::isinf(lse.at(row)))
      return;
    std::vector<double> scores = scoreRow(rule, q, k, lengths, bias, b, h, i);
    double delta = dot(output, {b, h, i, 0}, cotangent, {b, h, i, 0});
    for (int64_t j = 0; j < int64_t(scores.size()); ++j) {
      double p = std::exp(scores[j] - lse.at(row));
      if (p == 0)
        continue;
      double ds = p * (dot(cotangent, {b, h, i, 0}, v, {b, keyHead, j, 0}) - delta) * rule.scale;
      double capped = (scores[j] - (bias ? bias->at({b, h, i, j}) : 0)) / rule.softcap;
      if (rule.softcap > 0)
        ds *= 1 - capped * capped;
      for (int64_t c = 0; c < q.shape[3]; ++c) {
        dq({b, h, i, c}) += ds * k.at({b, keyHead, j, c});
        dk({b, keyHead, j, c}) += ds * q.at({b, h, i, c});
        dv({b, keyHead, j, c}) += p * cotangent.at({b, h, i, c});
      }
    }
  });
  evaluation.out(0) = std::move(dq);
  evaluation.out(1) = std::move(dk);
  evaluation.out(2) = std::move(dv);
  return success();
}
StringRef AttentionBackwardOp::skeleton() { return "attention_backward"; }
Dim AttentionBackwardOp::operations() { return product(dimsOf(getQ())) * dimsOf(getK())[2] * Dim::constant(10); }

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Attention.cpp.inc"
void NacreDialect::addAttention() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Attention.cpp.inc"
      >();
}
