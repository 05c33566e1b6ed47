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

/// Indices (and rows) of the shape of `values`.
static LogicalResult checkEntries(InferContext &context, Value values, Value indices, Value rows = {}) {
  if (failed(context.requireInteger(indices, "indices")) || (rows && failed(context.requireInteger(rows, "rows"))))
    return failure();
  Dims dims = dimsOf(values);
  if (dims != dimsOf(indices) || dims.empty())
    return context.error("expects indices of shape " + text(dims) + ", but got " + text(dimsOf(indices)));
  if (rows && (dims != dimsOf(rows) || dims.size() != 1))
    return context.error("expects values, indices and rows of one shape [c], but got " + text(dims) + " and " + text(dimsOf(rows)));
  return success();
}

static LogicalResult checkTable(InferContext &context, Value table) {
  if (dimsOf(table).size() != 2)
    return context.error("expects a table of shape [n, d], but got " + text(dimsOf(table)));
  return context.requireFloat(table, "a table");
}

/// The sizes of entries [.., k] as [rows, k].
static Dims flatRows(const Dims &dims) { return {product(ArrayRef<Dim>(dims).drop_back()), dims.back()}; }

namespace {
/// The slots of entries one after the other: where each stands, as the contract says it.
struct Slots {
  const Array &indices;
  const Array *rows;
  int64_t size;     ///< of the axis that indices count along
  int64_t rowCount; ///< rows beyond it are unused; without `rows` every row exists

  /// Calls `body(slot, row, index)` for every slot in use.
  void forEachUsed(llvm::function_ref<void(int64_t, int64_t, int64_t)> body) const {
    for (int64_t slot = 0; slot < indices.size(); ++slot) {
      double index = indices.data[slot], row = rows ? rows->data[slot] : double(slot / indices.shape.back());
      bool isUsed = index >= 0 && index < double(size) && row >= 0 && (!rows || row < double(rowCount));
      if (isUsed)
        body(slot, int64_t(row), int64_t(index));
    }
  }
};
} // namespace

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
  gradients.push_back(PlaceOp::create(builder, getLoc(), cotangents[0], getIndices(), Value(), dimsOf(getX()).back().str(), ""));
  return success();
}
StringRef TopEntriesOp::skeleton() { return "select"; }
std::optional<int64_t> TopEntriesOp::foldedEntries() { return dimOf(getK()).asConstant(); }
Dim TopEntriesOp::operations() { return Dim(); }

//===-- nonzero_entries ------------------------------------------------------------------------------------------------------===//

LogicalResult NonzeroEntriesOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getX(), "an operand")))
    return failure();
  if (dimsOf(op.getX()).size() != 2)
    return context.error("expects an operand of shape [rows, n], but got " + text(dimsOf(op.getX())));
  Dims slots = {dimOf(op.getLimit())};
  results.append({context.tensor(context.f32(), slots), context.tensor(context.i32(), slots), context.tensor(context.i32(), slots)});
  results.push_back(context.tensor(context.i32(), {Dim::constant(1)}));
  return success();
}
LogicalResult NonzeroEntriesOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  auto shape = evaluation.shapeOf(getValues());
  Array values(shape), indices(shape, double(x.shape[1])), rows(shape, double(x.shape[0]));
  int64_t count = 0;
  for (int64_t i = 0; i < x.size(); ++i) {
    if (x.data[i] == 0)
      continue;
    if (count < values.size()) {
      values.data[count] = x.data[i];
      indices.data[count] = double(i % x.shape[1]);
      rows.data[count] = double(i / x.shape[1]);
    }
    ++count;
  }
  if (count > values.size())
    return emitError(getExpects()) << " " << values.size() << getUnit() << ", but got " << count;
  evaluation.out(0) = std::move(values);
  evaluation.out(1) = std::move(indices);
  evaluation.out(2) = std::move(rows);
  evaluation.out(3) = Array(ArrayRef<int64_t>{1}, double(count));
  return success();
}
LogicalResult NonzeroEntriesOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  Dims x = dimsOf(getX());
  gradients.push_back(PlaceOp::create(builder, getLoc(), cotangents[0], getIndices(), getRows(), x[1].str(), x[0].str()));
  return success();
}
StringRef NonzeroEntriesOp::skeleton() { return "nonzeros"; }
Dim NonzeroEntriesOp::operations() { return product(dimsOf(getX())); }

//===-- take, place ----------------------------------------------------------------------------------------------------------===//

LogicalResult TakeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), indices = dimsOf(op.getIndices());
  if (failed(context.requireFloat(op.getX(), "an operand")) ||
      failed(checkEntries(context, op.getRows() ? op.getRows() : op.getIndices(), op.getIndices(), op.getRows())))
    return failure();
  Dims leading(indices.begin(), indices.end() - 1);
  bool fits = op.getRows() ? x.size() == 2 : !x.empty() && broadcast(ArrayRef<Dim>(x).drop_back(), leading) == leading;
  if (!fits)
    return context.error("expects indices [.., k] whose leading axes those of " + text(x) + " broadcast to, but got " + text(indices));
  results.push_back(context.tensor(context.f32(), indices));
  return success();
}
LogicalResult TakeOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &indices = evaluation.in(1), *rows = evaluation.in(getRows());
  Array result(indices.shape);
  if (rows) {
    // An axis of size 1 repeats, as in broadcasting.
    int64_t size = x.shape[1] == 1 ? INT64_MAX : x.shape[1], count = x.shape[0] == 1 ? INT64_MAX : x.shape[0];
    Slots{indices, rows, size, count}.forEachUsed(
        [&](int64_t slot, int64_t row, int64_t index) { result.data[slot] = x.at({row, index}); });
  } else {
    forEach(indices.shape, [&](ArrayRef<int64_t> at) {
      SmallVector<int64_t> from(at);
      double index = indices.at(at);
      if (index >= 0 && index < double(x.shape.back())) {
        from.back() = int64_t(index);
        result(at) = x.at(from);
      }
    });
  }
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult TakeOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  Dims x = dimsOf(getX());
  ImplicitLocOpBuilder b(getLoc(), builder);
  gradients.append({Value(), Value()});
  bool oneRow = llvm::all_of(ArrayRef<Dim>(x).drop_back(), [](const Dim &dim) { return dim.isOne(); });
  if (getRows() && !oneRow && x.back().isOne()) {
    // One column for all: summed by row.
    Dims slots = {dimsOf(getIndices())[0], Dim::constant(1)};
    Value g = reshape(Formula(b, cotangents[0]), slots).value, rows = reshape(Formula(b, getRows()), slots).value;
    gradients[0] = reshape(Formula(b, SegmentSumOp::create(b, g, rows, x[0].str())), x).value;
  } else if (oneRow) {
    // One row for all: no tensor of the broadcast shape comes into being.
    Dims flat = flatRows(dimsOf(getIndices()));
    Formula g = reshape(Formula(b, cotangents[0]), flat), indices = reshape(Formula(b, getIndices()), flat);
    gradients[0] = reshape(Formula(b, SegmentSumOp::create(b, g.value, indices.value, x.back().str())), x).value;
  } else {
    gradients[0] = PlaceOp::create(b, cotangents[0], getIndices(), getRows(), x.back().str(), getRows() ? x[0].str() : "");
  }
  return success();
}
StringRef TakeOp::skeleton() { return "take"; }
Dim TakeOp::operations() { return Dim(); }

LogicalResult PlaceOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getValues(), "values")) ||
      failed(checkEntries(context, op.getValues(), op.getIndices(), op.getRows())))
    return failure();
  Dims dims = dimsOf(op.getValues());
  if (op.getRows())
    dims = {dimOf(op.getCount()), Dim()};
  dims.back() = dimOf(op.getSize());
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}
LogicalResult PlaceOp::evaluate(Evaluation &evaluation) {
  const Array &values = evaluation.in(0), &indices = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  int64_t size = result.shape.back();
  Slots{indices, evaluation.in(getRows()), size, result.shape[0]}.forEachUsed(
      [&](int64_t slot, int64_t row, int64_t index) { result.data[row * size + index] += values.data[slot]; });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult PlaceOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  gradients.append({TakeOp::create(builder, getLoc(), cotangents[0], getIndices(), getRows()), Value(), Value()});
  return success();
}
StringRef PlaceOp::skeleton() { return "place"; }
Dim PlaceOp::operations() { return Dim(); }

//===-- products with few entries --------------------------------------------------------------------------------------------===//

LogicalResult GatherRowsSumOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getValues(), "values")) ||
      failed(checkEntries(context, op.getValues(), op.getIndices(), op.getRows())) || failed(checkTable(context, op.getTable())))
    return failure();
  Dims dims = dimsOf(op.getValues());
  if (op.getRows())
    dims = {dimOf(op.getCount()), Dim()};
  dims.back() = dimsOf(op.getTable())[1];
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}
LogicalResult GatherRowsSumOp::evaluate(Evaluation &evaluation) {
  const Array &values = evaluation.in(0), &indices = evaluation.in(1), &table = evaluation.in(2);
  Array result(evaluation.shapeOf(getResult()));
  int64_t width = table.shape[1];
  Slots{indices, evaluation.in(getRows()), table.shape[0], result.shape[0]}.forEachUsed([&](int64_t slot, int64_t row, int64_t index) {
    for (int64_t c = 0; c < width; ++c)
      result.data[row * width + c] += values.data[slot] * table.data[index * width + c];
  });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult GatherRowsSumOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Dims table = dimsOf(getTable()), flat = flatRows(dimsOf(getValues()));
  Formula values(b, getValues()), indices(b, getIndices()), g(b, cotangents[0]);
  gradients.append({SampledProductOp::create(b, g.value, getTable(), getIndices(), getRows()), Value()});
  if (!getRows()) {
    values = reshape(values, flat);
    indices = reshape(indices, flat);
    g = reshape(g, {flat[0], table[1]});
  }
  gradients.push_back(SegmentOuterOp::create(b, values.value, indices.value, g.value, getRows(), table[0].str()));
  gradients.resize(getNumOperands());
  return success();
}
StringRef GatherRowsSumOp::skeleton() { return "gather_sum"; }
bool GatherRowsSumOp::acceptsEpilogue() { return true; }
Dim GatherRowsSumOp::operations() { return product(dimsOf(getValues())) * dimsOf(getTable())[1] * Dim::constant(2); }

LogicalResult SampledProductOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), indices = dimsOf(op.getIndices());
  if (failed(context.requireFloat(op.getX(), "an operand")) || failed(checkTable(context, op.getTable())) ||
      failed(checkEntries(context, op.getRows() ? op.getRows() : op.getIndices(), op.getIndices(), op.getRows())))
    return failure();
  bool fits = op.getRows() ? x.size() == 2
                           : !x.empty() && ArrayRef<Dim>(x).drop_back() == ArrayRef<Dim>(indices).drop_back();
  if (!fits)
    return context.error("expects indices with the leading axes of " + text(x) + ", but got " + text(indices));
  if (x.back() != dimsOf(op.getTable())[1])
    return context.error("expects a table of shape [_, " + x.back().str() + "], but got " + text(dimsOf(op.getTable())));
  results.push_back(context.tensor(context.f32(), indices));
  return success();
}
LogicalResult SampledProductOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &table = evaluation.in(1), &indices = evaluation.in(2);
  Array result(indices.shape);
  int64_t width = table.shape[1];
  Slots{indices, evaluation.in(getRows()), table.shape[0], x.shape[0]}.forEachUsed([&](int64_t slot, int64_t row, int64_t index) {
    for (int64_t c = 0; c < width; ++c)
      result.data[slot] += x.data[row * width + c] * table.data[index * width + c];
  });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult SampledProductOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Dims table = dimsOf(getTable()), flat = flatRows(dimsOf(getIndices()));
  Formula g(b, cotangents[0]), indices(b, getIndices()), x(b, getX());
  gradients.push_back(
      GatherRowsSumOp::create(b, g.value, getIndices(), getTable(), getRows(), getRows() ? x.dims()[0].str() : std::string()));
  if (!getRows()) {
    g = reshape(g, flat);
    indices = reshape(indices, flat);
    x = reshape(x, {flat[0], table[1]});
  }
  gradients.push_back(SegmentOuterOp::create(b, g.value, indices.value, x.value, getRows(), table[0].str()));
  gradients.resize(getNumOperands());
  return success();
}
StringRef SampledProductOp::skeleton() { return "sampled"; }
bool SampledProductOp::acceptsEpilogue() { return true; }
Dim SampledProductOp::operations() { return product(dimsOf(getIndices())) * dimsOf(getTable())[1] * Dim::constant(2); }

//===-- sums by index --------------------------------------------------------------------------------------------------------===//

LogicalResult SegmentOuterOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), values = dimsOf(op.getValues());
  if (failed(context.requireFloat(op.getValues(), "values")) ||
      failed(checkEntries(context, op.getValues(), op.getIndices(), op.getRows())))
    return failure();
  if (x.size() != 2 || (!op.getRows() && (values.size() != 2 || x[0] != values[0])))
    return context.error("expects values [m, k] and rows [m, d], but got " + text(values) + " and " + text(x));
  results.push_back(context.tensor(context.f32(), {dimOf(op.getSegments()), x[1]}));
  return success();
}
LogicalResult SegmentOuterOp::evaluate(Evaluation &evaluation) {
  const Array &values = evaluation.in(0), &indices = evaluation.in(1), &x = evaluation.in(2);
  Array result(evaluation.shapeOf(getResult()));
  int64_t width = x.shape[1];
  Slots{indices, evaluation.in(getRows()), result.shape[0], x.shape[0]}.forEachUsed([&](int64_t slot, int64_t row, int64_t index) {
    for (int64_t c = 0; c < width; ++c)
      result.data[index * width + c] += values.data[slot] * x.data[row * width + c];
  });
  evaluation.out() = std::move(result);
  return success();
}
StringRef SegmentOuterOp::skeleton() { return "segment"; }
Value SegmentOuterOp::segmentIndices() { return getIndices(); }
Value SegmentOuterOp::segmentRows() { return getRows(); }
Dim SegmentOuterOp::segments() { return dimOf(getSegments()); }
bool SegmentOuterOp::acceptsEpilogue() { return true; }
Dim SegmentOuterOp::operations() { return product(dimsOf(getValues())) * dimsOf(getX())[1] * Dim::constant(2); }

LogicalResult SegmentSumOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getValues(), "values")) || failed(checkEntries(context, op.getValues(), op.getIndices())))
    return failure();
  results.push_back(context.tensor(context.f32(), {dimOf(op.getSegments())}));
  return success();
}
LogicalResult SegmentSumOp::evaluate(Evaluation &evaluation) {
  const Array &values = evaluation.in(0), &indices = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  Slots{indices, nullptr, result.size(), 0}.forEachUsed(
      [&](int64_t slot, int64_t, int64_t index) { result.data[index] += values.data[slot]; });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult SegmentSumOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  gradients.append({TakeOp::create(builder, getLoc(), cotangents[0], getIndices(), Value()), Value()});
  return success();
}
StringRef SegmentSumOp::skeleton() { return "segment_sum"; }
Value SegmentSumOp::segmentIndices() { return getIndices(); }
Value SegmentSumOp::segmentRows() { return Value(); }
Dim SegmentSumOp::segments() { return dimOf(getSegments()); }
Dim SegmentSumOp::operations() { return product(dimsOf(getValues())); }

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/SparseActivation.cpp.inc"
void NacreDialect::addSparseActivation() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/SparseActivation.cpp.inc"
      >();
}
