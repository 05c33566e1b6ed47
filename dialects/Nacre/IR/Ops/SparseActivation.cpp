// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The primitives on entries; see the head of SparseActivation.td.
#include "dialects/Nacre/IR/Ops/SparseActivation.h"

#include "dialects/Nacre/IR/Expression.h"

#include <cmath>
#include <limits>
#include <numeric>

using namespace nacre;
using namespace mlir;

static Dim dimOf(StringRef text) { return Dim::parse(text).value_or(Dim()); }

/// Indices of the shape of `values`.
static LogicalResult checkEntries(InferContext &context, Value values, Value indices) {
  if (failed(context.requireInteger(indices, "indices")))
    return failure();
  if (dimsOf(values) != dimsOf(indices) || dimsOf(values).empty())
    return context.error("expects indices of shape " + text(dimsOf(values)) + ", but got " + text(dimsOf(indices)));
  return success();
}

static LogicalResult checkTable(InferContext &context, Value table) {
  if (dimsOf(table).size() != 2)
    return context.error("expects a table of shape [n, d], but got " + text(dimsOf(table)));
  return context.requireFloat(table, "a table");
}

/// The sizes of entries [.., k] as [rows, k].
static Dims flatRows(const Dims &dims) { return {product(ArrayRef<Dim>(dims).drop_back()), dims.back()}; }

/// The slot's index, or nothing when the slot is unused.
static std::optional<int64_t> used(double index, int64_t size) {
  return index >= 0 && index < double(size) ? std::optional<int64_t>(int64_t(index)) : std::nullopt;
}

//===-- top_entries ----------------------------------------------------------------------------------------------------------===//

LogicalResult TopEntriesOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  if (dims.empty() || failed(context.requireFloat(op.getX(), "an operand")))
    return failure();
  std::optional<Dim> k = Dim::parse(op.getK());
  if (!k || k->asConstant().value_or(1) < 1)
    return context.error("expects k of at least 1, but got " + op.getK());
  if (std::optional<int64_t> left = (dims.back() - *k).asConstant(); left && *left < 0)
    return context.error("expects k of at most " + dims.back().str() + ", but got " + k->str());
  dims.back() = *k;
  results.append({context.tensor(context.f32(), dims), context.tensor(context.i32(), dims)});
  return success();
}

/// Positions of the k best of a row, best first.
static std::vector<int64_t> bestPositions(const double *row, int64_t size, int64_t k, bool byMagnitude) {
  auto key = [&](int64_t i) {
    double value = byMagnitude ? std::fabs(row[i]) : row[i];
    return std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
  };
  std::vector<int64_t> positions(size);
  std::iota(positions.begin(), positions.end(), 0);
  std::stable_sort(positions.begin(), positions.end(), [&](int64_t a, int64_t b) { return key(a) > key(b); });
  positions.resize(std::min(k, size));
  return positions;
}

LogicalResult TopEntriesOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  Array values(evaluation.shapeOf(getValues())), indices(evaluation.shapeOf(getIndices()));
  int64_t size = x.shape.back(), k = values.shape.back(), rows = k ? values.size() / k : 0;
  std::fill(indices.data.begin(), indices.data.end(), double(size));
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<int64_t> best = bestPositions(&x.data[row * size], size, k, getBy() == "abs");
    if (getOrder() == "index") {
      std::sort(best.begin(), best.end());
      llvm::erase_if(best, [&](int64_t i) { return x.data[row * size + i] == 0; });
    }
    for (size_t j = 0; j < best.size(); ++j) {
      values.data[row * k + j] = x.data[row * size + best[j]];
      indices.data[row * k + j] = double(best[j]);
    }
  }
  evaluation.out(0) = std::move(values);
  evaluation.out(1) = std::move(indices);
  return success();
}
LogicalResult TopEntriesOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  gradients.push_back(PlaceOp::create(builder, getLoc(), cotangents[0], getIndices(), dimsOf(getX()).back().str()));
  return success();
}
StringRef TopEntriesOp::skeleton() { return "select"; }
std::optional<int64_t> TopEntriesOp::foldedEntries() { return dimOf(getK()).asConstant(); }
Dim TopEntriesOp::operations() { return Dim(); }

//===-- take, place ----------------------------------------------------------------------------------------------------------===//

LogicalResult TakeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), indices = dimsOf(op.getIndices());
  if (failed(context.requireFloat(op.getX(), "an operand")) || failed(context.requireInteger(op.getIndices(), "indices")))
    return failure();
  Dims leading(indices.begin(), indices.end() - (indices.empty() ? 0 : 1));
  if (x.empty() || indices.empty() || broadcast(ArrayRef<Dim>(x).drop_back(), leading) != leading)
    return context.error("expects indices of shape [.., k] whose leading axes those of " + text(x) + " broadcast to, but got " + text(indices));
  results.push_back(context.tensor(context.f32(), indices));
  return success();
}
LogicalResult TakeOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &indices = evaluation.in(1);
  Array result(indices.shape);
  forEach(indices.shape, [&](ArrayRef<int64_t> at) {
    SmallVector<int64_t> from(at);
    if (std::optional<int64_t> index = used(indices.at(at), x.shape.back())) {
      from.back() = *index;
      result(at) = x.at(from);
    }
  });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult TakeOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  Dims x = dimsOf(getX());
  ImplicitLocOpBuilder b(getLoc(), builder);
  if (x.size() == 1) {
    // One row for all: no tensor of the broadcast shape comes into being.
    Dims flat = flatRows(dimsOf(getIndices()));
    Formula g = reshape(Formula(b, cotangents[0]), flat), indices = reshape(Formula(b, getIndices()), flat);
    gradients.push_back(SegmentSumOp::create(b, g.value, indices.value, x.back().str()));
  } else {
    gradients.push_back(PlaceOp::create(b, cotangents[0], getIndices(), x.back().str()));
  }
  gradients.push_back(Value());
  return success();
}
StringRef TakeOp::skeleton() { return "take"; }
Dim TakeOp::operations() { return Dim(); }

LogicalResult PlaceOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getValues(), "values")) || failed(checkEntries(context, op.getValues(), op.getIndices())))
    return failure();
  Dims dims = dimsOf(op.getValues());
  dims.back() = dimOf(op.getSize());
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}
LogicalResult PlaceOp::evaluate(Evaluation &evaluation) {
  const Array &values = evaluation.in(0), &indices = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  forEach(values.shape, [&](ArrayRef<int64_t> at) {
    SmallVector<int64_t> to(at);
    if (std::optional<int64_t> index = used(indices.at(at), result.shape.back())) {
      to.back() = *index;
      result(to) += values.at(at);
    }
  });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult PlaceOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  gradients.append({TakeOp::create(builder, getLoc(), cotangents[0], getIndices()), Value()});
  return success();
}
StringRef PlaceOp::skeleton() { return "place"; }
Dim PlaceOp::operations() { return Dim(); }

//===-- products with few entries --------------------------------------------------------------------------------------------===//

LogicalResult GatherRowsSumOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getValues(), "values")) || failed(checkEntries(context, op.getValues(), op.getIndices())) ||
      failed(checkTable(context, op.getTable())))
    return failure();
  Dims dims = dimsOf(op.getValues());
  dims.back() = dimsOf(op.getTable())[1];
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}
LogicalResult GatherRowsSumOp::evaluate(Evaluation &evaluation) {
  const Array &values = evaluation.in(0), &indices = evaluation.in(1), &table = evaluation.in(2);
  Array result(evaluation.shapeOf(getResult()));
  int64_t k = values.shape.back(), width = table.shape[1];
  for (int64_t slot = 0; slot < values.size(); ++slot)
    if (std::optional<int64_t> index = used(indices.data[slot], table.shape[0]))
      for (int64_t c = 0; c < width; ++c)
        result.data[slot / k * width + c] += values.data[slot] * table.data[*index * width + c];
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult GatherRowsSumOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Dims table = dimsOf(getTable()), flat = flatRows(dimsOf(getValues()));
  gradients.push_back(SampledProductOp::create(b, cotangents[0], getTable(), getIndices()));
  gradients.push_back(Value());
  Formula values = reshape(Formula(b, getValues()), flat), indices = reshape(Formula(b, getIndices()), flat);
  Formula g = reshape(Formula(b, cotangents[0]), {flat[0], table[1]});
  gradients.push_back(SegmentOuterOp::create(b, values.value, indices.value, g.value, table[0].str()));
  return success();
}
StringRef GatherRowsSumOp::skeleton() { return "gather_sum"; }
bool GatherRowsSumOp::acceptsEpilogue() { return true; }
Dim GatherRowsSumOp::operations() { return product(dimsOf(getValues())) * dimsOf(getTable())[1] * Dim::constant(2); }

LogicalResult SampledProductOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), indices = dimsOf(op.getIndices());
  if (failed(context.requireFloat(op.getX(), "an operand")) || failed(checkTable(context, op.getTable())) ||
      failed(context.requireInteger(op.getIndices(), "indices")))
    return failure();
  if (x.empty() || x.size() != indices.size() || ArrayRef<Dim>(x).drop_back() != ArrayRef<Dim>(indices).drop_back())
    return context.error("expects indices with the leading axes of " + text(x) + ", but got " + text(indices));
  if (x.back() != dimsOf(op.getTable())[1])
    return context.error("expects a table of shape [_, " + x.back().str() + "], but got " + text(dimsOf(op.getTable())));
  results.push_back(context.tensor(context.f32(), indices));
  return success();
}
LogicalResult SampledProductOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &table = evaluation.in(1), &indices = evaluation.in(2);
  Array result(indices.shape);
  int64_t k = indices.shape.back(), width = table.shape[1];
  for (int64_t slot = 0; slot < indices.size(); ++slot)
    if (std::optional<int64_t> index = used(indices.data[slot], table.shape[0]))
      for (int64_t c = 0; c < width; ++c)
        result.data[slot] += x.data[slot / k * width + c] * table.data[*index * width + c];
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult SampledProductOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Dims table = dimsOf(getTable()), flat = flatRows(dimsOf(getIndices()));
  gradients.push_back(GatherRowsSumOp::create(b, cotangents[0], getIndices(), getTable()));
  Formula g = reshape(Formula(b, cotangents[0]), flat), indices = reshape(Formula(b, getIndices()), flat);
  Formula x = reshape(Formula(b, getX()), {flat[0], table[1]});
  gradients.push_back(SegmentOuterOp::create(b, g.value, indices.value, x.value, table[0].str()));
  gradients.push_back(Value());
  return success();
}
StringRef SampledProductOp::skeleton() { return "sampled"; }
bool SampledProductOp::acceptsEpilogue() { return true; }
Dim SampledProductOp::operations() { return product(dimsOf(getIndices())) * dimsOf(getTable())[1] * Dim::constant(2); }

//===-- sums by index --------------------------------------------------------------------------------------------------------===//

LogicalResult SegmentOuterOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), values = dimsOf(op.getValues());
  if (failed(context.requireFloat(op.getValues(), "values")) || failed(checkEntries(context, op.getValues(), op.getIndices())))
    return failure();
  if (x.size() != 2 || values.size() != 2 || x[0] != values[0])
    return context.error("expects values [m, k] and rows [m, d], but got " + text(values) + " and " + text(x));
  results.push_back(context.tensor(context.f32(), {dimOf(op.getRows()), x[1]}));
  return success();
}
LogicalResult SegmentOuterOp::evaluate(Evaluation &evaluation) {
  const Array &values = evaluation.in(0), &indices = evaluation.in(1), &x = evaluation.in(2);
  Array result(evaluation.shapeOf(getResult()));
  int64_t k = values.shape[1], width = x.shape[1];
  for (int64_t slot = 0; slot < values.size(); ++slot)
    if (std::optional<int64_t> index = used(indices.data[slot], result.shape[0]))
      for (int64_t c = 0; c < width; ++c)
        result.data[*index * width + c] += values.data[slot] * x.data[slot / k * width + c];
  evaluation.out() = std::move(result);
  return success();
}
StringRef SegmentOuterOp::skeleton() { return "segment"; }
Value SegmentOuterOp::segmentIndices() { return getIndices(); }
Dim SegmentOuterOp::segments() { return dimOf(getRows()); }
bool SegmentOuterOp::acceptsEpilogue() { return true; }
Dim SegmentOuterOp::operations() { return product(dimsOf(getValues())) * dimsOf(getX())[1] * Dim::constant(2); }

LogicalResult SegmentSumOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getValues(), "values")) || failed(checkEntries(context, op.getValues(), op.getIndices())))
    return failure();
  results.push_back(context.tensor(context.f32(), {dimOf(op.getRows())}));
  return success();
}
LogicalResult SegmentSumOp::evaluate(Evaluation &evaluation) {
  const Array &values = evaluation.in(0), &indices = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  for (int64_t slot = 0; slot < values.size(); ++slot)
    if (std::optional<int64_t> index = used(indices.data[slot], result.shape[0]))
      result.data[*index] += values.data[slot];
  evaluation.out() = std::move(result);
  return success();
}
StringRef SegmentSumOp::skeleton() { return "segment_sum"; }
Value SegmentSumOp::segmentIndices() { return getIndices(); }
Dim SegmentSumOp::segments() { return dimOf(getRows()); }
Dim SegmentSumOp::operations() { return product(dimsOf(getValues())); }

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/SparseActivation.cpp.inc"
void NacreDialect::addSparseActivation() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/SparseActivation.cpp.inc"
      >();
}
