// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Losses over all pairs of a batch, without a value of that size: scores are folded as they are computed, and computed again for the
// derivative. With s = u v^T and p_ij = exp(s_ij - lse_i), d lse_i / d u_i = sum over j of p_ij v_j: a fold of the same scores.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Contraction.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Loss.h"
#include "dialects/Nacre/IR/Ops/Reduction.h"

#include <cmath>

using namespace nacre;
using namespace mlir;

static Formula sumOfAll(Formula x) {
  return Formula(*x.b, SumOp::create(*x.b, x.value, Value(), IntegerAttr(), StringAttr(), x.b->getBoolAttr(false)));
}
static Formula logSumExpOfRows(Formula x) { return Formula(*x.b, RowLogSumExpOp::create(*x.b, x.value)); }
static Formula weightedSum(Formula weights, Formula rows) { return Formula(*rows.b, WeightedSumOp::create(*rows.b, weights.value, rows.value)); }
static Formula selectEqual(Formula a, Formula b, Formula x, Formula y) {
  return Formula(*a.b, SelectEqualOp::create(*a.b, a.value, b.value, x.value, y.value));
}

static double logSumExp(ArrayRef<double> scores) {
  double top = *llvm::max_element(scores), sum = 0;
  for (double score : scores)
    sum += std::exp(score - top);
  return top + std::log(sum);
}
static double dot(const Array &a, int64_t i, const Array &b, int64_t j) {
  double sum = 0;
  for (int64_t k = 0, width = a.shape[1]; k < width; ++k)
    sum += a.data[i * width + k] * b.data[j * width + k];
  return sum;
}

//===-- batch_contrast -------------------------------------------------------------------------------------------------------===//

LogicalResult BatchContrastOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (dimsOf(op.getU()).size() != 2 || dimsOf(op.getU()) != dimsOf(op.getV()))
    return context.error("expects two matrices of one shape, but got " + text(dimsOf(op.getU())) + " and " + text(dimsOf(op.getV())));
  results.push_back(context.tensor(context.f32(), {}));
  return success();
}
LogicalResult BatchContrastOp::evaluate(Evaluation &evaluation) {
  const Array &u = evaluation.in(0), &v = evaluation.in(1);
  int64_t rows = u.shape[0], sides = getSides();
  double total = 0;
  for (int64_t i = 0; i < rows; ++i) {
    std::vector<double> ofRow, ofColumn;
    for (int64_t j = 0; j < rows; ++j) {
      ofRow.push_back(dot(u, i, v, j));
      ofColumn.push_back(dot(u, j, v, i));
    }
    total += logSumExp(ofRow) + (sides == 2 ? logSumExp(ofColumn) : 0);
  }
  evaluation.out() = Array({}, total / double(rows) / double(sides));
  return success();
}

static Formula logSumExpOfScores(Formula u, Formula v) { return logSumExpOfRows(matmul(u, transposed(v))); }

LogicalResult BatchContrastOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula u(b, getU()), v(b, getV()), all = sumOfAll(logSumExpOfScores(u, v));
  if (getSides() == 2)
    all = (all + sumOfAll(logSumExpOfScores(v, u))) * 0.5;
  results.push_back((all / sizeAsNumber(u, u.dims()[0])).value);
  return success();
}

/// sum over j of (exp(s_ij - ofRow_i) + exp(s_ij - ofColumn_j)) * weight * v_j, with s = u v^T.
static Formula pull(Formula u, Formula v, std::optional<Formula> ofRow, std::optional<Formula> ofColumn, Formula weight) {
  Formula scores = matmul(u, transposed(v));
  std::optional<Formula> share;
  if (ofRow)
    share = exp(scores - *ofRow);
  if (ofColumn) {
    Formula other = exp(scores - transposed(*ofColumn));
    share = share ? *share + other : other;
  }
  return weightedSum(*share * weight, v);
}

LogicalResult BatchContrastOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula u(b, getU()), v(b, getV()), ofU = logSumExpOfScores(u, v);
  Formula weight = Formula(b, cotangents[0]) / sizeAsNumber(u, u.dims()[0]) / double(getSides());
  std::optional<Formula> ofV;
  if (getSides() == 2)
    ofV = logSumExpOfScores(v, u);
  gradients.append({pull(u, v, ofU, ofV, weight).value, pull(v, u, ofV, ofU, weight).value});
  return success();
}

//===-- label_contrast -------------------------------------------------------------------------------------------------------===//

LogicalResult LabelContrastOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (dimsOf(op.getU()).size() != 2 || dimsOf(op.getY()) != Dims{dimsOf(op.getU())[0]})
    return context.error("expects rows [B, D] and labels [B], but got " + text(dimsOf(op.getU())) + " and " + text(dimsOf(op.getY())));
  results.push_back(context.tensor(context.f32(), {}));
  return success();
}
LogicalResult LabelContrastOp::evaluate(Evaluation &evaluation) {
  const Array &u = evaluation.in(0), &y = evaluation.in(1);
  double loss = 0, anchors = 0;
  for (int64_t i = 0; i < u.shape[0]; ++i) {
    std::vector<double> others;
    double positives = 0, count = 0;
    for (int64_t j = 0; j < u.shape[0]; ++j) {
      if (i == j)
        continue;
      others.push_back(dot(u, i, u, j) / getTemperature().convertToDouble());
      positives += y.data[i] == y.data[j] ? others.back() : 0;
      count += y.data[i] == y.data[j];
    }
    anchors += count > 0;
    loss += count > 0 ? logSumExp(others) - positives / count : 0;
  }
  evaluation.out() = Array({}, loss / std::fmax(anchors, 1));
  return success();
}

namespace {

/// What the loss and its derivative share; columns are [B, 1].
struct LabelContrast {
  ImplicitLocOpBuilder &b;
  Formula u, label, scores, row, column, zero;

  LabelContrast(ImplicitLocOpBuilder &b, Value rows, Value labels, double temperature)
      : b(b), u(b, rows), label(addAxis(Formula(b, labels), 1)), scores(matmul(u * (1 / temperature), transposed(u))),
        row(iota(b, {u.dims()[0], Dim::constant(1)}, 0)), column(iota(b, {Dim::constant(1), u.dims()[0]}, 1)), zero(b, 0.0) {}

  Formula exceptSelf(Formula x, double atSelf) { return selectEqual(row, column, Formula(b, atSelf), x); }
  Formula ofPairs(Formula same, Formula different) { return selectEqual(label, transposed(label), same, different); }
  /// -1e30 and not -inf: a batch of one has no others, and its finite sum is left out.
  Formula others() { return logSumExpOfRows(exceptSelf(scores, -1e30)); }
  /// How many others have the row's label.
  Formula count() { return reduceSum(exceptSelf(ofPairs(Formula(b, 1.0), zero), 0), -1); }
  Formula anchors() { return maximum(sumOfAll(toFloat(count() > 0)), Formula(b, 1.0)); }
};

} // namespace

LogicalResult LabelContrastOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  LabelContrast all(b, getU(), getY(), getTemperature().convertToDouble());
  Formula ones = broadcastTo(Formula(b, 1.0), {all.u.dims()[0], Dim::constant(1)});
  Formula positives = weightedSum(all.exceptSelf(all.ofPairs(all.scores, all.zero), 0), ones);
  Formula count = all.count(), loss = all.others() - positives / maximum(count, Formula(b, 1.0));
  results.push_back((sumOfAll(select(count > 0, loss, all.zero)) / all.anchors()).value);
  return success();
}

/// Scores are symmetric: the slope of pair (i, j) and that of (j, i) reach u_i through the same u_j.
LogicalResult LabelContrastOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  double temperature = getTemperature().convertToDouble();
  LabelContrast all(b, getU(), getY(), temperature);
  Formula count = all.count(), others = all.others();
  Formula weight = select(count > 0, Formula(b, 1.0), all.zero) * (Formula(b, cotangents[0]) / all.anchors() / temperature);
  Formula positive = weight / maximum(count, Formula(b, 1.0));
  Formula pushed = exp(all.scores - others) * weight + exp(all.scores - transposed(others)) * transposed(weight);
  Formula slope = all.exceptSelf(all.ofPairs(pushed - positive - transposed(positive), pushed), 0);
  gradients.append({weightedSum(slope, all.u).value, Value()});
  return success();
}
