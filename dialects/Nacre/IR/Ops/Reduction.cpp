// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Attention.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/NestedWidth.h"
#include "dialects/Nacre/IR/Ops/Reduction.h"
#include "dialects/Nacre/IR/Ops/SparseActivation.h"
#include "dialects/Nacre/IR/Scalar.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <cmath>
#include <limits>

using namespace nacre;
using namespace mlir;

//===-- the primitives -------------------------------------------------------------------------------------------------------===//

template <typename Adaptor>
static LogicalResult inferReduce(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  FailureOr<int64_t> axis = context.axis(op.getAxis(), dims.size());
  if (failed(axis) || failed(context.requireFloat(op.getX(), "an operand")))
    return failure();
  dims[*axis] = Dim::constant(1);
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}

static LogicalResult evaluateReduce(Evaluation &evaluation, int64_t axis, double start, double (*step)(double, double)) {
  const Array &x = evaluation.in(0);
  SmallVector<int64_t, 4> shape = x.shape;
  shape[axis] = 1;
  Array result(shape, start);
  forEach(x.shape, [&](ArrayRef<int64_t> index) {
    SmallVector<int64_t> kept(index);
    kept[axis] = 0;
    result(kept) = step(result(kept), x.at(index));
  });
  evaluation.out() = std::move(result);
  return success();
}

static FailureOr<Value> stackReduce(OpBuilder &builder, Operation *op, ValueRange operands, int64_t axis) {
  Operation *copy = builder.clone(*op);
  copy->setOperands(operands);
  copy->setAttr("axis", builder.getI64IntegerAttr(axis + 1));
  SmallVector<Type> types;
  auto infer = cast<InferTypeOpInterface>(copy);
  if (failed(infer.inferReturnTypes(op->getContext(), op->getLoc(), operands, copy->getAttrDictionary(),
                                    copy->getPropertiesStorage(), {}, types)))
    return failure();
  copy->getResult(0).setType(types[0]);
  return copy->getResult(0);
}

LogicalResult ReduceSumOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  bool isSparse = isa<SparseType>(op.getX().getType());
  if (isSparse && op.getAxis() != plainType(op.getX()).getRank() - 1)
    return context.error("expects the last axis of a sparse value; densify(x) makes it dense");
  return inferReduce(context, op, results);
}
FailureOr<Entries> ReduceSumOp::onEntries(OpBuilder &builder, ArrayRef<Entries> operands) {
  return Entries{sparseRowSum(builder, operands[0])};
}
LogicalResult ReduceSumOp::evaluate(Evaluation &evaluation) {
  return evaluateReduce(evaluation, getAxis(), 0, [](double a, double b) { return a + b; });
}
LogicalResult ReduceSumOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  gradients.push_back(broadcastTo(Formula(b, cotangents[0]), dimsOf(getX())).value);
  return success();
}
FailureOr<Value> ReduceSumOp::buildStacked(OpBuilder &builder, ValueRange operands, ArrayRef<bool>) {
  return stackReduce(builder, *this, operands, getAxis());
}
int64_t ReduceSumOp::reducedAxis() { return getAxis(); }
double ReduceSumOp::identity() { return 0; }
Value ReduceSumOp::combine(ImplicitLocOpBuilder &b, Value x, Value y) { return arith::AddFOp::create(b, x, y); }

/// Folds the upper half onto the lower one until one lane is left: the tree depends on the length alone.
static Value foldLanes(ImplicitLocOpBuilder &b, Value vector, llvm::function_ref<Value(Value, Value)> combine) {
  const int64_t lanes = cast<VectorType>(vector.getType()).getNumElements();
  for (int64_t half = lanes / 2; half > 0; half /= 2) {
    SmallVector<int64_t> order(lanes);
    for (int64_t lane = 0; lane < lanes; ++lane)
      order[lane] = (lane + half) % lanes;
    vector = combine(vector, vector::ShuffleOp::create(b, vector, vector, order));
  }
  return vector::ExtractOp::create(b, vector, ArrayRef<int64_t>{0});
}

Value ReduceSumOp::combineLanes(ImplicitLocOpBuilder &b, Value vector) {
  return foldLanes(b, vector, [&](Value x, Value y) { return combine(b, x, y); });
}

LogicalResult ReduceMaxOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferReduce(context, op, results);
}
LogicalResult ReduceMaxOp::evaluate(Evaluation &evaluation) {
  return evaluateReduce(evaluation, getAxis(), -std::numeric_limits<double>::infinity(),
                        [](double a, double b) { return std::fmax(a, b); });
}
LogicalResult ReduceMaxOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX()), y(b, getResult()), g(b, cotangents[0]), isLargest = toFloat(x == y);
  gradients.push_back((isLargest * (g / reduceSum(isLargest, getAxis()))).value);
  return success();
}
FailureOr<Value> ReduceMaxOp::buildStacked(OpBuilder &builder, ValueRange operands, ArrayRef<bool>) {
  return stackReduce(builder, *this, operands, getAxis());
}
int64_t ReduceMaxOp::reducedAxis() { return getAxis(); }
double ReduceMaxOp::identity() { return -std::numeric_limits<double>::infinity(); }
Value ReduceMaxOp::combine(ImplicitLocOpBuilder &b, Value x, Value y) { return arith::MaxNumFOp::create(b, x, y); }
Value ReduceMaxOp::combineLanes(ImplicitLocOpBuilder &b, Value vector) {
  return foldLanes(b, vector, [&](Value x, Value y) { return combine(b, x, y); });
}

//===-- sum, mean, max as the language has them ------------------------------------------------------------------------------===//

static LogicalResult inferOverWidths(InferContext &context, Value x, SmallVectorImpl<Type> &results) {
  auto nested = dyn_cast<NestedType>(x.getType());
  if (!nested)
    return context.error("over = widths expects a nested value, but got a tensor of shape " + text(dimsOf(x)));
  for (const Dim &dim : dimsOf(nested))
    if (dim.mentions(kWidth))
      return context.error("over = widths expects members of one shape, but they are " + text(dimsOf(nested)));
  results.push_back(nested.getElement());
  return success();
}

template <typename Adaptor>
static LogicalResult inferFoldShape(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  if (std::optional<int64_t> requested = op.getAxis()) {
    FailureOr<int64_t> axis = context.axis(*requested, dims.size());
    if (failed(axis))
      return failure();
    if (op.getKeep())
      dims[*axis] = Dim::constant(1);
    else
      dims.erase(dims.begin() + *axis);
    Dims leading = dimsOf(op.getX());
    leading.truncate(*axis);
    if (op.getLengths() && dimsOf(op.getLengths()) != leading)
      return context.error("expects lengths of shape " + text(leading) + ", but got " + text(dimsOf(op.getLengths())));
  } else if (op.getLengths()) {
    return context.error("with lengths expects an axis");
  } else {
    dims.clear();
  }
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}

template <typename Adaptor>
static LogicalResult inferFold(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getX(), "an operand")))
    return failure();
  if (std::optional<StringRef> over = op.getOver()) {
    if (*over != "widths")
      return context.error("expects over = widths, but got over = " + *over);
    return inferOverWidths(context, op.getX(), results);
  }
  return context.lift(ValueRange(op.getX()), {true, SparseRule::Own, false}, results,
                      [&](SmallVectorImpl<Type> &plain) { return inferFoldShape(context, op, plain); });
}

/// The positions below `lengths`, as bool over the shape of x; lengths has the axes before `axis`.
static Formula validPositions(Formula x, Value lengths, int64_t axis) {
  Formula n = toFloat(Formula(*x.b, lengths));
  while (n.rank() < x.rank())
    n = addAxis(n, -1);
  return iota(*x.b, x.dims(), axis) < n;
}

namespace {
/// How a fold treats one axis: the primitive, and what stands in for entries beyond the length.
struct FoldRule {
  Formula (*reduce)(Formula, int64_t);
  double outside;
  bool average;
};
} // namespace

static Formula foldAxis(Formula x, Value lengths, int64_t axis, const FoldRule &rule) {
  Formula count = sizeAsNumber(x, x.dims()[axis]);
  if (lengths) {
    Formula valid = validPositions(x, lengths, axis);
    if (axis == 1)
      x = Formula(*x.b, ReadRowsOp::create(*x.b, x.value, lengths, axis));
    x = select(valid, x, Formula(*x.b, rule.outside));
    count = maximum(toFloat(Formula(*x.b, lengths)), Formula(*x.b, 1.0));
    while (count.rank() < x.rank())
      count = addAxis(count, -1);
  }
  Formula y = rule.reduce(x, axis);
  return rule.average ? y / count : y;
}

static Formula foldWidths(ImplicitLocOpBuilder &b, Value x, const FoldRule &rule) {
  Formula stacked(b, StackOp::create(b, x));
  return dropAxis(foldAxis(stacked, Value(), 0, rule), 0);
}

template <typename Op>
static LogicalResult decomposeFold(Op op, OpBuilder &builder, const FoldRule &rule, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(op.getLoc(), builder);
  Formula x(b, op.getX());
  if (op.getOver()) {
    results.push_back(foldWidths(b, op.getX(), rule).value);
    return success();
  }
  if (std::optional<int64_t> requested = op.getAxis()) {
    int64_t axis = *normalizeAxis(*requested, x.rank());
    Formula y = foldAxis(x, op.getLengths(), axis, rule);
    results.push_back(op.getKeep() ? y.value : dropAxis(y, axis).value);
    return success();
  }
  // Everything: along rows first, so that the wide part is read in order; then the remaining axes as one.
  if (x.rank() == 0) {
    results.push_back(op.getX());
    return success();
  }
  Dim rest = product(ArrayRef<Dim>(x.dims()).drop_back());
  Formula rows = reshape(foldAxis(x, Value(), x.rank() - 1, rule), {rest});
  results.push_back(dropAxis(foldAxis(rows, Value(), 0, rule), 0).value);
  return success();
}

namespace {
struct FoldReference {
  double start;
  double (*step)(double, double);
  bool average;
};
} // namespace

template <typename Op>
static LogicalResult evaluateFold(Op op, Evaluation &evaluation, const FoldReference &rule) {
  const Array &x = evaluation.in(0);
  const Array *lengths = evaluation.in(op.getLengths());
  // Members of a nested value come joined on a new axis 0.
  int64_t axis = op.getOver() ? 0 : op.getAxis() ? *normalizeAxis(*op.getAxis(), x.rank()) : -1;
  SmallVector<int64_t, 4> shape = x.shape;
  if (axis >= 0)
    shape[axis] = 1;
  else
    shape.assign(x.rank(), 1);
  Array sum(shape, rule.start), count(shape, 0);
  forEach(x.shape, [&](ArrayRef<int64_t> index) {
    if (lengths && index[axis] >= lengths->at(index.take_front(axis)))
      return;
    SmallVector<int64_t> kept(index);
    for (int64_t i = 0; i < x.rank(); ++i)
      kept[i] = axis < 0 || i == axis ? 0 : index[i];
    sum(kept) = rule.step(sum(kept), x.at(index));
    count(kept) += 1;
  });
  for (int64_t i = 0; rule.average && i < sum.size(); ++i)
    sum.data[i] /= lengths ? std::fmax(count.data[i], 1) : count.data[i];
  sum.shape = evaluation.shapeOf(op.getResult());
  evaluation.out() = std::move(sum);
  return success();
}

static double addStep(double a, double b) { return a + b; }
static double maxStep(double a, double b) { return std::fmax(a, b); }
static const double kNegativeInfinity = -std::numeric_limits<double>::infinity();

LogicalResult SumOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) { return inferFold(context, op, results); }
LogicalResult SumOp::evaluate(Evaluation &evaluation) { return evaluateFold(*this, evaluation, {0, addStep, false}); }
LogicalResult SumOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  return decomposeFold(*this, builder, {reduceSum, 0, false}, results);
}
LogicalResult MeanOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) { return inferFold(context, op, results); }
LogicalResult MeanOp::evaluate(Evaluation &evaluation) { return evaluateFold(*this, evaluation, {0, addStep, true}); }
LogicalResult MeanOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  return decomposeFold(*this, builder, {reduceSum, 0, true}, results);
}
LogicalResult MaxOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) { return inferFold(context, op, results); }
LogicalResult MaxOp::evaluate(Evaluation &evaluation) { return evaluateFold(*this, evaluation, {kNegativeInfinity, maxStep, false}); }
LogicalResult MaxOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  return decomposeFold(*this, builder, {reduceMax, kNegativeInfinity, false}, results);
}

//===-- logsumexp, argmax ----------------------------------------------------------------------------------------------------===//

LogicalResult LogSumExpOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  FailureOr<int64_t> axis = context.axis(op.getAxis(), dims.size());
  if (failed(axis) || failed(context.requireFloat(op.getX(), "an operand")))
    return failure();
  dims[*axis] = Dim::constant(1);
  if (!op.getKeep())
    dims.erase(dims.begin() + *axis);
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}
LogicalResult LogSumExpOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  int64_t axis = *normalizeAxis(getAxis(), x.rank());
  SmallVector<int64_t, 4> shape = x.shape;
  shape[axis] = 1;
  Array top(shape, kNegativeInfinity), sum(shape, 0);
  auto kept = [&](ArrayRef<int64_t> index) {
    SmallVector<int64_t> result(index);
    result[axis] = 0;
    return result;
  };
  forEach(x.shape, [&](ArrayRef<int64_t> index) { top(kept(index)) = std::fmax(top(kept(index)), x.at(index)); });
  forEach(x.shape, [&](ArrayRef<int64_t> index) { sum(kept(index)) += std::exp(x.at(index) - top(kept(index))); });
  for (int64_t i = 0; i < sum.size(); ++i)
    sum.data[i] = top.data[i] + std::log(sum.data[i]);
  sum.shape = evaluation.shapeOf(getResult());
  evaluation.out() = std::move(sum);
  return success();
}
LogicalResult LogSumExpOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  int64_t axis = *normalizeAxis(getAxis(), x.rank());
  Formula top = stop(reduceMax(x, axis));
  Formula y = top + log(reduceSum(exp(x - top), axis));
  results.push_back(getKeep() ? y.value : dropAxis(y, axis).value);
  return success();
}

LogicalResult ArgmaxOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  if (dims.empty())
    return context.error("expects at least one axis");
  results.push_back(context.tensor(context.i32(), ArrayRef<Dim>(dims).drop_back()));
  return context.requireFloat(op.getX(), "an operand");
}
LogicalResult ArgmaxOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  Array result(evaluation.shapeOf(getResult()));
  int64_t width = x.shape.back();
  for (int64_t row = 0; row < result.size(); ++row)
    for (int64_t j = 1; j < width; ++j)
      if (x.data[row * width + j] > x.data[row * width + int64_t(result.data[row])])
        result.data[row] = double(j);
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult ArgmaxOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  auto best = TopEntriesOp::create(b, x.value, "1", "value", "rank");
  results.push_back(dropAxis(Formula(b, best.getIndices()), -1).value);
  return success();
}

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Reduction.cpp.inc"
void NacreDialect::addReduction() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Reduction.cpp.inc"
      >();
}
