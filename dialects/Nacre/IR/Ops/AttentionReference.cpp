// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Ops/AttentionReference.h"

#include <cmath>
#include <limits>

namespace nacre {

bool AttentionRule::allows(int64_t b, int64_t h, int64_t i, int64_t j) const {
  if ((lengths && j >= lengths->data[b]) || (mask && mask->at({b, h, i, j}) == 0))
    return false;
  if (!causal)
    return true;
  int64_t diagonal = i + keys() - queries();
  bool isNear = window == 0 || j > diagonal - window;
  return (j <= diagonal && isNear) || j < prefix;
}

double AttentionRule::factor(int64_t h, int64_t i, int64_t j) const { return factors ? factors->at({h, i - j + keys() - 1}) : 1; }

static double dot(const Array &a, int64_t b, int64_t h, int64_t i, const Array &c, int64_t g, int64_t j) {
  double sum = 0;
  for (int64_t column = 0; column < a.shape[3]; ++column)
    sum += a.at({b, h, i, column}) * c.at({b, g, j, column});
  return sum;
}

/// What biases add to the score of (i, j).
static double biasOf(const AttentionRule &rule, int64_t b, int64_t h, int64_t i, int64_t j) {
  double sum = rule.bias ? rule.bias->at({b, h, i, j}) : 0;
  if (rule.relative)
    sum += rule.relative->at({h, i - j + rule.keys() - 1});
  if (rule.alibi)
    sum -= std::pow(2.0, -8.0 * double(h + 1) / double(rule.q->shape[1])) * double(i + rule.keys() - rule.queries() - j);
  return sum;
}

AttentionRow attentionRow(const AttentionRule &rule, int64_t b, int64_t h, int64_t i) {
  const double lowest = -std::numeric_limits<double>::infinity();
  AttentionRow row{std::vector<double>(rule.keys(), lowest), std::vector<double>(rule.keys(), 1), lowest};
  double top = lowest, sum = 0;
  for (int64_t j = 0; j < rule.keys(); ++j) {
    double score = rule.scale * dot(*rule.q, b, h, i, *rule.k, rule.keyHead(h), j);
    if (rule.softcap > 0) {
      double bounded = std::tanh(score / rule.softcap);
      score = rule.softcap * bounded;
      row.capSlopes[j] = 1 - bounded * bounded;
    }
    if (rule.allows(b, h, i, j))
      row.weights[j] = score + biasOf(rule, b, h, i, j);
    top = std::fmax(top, row.weights[j]);
  }
  for (double &weight : row.weights)
    sum += weight = std::isinf(top) ? 0 : std::exp(weight - top);
  for (double &weight : row.weights)
    weight /= sum > 0 ? sum : 1;
  row.logSumExp = std::isinf(top) ? lowest : top + std::log(sum);
  return row;
}

void evaluateAttention(const AttentionRule &rule, const Array &v, Array &y, Array &logSumExp) {
  const Array &q = *rule.q;
  y = Array(q.shape);
  logSumExp = Array({q.shape[0], q.shape[1], q.shape[2]});
  forEach(logSumExp.shape, [&](llvm::ArrayRef<int64_t> place) {
    int64_t b = place[0], h = place[1], i = place[2];
    AttentionRow row = attentionRow(rule, b, h, i);
    logSumExp(place) = row.logSumExp;
    for (int64_t j = 0; j < rule.keys(); ++j)
      for (int64_t c = 0; c < q.shape[3]; ++c)
        y({b, h, i, c}) += row.weights[j] * rule.factor(h, i, j) * v.at({b, rule.keyHead(h), j, c});
  });
}

/// Adds to the element that `index` reads by broadcasting.
static void addAt(Array &array, llvm::ArrayRef<int64_t> index, double value) {
  llvm::SmallVector<int64_t, 4> place(index.take_back(array.rank()));
  for (auto [entry, size] : llvm::zip(place, array.shape))
    entry = size == 1 ? 0 : entry;
  array(place) += value;
}

/// Of one pair: with dP = factor * (v_j . dO), dS = P * (dP - sum of P dP over the row).
AttentionGradients differentiateAttention(const AttentionRule &rule, const Array &v, const Array &cotangent) {
  const Array &q = *rule.q, &k = *rule.k;
  auto zeros = [](const Array *like) { return like ? Array(like->shape) : Array(); };
  AttentionGradients sums{zeros(&q), zeros(&k), zeros(&v), zeros(rule.bias), zeros(rule.relative), zeros(rule.factors)};
  forEach({q.shape[0], q.shape[1], q.shape[2]}, [&](llvm::ArrayRef<int64_t> place) {
    int64_t b = place[0], h = place[1], i = place[2], g = rule.keyHead(h);
    AttentionRow row = attentionRow(rule, b, h, i);
    double delta = 0;
    for (int64_t j = 0; j < rule.keys(); ++j)
      delta += row.weights[j] * rule.factor(h, i, j) * dot(cotangent, b, h, i, v, g, j);
    for (int64_t j = 0; j < rule.keys(); ++j) {
      double p = row.weights[j], product = dot(cotangent, b, h, i, v, g, j);
      double score = p * (rule.factor(h, i, j) * product - delta), raw = score * row.capSlopes[j] * rule.scale;
      if (rule.bias)
        addAt(sums.bias, {b, h, i, j}, score);
      if (rule.relative)
        addAt(sums.relative, {h, i - j + rule.keys() - 1}, score);
      if (rule.factors)
        addAt(sums.factors, {h, i - j + rule.keys() - 1}, p * product);
      for (int64_t c = 0; c < q.shape[3]; ++c) {
        sums.q({b, h, i, c}) += raw * k.at({b, g, j, c});
        sums.k({b, g, j, c}) += raw * q.at({b, h, i, c});
        sums.v({b, g, j, c}) += p * rule.factor(h, i, j) * cotangent.at({b, h, i, c});
      }
    }
  });
  return sums;
}

} // namespace nacre
