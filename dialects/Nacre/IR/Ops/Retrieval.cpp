// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Retrieval by prefixes: a short scan of everything, then more exact scores of fewer rows.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/NestedWidth.h"
#include "dialects/Nacre/IR/Ops/SparseActivation.h"

#include <algorithm>
#include <numeric>

using namespace nacre;
using namespace mlir;

/// How many rows are kept after the pass over width i.
static int64_t keptAfter(ArrayRef<int64_t> widths, ArrayRef<int64_t> shortlist, int64_t k, size_t i) {
  if (i + 1 == widths.size())
    return k;
  return shortlist.size() == 1 ? shortlist[0] : shortlist[i];
}

static LogicalResult checkFunnel(InferContext &context, ArrayRef<int64_t> widths, ArrayRef<int64_t> shortlist, int64_t k, const Dims &gallery) {
  for (auto [i, width] : llvm::enumerate(widths))
    if (width <= (i == 0 ? 0 : widths[i - 1]))
      return context.error("expects widths that are positive and strictly increasing");
  if (widths.empty() || (gallery[1] - Dim::constant(widths.back())).asConstant().value_or(0) < 0)
    return context.error("expects widths up to " + gallery[1].str() + ", but got " + (widths.empty() ? Twine("none") : Twine(widths.back())));
  if (widths.size() > 1 && shortlist.size() != 1 && shortlist.size() != widths.size() - 1)
    return context.error("expects one shortlist, or one for each width but the last, but got " + Twine(shortlist.size()));
  std::optional<int64_t> room = gallery[0].asConstant();
  for (size_t i = 0; i < widths.size(); ++i) {
    int64_t kept = keptAfter(widths, shortlist, k, i);
    if (kept < 1 || (room && kept > *room))
      return context.error("expects to keep from 1 to " + (room ? Twine(*room) : Twine("all")) + " rows, but got " + Twine(kept));
    room = kept;
  }
  return success();
}

LogicalResult NestedRetrievalOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims q = dimsOf(op.getQ()), gallery = dimsOf(op.getGallery());
  if (failed(context.requireFloat(op.getQ(), "queries")) || failed(context.requireFloat(op.getGallery(), "a gallery")))
    return failure();
  if (q.empty() || gallery.size() != 2 || gallery[1] != q.back())
    return context.error("expects a gallery of shape [_, " + (q.empty() ? std::string("_") : q.back().str()) + "], but got " + text(gallery));
  if (op.getMetric() != "inner_product" && op.getMetric() != "l2")
    return context.error("expects the metric inner_product or l2, but got " + op.getMetric());
  if (op.getReturns() != "indices" && op.getReturns() != "scores")
    return context.error("expects returns = indices or scores, but got " + op.getReturns());
  q.back() = Dim::constant(op.getK());
  results.push_back(context.tensor(op.getReturns() == "scores" ? context.f32() : context.i32(), q));
  return checkFunnel(context, op.getWidths(), op.getShortlist(), op.getK(), gallery);
}

/// The score of a row of the gallery by its first `width` numbers.
static double scoreOf(const double *q, const double *row, int64_t width, bool isDistance) {
  double score = 0;
  for (int64_t c = 0; c < width; ++c)
    score += isDistance ? (q[c] - row[c]) * (q[c] - row[c]) : q[c] * row[c];
  return score;
}

LogicalResult NestedRetrievalOp::evaluate(Evaluation &evaluation) {
  const Array &q = evaluation.in(0), &gallery = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  bool isDistance = getMetric() == "l2";
  int64_t depth = gallery.shape[1], k = getK();
  for (int64_t query = 0; query * k < result.size(); ++query) {
    std::vector<int64_t> rows(gallery.shape[0]);
    std::iota(rows.begin(), rows.end(), 0);
    std::vector<double> scores(gallery.shape[0]);
    for (size_t i = 0; i < getWidths().size(); ++i) {
      for (int64_t row : rows)
        scores[row] = scoreOf(&q.data[query * depth], &gallery.data[row * depth], getWidths()[i], isDistance);
      std::stable_sort(rows.begin(), rows.end(), [&](int64_t a, int64_t b) { return isDistance ? scores[a] < scores[b] : scores[a] > scores[b]; });
      rows.resize(keptAfter(getWidths(), getShortlist(), k, i));
    }
    for (int64_t j = 0; j < k; ++j)
      result.data[query * k + j] = getReturns() == "scores" ? scores[rows[j]] : double(rows[j]);
  }
  evaluation.out() = std::move(result);
  return success();
}

/// For l2 rows are ordered by q . g - |g|^2/2, which differs from the distance by what all rows of a query share.
LogicalResult NestedRetrievalOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula q = stop(Formula(b, getQ())), gallery = stop(Formula(b, getGallery()));
  Dims shape = dimsOf(getResult());
  q = reshape(q, {product(ArrayRef<Dim>(q.dims()).drop_back()), q.dims().back()});
  bool isDistance = getMetric() == "l2";
  Formula rows(b, Value()), scores(b, Value());
  for (size_t i = 0; i < getWidths().size(); ++i) {
    Dim width = Dim::constant(getWidths()[i]);
    Formula x = slice(q, 1, Dim(), width), y = slice(gallery, 1, Dim(), width);
    Formula half = reshape(reduceSum(square(y), 1) * 0.5, {gallery.dims()[0]});
    Formula score = rows.value ? Formula(b, SampledProductOp::create(b, x.value, y.value, rows.value, Value())) : matmul(x, transposed(y));
    if (isDistance)
      score = score - (rows.value ? Formula(b, TakeOp::create(b, half.value, rows.value, Value())) : half);
    std::string kept = std::to_string(keptAfter(getWidths(), getShortlist(), getK(), i));
    auto top = TopEntriesOp::create(b, score.value, kept, "value", "rank");
    scores = Formula(b, top.getValues());
    if (isDistance)
      scores = reduceSum(square(x), 1) - scores * 2.0;
    // Positions in the shortlist become rows of the gallery; exact in f32 below 2^24 rows.
    rows = rows.value ? toInt(Formula(b, TakeOp::create(b, toFloat(rows).value, top.getIndices(), Value()))) : Formula(b, top.getIndices());
  }
  results.push_back(reshape(getReturns() == "scores" ? scores : rows, shape).value);
  return success();
}
