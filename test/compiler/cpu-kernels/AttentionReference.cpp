// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/compiler/cpu-kernels/AttentionReference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace nacre::cpu {

using Slot = AttentionSlots;

AttentionProblem::AttentionProblem(const AttentionSpec &spec, const AttentionShape &shape)
    : spec(spec), shape(shape), q(shape.batch, shape.queries, shape.heads, shape.width),
      k(shape.batch, shape.keys, shape.keyHeads, shape.width), v(shape.batch, shape.keys, shape.keyHeads, shape.width),
      o(shape.batch, shape.queries, shape.heads, shape.width), dO(shape.batch, shape.queries, shape.heads, shape.width),
      dQ(shape.batch, shape.queries, shape.heads, shape.width), dK(shape.batch, shape.keys, shape.keyHeads, shape.width),
      dV(shape.batch, shape.keys, shape.keyHeads, shape.width),
      logSumExp(static_cast<size_t>(shape.batch * shape.heads * shape.queries)),
      bias(static_cast<size_t>(shape.heads * shape.queries * shape.keys)), relative(static_cast<size_t>(shape.heads * distances())),
      factors(static_cast<size_t>(shape.heads * distances())), dBias(bias.size()), dRelative(relative.size()),
      dFactors(factors.size()), lengths(static_cast<size_t>(shape.batch)), prefix(static_cast<size_t>(shape.batch)),
      mask(static_cast<size_t>(shape.batch * shape.queries * shape.keys)) {
  uint32_t seed = 1;
  for (GuardedArray<float> *array : {&q.data, &k.data, &v.data, &dO.data, &bias, &relative, &factors})
    fillReals(*array, seed++);
  for (size_t i = 0; i < mask.size(); ++i) // about two of three, scattered
    mask[i] = static_cast<int32_t>((i * 2654435761u >> 7) % 3);
  for (int64_t b = 0; b < shape.batch; ++b) { // the second entry is empty
    lengths[b] = static_cast<int32_t>(b == 1 ? 0 : std::max<int64_t>(1, shape.keys * 2 / 3));
    prefix[b] = static_cast<int32_t>(shape.keys / 3);
  }
}

bool AttentionProblem::allowed(int64_t b, int64_t i, int64_t j) const {
  const int64_t diagonal = i + shape.keys - shape.queries;
  if ((spec.lengths && j >= lengths[b]) || (spec.mask && mask[(b * shape.queries + i) * shape.keys + j] == 0))
    return false;
  if (!spec.causal)
    return true;
  const bool inside = j <= diagonal && (!spec.window || j > diagonal - window);
  return inside || (spec.prefix && j < prefix[b]);
}

double AttentionProblem::biasOf(int64_t h, int64_t i, int64_t j) const {
  double sum = spec.bias ? bias[pair(h, i, j)] : 0;
  if (spec.relative)
    sum += relative[entry(h, i, j)];
  if (spec.alibi)
    sum -= std::exp2(-8.0 * double(h + 1) / double(shape.heads)) * double(i + shape.keys - shape.queries - j);
  return sum;
}

/// One query row: output, log-sum-exp, dQ, and its part of dK and dV.
void AttentionProblem::solveRow(int64_t b, int64_t h, int64_t i) {
  const int64_t kvHead = h * shape.keyHeads / shape.heads, width = shape.width;
  const size_t qi = q.index(b, h, i);
  std::vector<double> score(shape.keys), slope(shape.keys, 1.0), weight(shape.keys, 0.0);
  double maximum = -std::numeric_limits<double>::infinity();
  for (int64_t j = 0; j < shape.keys; ++j) {
    double s = 0;
    for (int64_t c = 0; c < width; ++c)
      s += double(q.data[qi + c]) * k.data[k.index(b, kvHead, j) + c];
    s *= spec.scale;
    if (spec.softCap != 0) {
      const double t = std::tanh(s / spec.softCap);
      s = spec.softCap * t, slope[j] = 1 - t * t;
    }
    s += biasOf(h, i, j);
    score[j] = allowed(b, i, j) ? s : -std::numeric_limits<double>::infinity();
    maximum = std::max(maximum, score[j]);
  }
  double sum = 0;
  for (int64_t j = 0; j < shape.keys && std::isfinite(maximum); ++j)
    sum += weight[j] = std::exp(score[j] - maximum);
  exactLog[(b * shape.heads + h) * shape.queries + i] = maximum + std::log(sum);
  auto factor = [&](int64_t j) { return spec.factors ? factors[entry(h, i, j)] : 1.0; };
  double delta = 0;
  for (int64_t j = 0; j < shape.keys && sum > 0; ++j) {
    weight[j] /= sum;
    for (int64_t c = 0; c < width; ++c) {
      exactO[qi + c] += weight[j] * factor(j) * v.data[v.index(b, kvHead, j) + c];
      delta += weight[j] * factor(j) * v.data[v.index(b, kvHead, j) + c] * dO.data[qi + c];
    }
  }
  for (int64_t j = 0; j < shape.keys && sum > 0; ++j) {
    const size_t kj = k.index(b, kvHead, j);
    double product = 0;
    for (int64_t c = 0; c < width; ++c) {
      product += double(v.data[kj + c]) * dO.data[qi + c];
      exactDV[kj + c] += weight[j] * factor(j) * dO.data[qi + c];
    }
    const double dBiased = weight[j] * (factor(j) * product - delta), dScore = dBiased * slope[j] * spec.scale;
    exactDBias[pair(h, i, j)] += dBiased;
    exactDRelative[entry(h, i, j)] += dBiased;
    exactDFactors[entry(h, i, j)] += weight[j] * product;
    for (int64_t c = 0; c < width; ++c) {
      exactDQ[qi + c] += dScore * k.data[kj + c];
      exactDK[kj + c] += dScore * q.data[qi + c];
    }
  }
}

void AttentionProblem::solve() {
  exactO.assign(o.data.size(), 0), exactDQ.assign(q.data.size(), 0);
  exactDK.assign(k.data.size(), 0), exactDV.assign(v.data.size(), 0), exactLog.assign(logSumExp.size(), 0);
  exactDBias.assign(dBias.size(), 0), exactDRelative.assign(dRelative.size(), 0), exactDFactors.assign(dFactors.size(), 0);
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t i = 0; i < shape.queries; ++i)
        solveRow(b, h, i);
}

void AttentionProblem::fill(Launch &launch, bool backward) {
  q.fill(launch, Slot::Q, Slot::QBatch), k.fill(launch, Slot::K, Slot::KBatch);
  v.fill(launch, Slot::V, Slot::VBatch), o.fill(launch, Slot::O, Slot::OBatch);
  launch.set(Slot::LogSumExp, logSumExp.data());
  launch.set(Slot::Batch, shape.batch), launch.set(Slot::Heads, shape.heads), launch.set(Slot::KeyHeads, shape.keyHeads);
  launch.set(Slot::Queries, shape.queries), launch.set(Slot::Keys, shape.keys), launch.set(Slot::Width, shape.width);
  launch.set(Slot::Lengths, lengths.data()), launch.set(Slot::Prefix, prefix.data()), launch.set(Slot::Window, window);
  launch.set(Slot::Bias, bias.data()), launch.set(Slot::BiasBatch, int64_t(0));
  launch.set(Slot::BiasHead, shape.queries * shape.keys), launch.set(Slot::BiasRow, shape.keys);
  launch.set(Slot::BiasColumn, int64_t(1));
  launch.set(Slot::Mask, mask.data()), launch.set(Slot::MaskBatch, shape.queries * shape.keys), launch.set(Slot::MaskHead, int64_t(0));
  launch.set(Slot::MaskRow, shape.keys), launch.set(Slot::MaskColumn, int64_t(1));
  launch.set(Slot::Relative, relative.data()), launch.set(Slot::RelativeHead, distances());
  launch.set(Slot::Factors, factors.data()), launch.set(Slot::FactorsHead, distances());
  if (!backward)
    return;
  dO.fill(launch, Slot::DO, Slot::DOBatch), dQ.fill(launch, Slot::DQ, Slot::DQBatch);
  dK.fill(launch, Slot::DK, Slot::DKBatch), dV.fill(launch, Slot::DV, Slot::DVBatch);
}

void AttentionProblem::fill(Launch &launch, BiasGradient of) {
  fill(launch, true);
  const bool isStrip = of != BiasGradient::Bias;
  launch.set(Slot::DBias, (of == BiasGradient::Bias ? dBias : of == BiasGradient::Relative ? dRelative : dFactors).data());
  launch.set(Slot::DBiasBatch, int64_t(0)), launch.set(Slot::DBiasHead, isStrip ? distances() : shape.queries * shape.keys);
  launch.set(Slot::DBiasRow, isStrip ? int64_t(1) : shape.keys), launch.set(Slot::DBiasColumn, int64_t(isStrip ? -1 : 1));
  launch.set(Slot::DBiasBatches, int64_t(1)), launch.set(Slot::DBiasHeads, shape.heads);
  launch.set(Slot::DBiasRows, isStrip ? int64_t(1) : shape.queries);
  launch.set(Slot::DBiasColumns, isStrip ? distances() : shape.keys);
}

void AttentionProblem::storeForward() {
  std::copy(exactO.begin(), exactO.end(), o.data.data());
  std::copy(exactLog.begin(), exactLog.end(), logSumExp.data());
}

/// Largest difference, as a share of the largest exact value; gradients are differences of terms of size 1, even where they vanish.
static void expectNear(const char *what, const AttentionShape &shape, const GuardedArray<float> &found,
                       const std::vector<double> &exact, double tolerance) {
  double largest = 0.1;
  for (double value : exact)
    largest = std::isfinite(value) ? std::max(largest, std::fabs(value)) : largest;
  for (size_t i = 0; i < exact.size(); ++i)
    if (std::isfinite(exact[i]) ? !(std::fabs(found[i] - exact[i]) <= tolerance * largest) : found[i] != exact[i]) {
      ADD_FAILURE() << what << "[" << i << "] is " << found[i] << ", but " << exact[i] << " is exact; B" << shape.batch << " H"
                    << shape.heads << "/" << shape.keyHeads << " Tq" << shape.queries << " Tk" << shape.keys << " d" << shape.width;
      return;
    }
}

// Scores of size 10 carry an error of 10 * 2^-23 into each weight; sums of weights average it out.
constexpr double tolerance = 5e-6;

void AttentionProblem::expectForward() const {
  expectNear("o", shape, o.data, exactO, tolerance);
  expectNear("logSumExp", shape, logSumExp, exactLog, tolerance);
}

void AttentionProblem::expectBackward() const {
  expectNear("dQ", shape, dQ.data, exactDQ, tolerance);
  expectNear("dK", shape, dK.data, exactDK, tolerance);
  expectNear("dV", shape, dV.data, exactDV, tolerance);
}

void AttentionProblem::expectBias(BiasGradient of) const {
  if (of == BiasGradient::Bias)
    expectNear("dBias", shape, dBias, exactDBias, tolerance);
  else if (of == BiasGradient::Relative)
    expectNear("dRelative", shape, dRelative, exactDRelative, tolerance);
  else
    expectNear("dFactors", shape, dFactors, exactDFactors, tolerance);
}

} // namespace nacre::cpu
