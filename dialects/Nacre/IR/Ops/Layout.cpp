// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Layout.h"
#include "dialects/Nacre/IR/Ops/SparseActivation.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace nacre;
using namespace mlir;

/// The element of x for every place of the result, by a map of multi-indices.
static LogicalResult evaluateMove(Evaluation &evaluation, Value result,
                                  llvm::function_ref<void(ArrayRef<int64_t>, SmallVectorImpl<int64_t> &)> source) {
  const Array &x = evaluation.in(0);
  Array moved(evaluation.shapeOf(result));
  forEach(moved.shape, [&](ArrayRef<int64_t> index) {
    SmallVector<int64_t> from;
    source(index, from);
    moved(index) = x.at(from);
  });
  evaluation.out() = std::move(moved);
  return success();
}

static FailureOr<Value> single(Formula x) { return x.value; }

/// A shape attribute as polynomials.
static FailureOr<Dims> checkedShape(InferContext &context, ArrayAttr shape) {
  for (Attribute attribute : shape) {
    auto text = dyn_cast<StringAttr>(attribute);
    if (text && Dim::parse(text.getValue()))
      continue;
    std::string found;
    llvm::raw_string_ostream(found) << attribute;
    return context.error("expects a shape of polynomials such as \"12*B*T\", but got " + found);
  }
  return dimsFrom(shape);
}

/// The operand's elements in another shape: codes stay codes.
static Type rearranged(const InferContext &context, Value x, ArrayRef<Dim> dims) {
  auto tensor = cast<RankedTensorType>(context.tensor(plainType(x).getElementType(), dims));
  auto code = dyn_cast<CodeType>(x.getType());
  return code ? Type(CodeType::get(context.context, code.getCount(), tensor)) : tensor;
}

static FailureOr<Dim> checkedSize(InferContext &context, StringRef text) {
  if (std::optional<Dim> dim = Dim::parse(text))
    return *dim;
  return context.error("expects a size such as \"T+1\", but got \"" + text + "\"");
}

//===-- reshape --------------------------------------------------------------------------------------------------------------===//

LogicalResult ReshapeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  FailureOr<Dims> dims = checkedShape(context, op.getShape());
  if (failed(dims))
    return failure();
  if (product(*dims) != product(dimsOf(op.getX())))
    return context.error("expects as many elements as " + text(dimsOf(op.getX())) + ", but got " + text(*dims));
  auto sparse = dyn_cast<SparseType>(op.getX().getType());
  if (sparse && (dims->empty() || dims->back() != dimsOf(op.getX()).back()))
    return context.error("expects to keep the last axis of a sparse value, but got " + text(*dims) + "; densify(x) makes it dense");
  Type made = rearranged(context, op.getX(), *dims);
  results.push_back(sparse ? Type(SparseType::get(context.context, sparse.getLimit(), cast<RankedTensorType>(made))) : made);
  return success();
}
FailureOr<Entries> ReshapeOp::onEntries(OpBuilder &builder, ArrayRef<Entries> operands) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Entries result = operands[0];
  result.dense = dimsOf(getResult());
  if (result.rows) // a row counts all axes but the last, so it keeps its number
    return result;
  Dims slots = result.dense;
  slots.back() = dimsOf(result.values).back();
  result.values = reshape(Formula(b, result.values), slots).value;
  result.indices = reshape(Formula(b, result.indices), slots).value;
  return result;
}
LogicalResult ReshapeOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(0);
  evaluation.out().shape = evaluation.shapeOf(getResult());
  return success();
}
LogicalResult ReshapeOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  gradients.push_back(reshape(Formula(b, cotangents[0]), dimsOf(getX())).value);
  return success();
}
FailureOr<Value> ReshapeOp::buildStacked(OpBuilder &builder, ValueRange operands, ArrayRef<bool>) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Dims dims = dimsFrom(getShape());
  dims.insert(dims.begin(), dimsOf(operands[0])[0]);
  return single(reshape(Formula(b, operands[0]), dims));
}

/// Whether axes [begin, end) can be walked with one stride; axes of size 1 do not matter.
static bool isMergeable(const Layout &layout, size_t begin, size_t end) {
  std::optional<Dim> expected;
  for (size_t axis = end; axis-- > begin;) {
    if (layout.sizes[axis].isOne())
      continue;
    if (expected && layout.strides[axis] != *expected)
      return false;
    expected = layout.strides[axis] * layout.sizes[axis];
  }
  return true;
}

/// The stride of the innermost axis of [begin, end) that has more than one element.
static Dim innerStride(const Layout &layout, size_t begin, size_t end) {
  for (size_t axis = end; axis-- > begin;)
    if (!layout.sizes[axis].isOne())
      return layout.strides[axis];
  return Dim::constant(1);
}

FailureOr<Layout> ReshapeOp::view(const Layout &source) {
  Layout result;
  result.offset = source.offset;
  result.sizes = dimsFrom(getShape());
  result.strides.resize(result.sizes.size(), Dim::constant(1));
  size_t from = 0, to = 0, fromCount = source.sizes.size(), toCount = result.sizes.size();
  while (from < fromCount || to < toCount) {
    // The shortest groups of source and result axes that hold equally many elements.
    size_t fromEnd = from, toEnd = to;
    bool found = false;
    for (size_t total = 1; !found && total <= (fromCount - from) + (toCount - to); ++total)
      for (size_t taken = 0; !found && taken <= std::min(total, fromCount - from); ++taken) {
        if (total - taken > toCount - to)
          continue;
        fromEnd = from + taken;
        toEnd = to + (total - taken);
        found = product(ArrayRef<Dim>(source.sizes).slice(from, taken)) == product(ArrayRef<Dim>(result.sizes).slice(to, total - taken));
      }
    if (!found || !isMergeable(source, from, fromEnd))
      return failure();
    Dim stride = innerStride(source, from, fromEnd);
    for (size_t axis = toEnd; axis-- > to;) {
      result.strides[axis] = stride;
      stride = stride * result.sizes[axis];
    }
    from = fromEnd;
    to = toEnd;
  }
  return result;
}

//===-- permute --------------------------------------------------------------------------------------------------------------===//

LogicalResult PermuteOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX()), permuted;
  SmallVector<int64_t> sorted(op.getOrder());
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, dims.size())))
    return context.error("expects every axis from 0 to " + Twine(int64_t(dims.size()) - 1) + " once");
  for (int64_t axis : op.getOrder())
    permuted.push_back(dims[axis]);
  results.push_back(rearranged(context, op.getX(), permuted));
  return success();
}
LogicalResult PermuteOp::evaluate(Evaluation &evaluation) {
  return evaluateMove(evaluation, getResult(), [&](ArrayRef<int64_t> index, SmallVectorImpl<int64_t> &from) {
    from.resize(index.size());
    for (auto [axis, source] : llvm::enumerate(getOrder()))
      from[source] = index[axis];
  });
}
LogicalResult PermuteOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  SmallVector<int64_t> inverse(getOrder().size());
  for (auto [axis, source] : llvm::enumerate(getOrder()))
    inverse[source] = axis;
  gradients.push_back(permute(Formula(b, cotangents[0]), inverse).value);
  return success();
}
FailureOr<Value> PermuteOp::buildStacked(OpBuilder &builder, ValueRange operands, ArrayRef<bool>) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  SmallVector<int64_t> order = {0};
  for (int64_t axis : getOrder())
    order.push_back(axis + 1);
  return single(permute(Formula(b, operands[0]), order));
}
FailureOr<Layout> PermuteOp::view(const Layout &source) {
  Layout result;
  result.offset = source.offset;
  for (int64_t axis : getOrder()) {
    result.sizes.push_back(source.sizes[axis]);
    result.strides.push_back(source.strides[axis]);
  }
  return result;
}

//===-- slice ----------------------------------------------------------------------------------------------------------------===//

static Dim dimOf(StringRef text) { return Dim::parse(text).value_or(Dim()); }

LogicalResult SliceOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  FailureOr<int64_t> axis = context.axis(op.getAxis(), dims.size());
  FailureOr<Dim> first = checkedSize(context, op.getStart()), count = checkedSize(context, op.getSize());
  if (failed(axis) || failed(first) || failed(count))
    return failure();
  Dim start = *first, size = *count;
  std::optional<int64_t> whole = dims[*axis].asConstant(), end = (start + size).asConstant();
  if (whole && end && (*end > *whole || start.asConstant().value_or(0) < 0 || size.asConstant().value_or(0) < 0))
    return context.error("expects a part of an axis of " + Twine(*whole) + ", but got " + start.str() + " to " + Twine(*end));
  dims[*axis] = size;
  if (auto sparse = dyn_cast<SparseType>(op.getX().getType())) {
    if (*axis != int64_t(dims.size()) - 1 || !start.isZero())
      return context.error("expects the first entries of the last axis of a sparse value, but got others; densify(x) makes it dense");
    auto tensor = cast<RankedTensorType>(context.tensor(sparse.getElement().getElementType(), dims));
    results.push_back(SparseType::get(context.context, sparse.getLimit(), tensor));
  } else {
    results.push_back(rearranged(context, op.getX(), dims));
  }
  return success();
}
/// Entries beyond the part are unused in it without being touched.
/// What lies beyond becomes 0, so that no cotangent reaches an entry that was cut off.
FailureOr<Entries> SliceOp::onEntries(OpBuilder &builder, ArrayRef<Entries> operands) {
  Entries result = operands[0];
  result.dense = dimsOf(getResult());
  result.values = usedValues(builder, result);
  return result;
}
LogicalResult SliceOp::evaluate(Evaluation &evaluation) {
  int64_t start = evaluation.sizeOf(dimOf(getStart()));
  return evaluateMove(evaluation, getResult(), [&](ArrayRef<int64_t> index, SmallVectorImpl<int64_t> &from) {
    from.assign(index.begin(), index.end());
    from[getAxis()] += start;
  });
}
LogicalResult SliceOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  gradients.push_back(PadOp::create(b, cotangents[0], getAxis(), getStart(), dimsOf(getX())[getAxis()].str()));
  return success();
}
FailureOr<Value> SliceOp::buildStacked(OpBuilder &builder, ValueRange operands, ArrayRef<bool>) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  return single(slice(Formula(b, operands[0]), getAxis() + 1, dimOf(getStart()), dimOf(getSize())));
}
FailureOr<Layout> SliceOp::view(const Layout &source) {
  Layout result = source;
  result.offset = source.offset + dimOf(getStart()) * source.strides[getAxis()];
  result.sizes[getAxis()] = dimOf(getSize());
  return result;
}

//===-- broadcast ------------------------------------------------------------------------------------------------------------===//

LogicalResult BroadcastOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  FailureOr<Dims> dims = checkedShape(context, op.getShape());
  if (failed(dims))
    return failure();
  std::optional<Dims> joined = broadcast(dimsOf(op.getX()), *dims);
  if (!joined || *joined != *dims)
    return context.error("expects a shape that " + text(dimsOf(op.getX())) + " broadcasts to, but got " + text(*dims));
  results.push_back(context.tensor(plainType(op.getX()).getElementType(), *dims));
  return success();
}
LogicalResult BroadcastOp::evaluate(Evaluation &evaluation) {
  return evaluateMove(evaluation, getResult(), [&](ArrayRef<int64_t> index, SmallVectorImpl<int64_t> &from) {
    from.assign(index.begin(), index.end());
  });
}
LogicalResult BroadcastOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  gradients.push_back(cotangents[0]); // the caller sums it down
  return success();
}
FailureOr<Value> BroadcastOp::buildStacked(OpBuilder &builder, ValueRange operands, ArrayRef<bool>) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, operands[0]);
  Dims dims = dimsFrom(getShape());
  while (x.rank() < int64_t(dims.size()) + 1)
    x = addAxis(x, 1);
  dims.insert(dims.begin(), x.dims()[0]);
  return single(broadcastTo(x, dims));
}
FailureOr<Layout> BroadcastOp::view(const Layout &source) {
  Layout result;
  result.offset = source.offset;
  result.sizes = dimsFrom(getShape());
  size_t lead = result.sizes.size() - source.sizes.size();
  for (size_t axis = 0; axis < result.sizes.size(); ++axis) {
    bool repeats = axis < lead || (source.sizes[axis - lead].isOne() && !result.sizes[axis].isOne());
    result.strides.push_back(repeats ? Dim() : source.strides[axis - lead]);
  }
  return result;
}

//===-- transpose, heads, merge, flatten -------------------------------------------------------------------------------------===//

LogicalResult TransposeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  if (dims.size() < 2)
    return context.error("expects at least two axes, but got " + text(dims));
  std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
  results.push_back(rearranged(context, op.getX(), dims));
  return success();
}
LogicalResult TransposeOp::evaluate(Evaluation &evaluation) {
  return evaluateMove(evaluation, getResult(), [&](ArrayRef<int64_t> index, SmallVectorImpl<int64_t> &from) {
    from.assign(index.begin(), index.end());
    std::swap(from[from.size() - 1], from[from.size() - 2]);
  });
}
LogicalResult TransposeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  results.push_back(transposed(Formula(b, getX())).value);
  return success();
}

LogicalResult HeadsOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  if (dims.size() < 2)
    return context.error("expects at least two axes, but got " + text(dims));
  std::optional<Dim> width = op.getCount() > 0 ? dims.back().dividedBy(op.getCount()) : std::nullopt;
  if (!width)
    return context.error("expects a last axis that " + Twine(op.getCount()) + " heads divide, but got " + dims.back().str());
  dims.insert(dims.end() - 2, Dim::constant(op.getCount()));
  dims.back() = *width;
  results.push_back(context.tensor(plainType(op.getX()).getElementType(), dims));
  return success();
}
LogicalResult HeadsOp::evaluate(Evaluation &evaluation) {
  int64_t width = evaluation.shapeOf(getResult()).back();
  return evaluateMove(evaluation, getResult(), [&](ArrayRef<int64_t> index, SmallVectorImpl<int64_t> &from) {
    from.assign(index.begin(), index.end() - 3);
    from.push_back(index[index.size() - 2]);
    from.push_back(index[index.size() - 3] * width + index.back());
  });
}
LogicalResult HeadsOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  Dims dims = x.dims();
  dims.back() = *dims.back().dividedBy(getCount());
  dims.insert(dims.end() - 1, Dim::constant(getCount()));
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, dims.size()));
  std::swap(order[order.size() - 2], order[order.size() - 3]);
  results.push_back(permute(reshape(x, dims), order).value);
  return success();
}

LogicalResult MergeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  if (dims.size() < 3)
    return context.error("expects at least three axes, but got " + text(dims));
  Dim width = dims[dims.size() - 3] * dims.back();
  dims.erase(dims.end() - 3);
  dims.back() = width;
  results.push_back(context.tensor(plainType(op.getX()).getElementType(), dims));
  return success();
}
LogicalResult MergeOp::evaluate(Evaluation &evaluation) {
  int64_t width = evaluation.in(0).shape.back();
  return evaluateMove(evaluation, getResult(), [&](ArrayRef<int64_t> index, SmallVectorImpl<int64_t> &from) {
    from.assign(index.begin(), index.end() - 2);
    from.push_back(index.back() / width);
    from.push_back(index[index.size() - 2]);
    from.push_back(index.back() % width);
  });
}
LogicalResult MergeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, x.rank()));
  std::swap(order[order.size() - 2], order[order.size() - 3]);
  results.push_back(reshape(permute(x, order), dimsOf(getResult())).value);
  return success();
}

LogicalResult FlattenOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  if (dims.empty())
    return context.error("expects at least one axis");
  results.push_back(rearranged(context, op.getX(), {dims[0], product(ArrayRef<Dim>(dims).drop_front())}));
  return success();
}
LogicalResult FlattenOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(0);
  evaluation.out().shape = evaluation.shapeOf(getResult());
  return success();
}
LogicalResult FlattenOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  results.push_back(reshape(Formula(b, getX()), dimsOf(getResult())).value);
  return success();
}

//===-- iota, size -----------------------------------------------------------------------------------------------------------===//

LogicalResult IotaOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  FailureOr<Dims> dims = checkedShape(context, op.getShape());
  if (failed(dims) || failed(context.axis(op.getAxis(), dims->size())))
    return failure();
  results.push_back(context.tensor(context.f32(), *dims));
  return success();
}
LogicalResult IotaOp::evaluate(Evaluation &evaluation) {
  Array result(evaluation.shapeOf(getResult()));
  forEach(result.shape, [&](ArrayRef<int64_t> index) { result(index) = double(index[getAxis()]); });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult SizeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(context.tensor(context.f32(), {}));
  return LogicalResult(checkedSize(context, op.getSize()));
}
LogicalResult SizeOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = Array({}, double(evaluation.sizeOf(dimOf(getSize()))));
  return success();
}
bool SizeOp::isNumber() { return true; }
Layout SizeOp::coordinates() { return {dimOf(getSize()), {}, {}}; }

bool IotaOp::isNumber() { return false; }
Layout IotaOp::coordinates() {
  Layout layout = Layout::contiguous(dimsFrom(getShape()));
  for (auto [axis, stride] : llvm::enumerate(layout.strides))
    stride = Dim::constant(int64_t(axis) == int64_t(getAxis()) ? 1 : 0);
  return layout;
}

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Layout.cpp.inc"
void NacreDialect::addLayout() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Layout.cpp.inc"
      >();
}
