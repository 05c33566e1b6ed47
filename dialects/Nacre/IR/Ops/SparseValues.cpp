// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The sparse operators of the language: what they mean on dense arrays, and what they become on entries.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/SparseActivation.h"
#include "dialects/Nacre/IR/Scalar.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>

using namespace nacre;
using namespace mlir;

/// All axes but the last as one.
static Dim rowsOf(const Dims &dense) { return product(ArrayRef<Dim>(dense).drop_back()); }

/// Whether a slot's index lies inside the axis; rows beyond the last come with indices beyond it or are left out by their users.
static Formula isUsed(ImplicitLocOpBuilder &b, const Entries &x) {
  return toFloat(Formula(b, x.indices)) < sizeAsNumber(Formula(b, x.values), x.dense.back());
}

Value nacre::usedValues(OpBuilder &builder, const Entries &x) {
  ImplicitLocOpBuilder b(x.values.getLoc(), builder);
  return select(isUsed(b, x), Formula(b, x.values), Formula(b, 0.0)).value;
}

Value nacre::sparseRowSum(OpBuilder &builder, const Entries &x) {
  ImplicitLocOpBuilder b(x.values.getLoc(), builder);
  Formula values(b, usedValues(b, x));
  if (!x.rows)
    return reduceSum(values, values.rank() - 1).value;
  Dims slots = {values.dims()[0], Dim::constant(1)}, sums = x.dense;
  sums.back() = Dim::constant(1);
  Value rows = reshape(Formula(b, x.rows), slots).value;
  return reshape(Formula(b, SegmentSumOp::create(b, reshape(values, slots).value, rows, rowsOf(x.dense).str())), sums).value;
}

Value nacre::sparseProduct(OpBuilder &builder, const Entries &x, Value table) {
  ImplicitLocOpBuilder b(x.values.getLoc(), builder);
  if (!x.rows)
    return GatherRowsSumOp::create(b, x.values, x.indices, table, Value(), "");
  Value flat = GatherRowsSumOp::create(b, x.values, x.indices, table, x.rows, rowsOf(x.dense).str());
  Dims dims = x.dense;
  dims.back() = dimsOf(table)[1];
  return reshape(Formula(b, flat), dims).value;
}

Value nacre::atEntries(OpBuilder &builder, const Entries &like, Value dense) {
  ImplicitLocOpBuilder b(like.values.getLoc(), builder);
  Formula x(b, dense);
  bool isUniform = x.rank() == 0 || (x.rank() == 1 && x.dims()[0].isOne());
  if (isUniform)
    return x.rank() == 0 ? dense : reshape(x, {}).value;
  if (!like.rows)
    return x.dims().back().isOne() ? dense : Value(TakeOp::create(b, dense, like.indices, Value()));
  // Leading axes as one; those that are all 1 stay 1.
  bool oneRow = llvm::all_of(ArrayRef<Dim>(x.dims()).drop_back(), [](const Dim &dim) { return dim.isOne(); });
  if (oneRow)
    return TakeOp::create(b, reshape(x, {Dim::constant(1), x.dims().back()}).value, like.indices, like.rows);
  Dims leading(like.dense.begin(), like.dense.end() - 1);
  leading.push_back(x.dims().back());
  return TakeOp::create(b, reshape(broadcastTo(x, leading), {rowsOf(like.dense), x.dims().back()}).value, like.indices, like.rows);
}

//===-- split_index, sparse_of -----------------------------------------------------------------------------------------------===//

LogicalResult SplitIndexOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (op.getDivisor() < 1)
    return context.error("expects a divisor of at least 1, but got " + Twine(op.getDivisor()));
  results.append(2, plainType(op.getPositions()));
  return context.requireInteger(op.getPositions(), "positions");
}
LogicalResult SplitIndexOp::evaluate(Evaluation &evaluation) {
  Array rows = evaluation.in(0), columns = evaluation.in(0);
  for (double &x : rows.data)
    x = std::floor(x / double(getDivisor()));
  for (double &x : columns.data)
    x = std::fmod(x, double(getDivisor()));
  evaluation.out(0) = std::move(rows);
  evaluation.out(1) = std::move(columns);
  return success();
}
void SplitIndexOp::emit(ImplicitLocOpBuilder &b, ValueRange operands, SmallVectorImpl<Value> &results) {
  Type type = operands[0].getType();
  Attribute number = b.getI32IntegerAttr(int32_t(getDivisor()));
  if (auto vector = dyn_cast<VectorType>(type))
    number = DenseElementsAttr::get(vector, number);
  Value divisor = arith::ConstantOp::create(b, type, cast<TypedAttr>(number));
  results.push_back(arith::DivSIOp::create(b, operands[0], divisor));
  results.push_back(arith::RemSIOp::create(b, operands[0], divisor));
}

LogicalResult SparseOfOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  auto tensor = cast<RankedTensorType>(context.tensor(context.f32(), dimsFrom(op.getShape())));
  results.push_back(SparseType::get(context.context, op.getLimitAttr(), tensor));
  return success();
}
LogicalResult SparseOfOp::evaluate(Evaluation &evaluation) {
  const Array &values = evaluation.in(0), &indices = evaluation.in(1), *rows = evaluation.in(getRows());
  Array result(evaluation.shapeOf(getResult()));
  int64_t size = result.shape.back();
  for (int64_t slot = 0; slot < values.size(); ++slot) {
    int64_t row = rows ? int64_t(rows->data[slot]) : slot / values.shape.back(), index = int64_t(indices.data[slot]);
    if (index >= 0 && index < size && row * size < result.size())
      result.data[row * size + index] = values.data[slot];
  }
  evaluation.out() = std::move(result);
  return success();
}
FailureOr<Entries> SparseOfOp::onEntries(OpBuilder &, ArrayRef<Entries>) {
  return Entries{getValues(), getIndices(), getRows(), dimsFrom(getShape())};
}

//===-- topk, abs_topk, batch_topk -------------------------------------------------------------------------------------------===//

static LogicalResult inferTop(InferContext &context, Value x, int64_t k, const Twine &limit, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(x);
  if (failed(context.requireFloat(x, "an operand")))
    return failure();
  if (dims.empty())
    return context.error("expects an operand with at least one axis");
  if (k < 1)
    return context.error("expects k of at least 1, but got " + Twine(k));
  if (std::optional<int64_t> size = dims.back().asConstant(); size && k > *size)
    return context.error("expects k of at most " + Twine(*size) + ", the size of the last axis, but got " + Twine(k));
  results.push_back(SparseType::get(context.context, StringAttr::get(context.context, limit), plainType(x)));
  return success();
}

/// Keeps the k best of every `size` neighbours.
static Array keepBest(const Array &x, int64_t size, int64_t k, bool byMagnitude) {
  Array result(x.shape);
  std::vector<int64_t> order(size);
  for (int64_t begin = 0; begin < x.size(); begin += size) {
    auto key = [&](int64_t i) { return byMagnitude ? std::fabs(x.data[begin + i]) : x.data[begin + i]; };
    for (int64_t i = 0; i < size; ++i)
      order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return key(a) > key(b); });
    for (int64_t i = 0; i < std::min(k, size); ++i)
      result.data[begin + order[i]] = x.data[begin + order[i]];
  }
  return result;
}

static Value topOfRows(OpBuilder &builder, Location loc, Value x, int64_t k, StringRef by) {
  ImplicitLocOpBuilder b(loc, builder);
  std::string count = std::to_string(k);
  auto top = TopEntriesOp::create(b, x, count, by, "index");
  return SparseOfOp::create(b, top.getValues(), top.getIndices(), Value(), dimsAttr(b.getContext(), dimsOf(x)), count);
}

LogicalResult TopkOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferTop(context, op.getX(), op.getK(), Twine(op.getK()), results);
}
LogicalResult TopkOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = keepBest(evaluation.in(0), evaluation.in(0).shape.back(), getK(), false);
  return success();
}
LogicalResult TopkOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  results.push_back(topOfRows(builder, getLoc(), getX(), getK(), "value"));
  return success();
}

LogicalResult AbsTopkOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferTop(context, op.getX(), op.getK(), Twine(op.getK()), results);
}
LogicalResult AbsTopkOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = keepBest(evaluation.in(0), evaluation.in(0).shape.back(), getK(), true);
  return success();
}
LogicalResult AbsTopkOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  results.push_back(topOfRows(builder, getLoc(), getX(), getK(), "abs"));
  return success();
}

static std::string batchLimit(Value x, int64_t k) { return (rowsOf(dimsOf(x)) * Dim::constant(k)).str(); }

LogicalResult BatchTopkOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (plainType(op.getX()).getRank() > 0 && !dimsOf(op.getX()).back().asConstant())
    return context.error("expects a last axis of a fixed size, but got " + text(dimsOf(op.getX())));
  return inferTop(context, op.getX(), op.getK(), "<=" + Twine(batchLimit(op.getX(), op.getK())), results);
}
LogicalResult BatchTopkOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  evaluation.out() = x.size() ? keepBest(x, x.size(), getK() * (x.size() / x.shape.back()), false) : x;
  return success();
}
LogicalResult BatchTopkOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  std::string count = batchLimit(getX(), getK());
  Formula flat = reshape(x, {Dim::constant(1), product(x.dims())});
  auto top = TopEntriesOp::create(b, flat.value, count, "value", "index");
  Dims slots = {*Dim::parse(count)};
  Value values = reshape(Formula(b, top.getValues()), slots).value, positions = reshape(Formula(b, top.getIndices()), slots).value;
  auto place = SplitIndexOp::create(b, positions, *x.dims().back().asConstant());
  results.push_back(SparseOfOp::create(b, values, place.getColumns(), place.getRows(), dimsAttr(b.getContext(), x.dims()), "<=" + count));
  return success();
}

//===-- sparsify -------------------------------------------------------------------------------------------------------------===//

LogicalResult SparsifyOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferTop(context, op.getX(), op.getK(), "<=" + Twine(batchLimit(op.getX(), op.getK())), results);
}
LogicalResult SparsifyOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  int64_t count = llvm::count_if(x.data, [](double value) { return value != 0; });
  int64_t limit = x.size() ? int64_t(getK()) * (x.size() / x.shape.back()) : 0;
  if (count > limit)
    return emitError("sparsify expects at most ") << limit << " entries, but got " << count;
  evaluation.out() = x;
  return success();
}
LogicalResult SparsifyOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  std::string count = batchLimit(getX(), getK());
  Formula rows = reshape(x, {rowsOf(x.dims()), x.dims().back()});
  auto held = NonzeroEntriesOp::create(b, rows.value, count, "sparsify expects at most", " entries");
  results.push_back(SparseOfOp::create(b, held.getValues(), held.getIndices(), held.getRows(), dimsAttr(b.getContext(), x.dims()), "<=" + count));
  return success();
}

//===-- matching_pursuit -----------------------------------------------------------------------------------------------------===//

LogicalResult MatchingPursuitOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX()), atoms = dimsOf(op.getW());
  if (failed(context.requireFloat(op.getX(), "an operand")) || failed(context.requireFloat(op.getW(), "atoms")))
    return failure();
  if (dims.empty() || atoms.size() != 2 || atoms[1] != dims.back())
    return context.error("expects atoms of shape [_, " + (dims.empty() ? std::string("_") : dims.back().str()) + "], but got " + text(atoms));
  if (op.getSteps() < 1)
    return context.error("expects at least 1 step, but got " + Twine(op.getSteps()));
  dims.back() = atoms[0];
  auto tensor = cast<RankedTensorType>(context.tensor(context.f32(), dims));
  results.push_back(SparseType::get(context.context, StringAttr::get(context.context, Twine(op.getSteps())), tensor));
  return success();
}
LogicalResult MatchingPursuitOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &atoms = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  int64_t width = atoms.shape[1], count = atoms.shape[0];
  for (int64_t row = 0; row * count < result.size(); ++row) {
    std::vector<double> rest(x.data.begin() + row * width, x.data.begin() + (row + 1) * width);
    for (int64_t step = 0; step < int64_t(getSteps()); ++step) {
      int64_t best = 0;
      double score = 0;
      for (int64_t j = 0; j < count; ++j) {
        double dot = 0;
        for (int64_t c = 0; c < width; ++c)
          dot += rest[c] * atoms.data[j * width + c];
        if (j == 0 || dot > score)
          std::tie(best, score) = std::pair(j, dot);
      }
      result.data[row * count + best] += score;
      for (int64_t c = 0; c < width; ++c)
        rest[c] -= score * atoms.data[best * width + c];
    }
  }
  evaluation.out() = std::move(result);
  return success();
}
/// The steps' entries [rows, steps] as Entries.h wants them: an atom that was chosen again adds to its first choice, because what follows
/// works slot by slot; indices ascend, unused slots come last.
static Entries joined(Formula values, Formula indices, const Dim &atoms) {
  ImplicitLocOpBuilder &b = *values.b;
  Dim steps = values.dims()[1], one = Dim::constant(1);
  Formula zero(b, 0.0), unit(b, 1.0), none = sizeAsNumber(values, atoms);
  auto own = [](Formula x) { return addAxis(x, 2); };
  auto other = [](Formula x) { return addAxis(x, 1); };
  auto sumOfOthers = [](Formula pairs) { return dropAxis(reduceSum(pairs, 2), 2); };
  Formula isSame = own(indices) == other(indices), isEarlier = iota(b, {one, steps}, 1) < iota(b, {steps, one}, 0);
  Formula isRepeated = sumOfOthers(select(isSame, select(isEarlier, unit, zero), zero)) > 0.5;
  Formula sums = select(isRepeated, zero, sumOfOthers(select(isSame, other(values), zero)));
  Formula keys = select(isRepeated, none, toFloat(indices));
  // Slot r takes the entry with r smaller indices. Repeated ones share the place behind the last, with value 0.
  Formula isHere = iota(b, {steps, one}, 0) == other(sumOfOthers(toFloat(other(keys) < own(keys))));
  Formula places = -dropAxis(reduceMax(-select(isHere, other(keys), none), 2), 2);
  return {sumOfOthers(select(isHere, other(sums), zero)).value, toInt(places).value};
}
LogicalResult MatchingPursuitOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula rest(b, getX()), atoms(b, getW());
  Dims rows = {rowsOf(rest.dims()), rest.dims().back()}, slots = dimsOf(getX());
  rest = reshape(rest, rows);
  SmallVector<Value> values, indices;
  for (int64_t step = 0; step < int64_t(getSteps()); ++step) {
    auto best = TopEntriesOp::create(b, matmul(stop(rest), transposed(stop(atoms))).value, "1", "value", "rank");
    Formula one(b, best.getIndices());
    Formula amount(b, SampledProductOp::create(b, rest.value, atoms.value, one.value, Value()));
    rest = rest - Formula(b, GatherRowsSumOp::create(b, amount.value, one.value, atoms.value, Value(), ""));
    values.push_back(amount.value);
    indices.push_back(one.value);
  }
  Entries entries = joined(concat(b, values, 1), concat(b, indices, 1), atoms.dims()[0]);
  slots.back() = Dim::constant(getSteps());
  Value all = reshape(Formula(b, entries.values), slots).value, places = reshape(Formula(b, entries.indices), slots).value;
  results.push_back(SparseOfOp::create(b, all, places, Value(), dimsAttr(b.getContext(), dimsOf(getResult())), std::to_string(getSteps())));
  return success();
}

//===-- densify, values, indices ---------------------------------------------------------------------------------------------===//

static FailureOr<SparseType> sparseOperand(InferContext &context, Value x) {
  if (auto type = dyn_cast<SparseType>(x.getType()))
    return type;
  return context.error("expects a sparse value, but got a dense one of shape " + text(dimsOf(x)));
}

LogicalResult DensifyOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  FailureOr<SparseType> type = sparseOperand(context, op.getX());
  if (succeeded(type))
    results.push_back(type->getElement());
  return type;
}
LogicalResult DensifyOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(0);
  return success();
}
FailureOr<Entries> DensifyOp::onEntries(OpBuilder &builder, ArrayRef<Entries> operands) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  const Entries &x = operands[0];
  std::string size = x.dense.back().str();
  if (!x.rows)
    return Entries{PlaceOp::create(b, x.values, x.indices, Value(), size, "")};
  Formula flat(b, PlaceOp::create(b, x.values, x.indices, x.rows, size, rowsOf(x.dense).str()));
  return Entries{reshape(flat, x.dense).value};
}

LogicalResult MinNonzeroOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(context.tensor(context.f32(), {}));
  return sparseOperand(context, op.getX());
}
LogicalResult MinNonzeroOp::evaluate(Evaluation &evaluation) {
  std::optional<double> least;
  for (double value : evaluation.in(0).data)
    if (value != 0)
      least = std::min(value, least.value_or(value));
  evaluation.out() = Array(ArrayRef<int64_t>(), least.value_or(0));
  return success();
}
FailureOr<Entries> MinNonzeroOp::onEntries(OpBuilder &builder, ArrayRef<Entries> operands) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  const Entries &x = operands[0];
  Formula values = stop(Formula(b, usedValues(b, x))), none(b, std::numeric_limits<float>::max());
  if (x.rows)
    values = select(toFloat(Formula(b, x.rows)) < sizeAsNumber(values, rowsOf(x.dense)), values, Formula(b, 0.0));
  values = select(values == Formula(b, 0.0), none, values);
  values = reshape(values, {Dim::constant(1), product(values.dims())});
  Formula least = reshape(-reduceMax(-values, 1), {});
  return Entries{select(least < none, least, Formula(b, 0.0)).value};
}

static LogicalResult inferSlots(InferContext &context, Value x, Type element, SmallVectorImpl<Type> &results) {
  FailureOr<SparseType> type = sparseOperand(context, x);
  if (failed(type))
    return failure();
  if (!type->isPerRow())
    return context.error("expects a value with a limit for each row, but got sparse[" + type->getLimit().getValue() + "]");
  Dims dims = dimsOf(x);
  dims.back() = type->getCount();
  results.push_back(context.tensor(element, dims));
  return success();
}
/// The non-zeros of every row of a dense array: their values, or where they are.
static Array slotsOf(const Array &x, ArrayRef<int64_t> shape, bool wantsIndices) {
  int64_t size = x.shape.back(), k = shape.back();
  Array result(shape, wantsIndices ? double(size) : 0);
  for (int64_t i = 0, slot = 0; i < x.size(); ++i) {
    slot = i % size == 0 ? 0 : slot;
    if (x.data[i] != 0 && slot < k)
      result.data[i / size * k + slot++] = wantsIndices ? double(i % size) : x.data[i];
  }
  return result;
}

LogicalResult ValuesOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferSlots(context, op.getX(), context.f32(), results);
}
LogicalResult ValuesOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = slotsOf(evaluation.in(0), evaluation.shapeOf(getResult()), false);
  return success();
}
FailureOr<Entries> ValuesOp::onEntries(OpBuilder &builder, ArrayRef<Entries> operands) { return Entries{usedValues(builder, operands[0])}; }

LogicalResult IndicesOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferSlots(context, op.getX(), context.i32(), results);
}
LogicalResult IndicesOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = slotsOf(evaluation.in(0), evaluation.shapeOf(getResult()), true);
  return success();
}
FailureOr<Entries> IndicesOp::onEntries(OpBuilder &builder, ArrayRef<Entries> operands) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula end = sizeAsNumber(Formula(b, operands[0].values), operands[0].dense.back());
  return Entries{toInt(minimum(toFloat(Formula(b, operands[0].indices)), end)).value};
}
