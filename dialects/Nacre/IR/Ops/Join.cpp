// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The layout operators that move data: pad, concat, and the rows of a table.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Codebook.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Layout.h"
#include "dialects/Nacre/IR/Ops/SparseActivation.h"

using namespace nacre;
using namespace mlir;

static Dim dimOf(StringRef text) { return Dim::parse(text).value_or(Dim()); }

//===-- pad ------------------------------------------------------------------------------------------------------------------===//

LogicalResult PadOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  FailureOr<int64_t> axis = context.axis(op.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  std::optional<Dim> start = Dim::parse(op.getStart()), size = Dim::parse(op.getSize());
  if (!start || !size)
    return context.error("expects a start and a size such as \"T+1\", but got \"" + op.getStart() + "\" and \"" + op.getSize() + "\"");
  // What is left over, when it is a number, must not be negative.
  if ((*size - *start - dims[*axis]).asConstant().value_or(0) < 0 || start->asConstant().value_or(0) < 0)
    return context.error("expects an axis with room for " + dims[*axis].str() + " entries from " + start->str() + ", but got " + size->str());
  dims[*axis] = *size;
  results.push_back(context.tensor(plainType(op.getX()).getElementType(), dims));
  return success();
}
LogicalResult PadOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  int64_t start = evaluation.sizeOf(dimOf(getStart()));
  Array result(evaluation.shapeOf(getResult()));
  forEach(x.shape, [&](ArrayRef<int64_t> index) {
    SmallVector<int64_t> to(index);
    to[getAxis()] += start;
    result(to) = x.at(index);
  });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult PadOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  gradients.push_back(slice(Formula(b, cotangents[0]), getAxis(), dimOf(getStart()), dimsOf(getX())[getAxis()]).value);
  return success();
}
/// The part of `result` along an axis that begins at `start`.
static Layout partOf(const Layout &result, int64_t axis, const Dim &start, const Dim &size) {
  Layout part = result;
  part.offset = part.offset + start * part.strides[axis];
  part.sizes[axis] = size;
  return part;
}
Layout PadOp::place(unsigned, const Layout &result) { return partOf(result, getAxis(), dimOf(getStart()), dimsOf(getX())[getAxis()]); }
bool PadOp::isCovered() { return dimsOf(getX()) == dimsOf(getResult()); }

//===-- concat ---------------------------------------------------------------------------------------------------------------===//

LogicalResult ConcatOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (op.getParts().empty())
    return context.error("expects at least one part");
  Dims joined = dimsOf(op.getParts().front());
  Type element = plainType(op.getParts().front()).getElementType();
  FailureOr<int64_t> axis = context.axis(op.getAxis(), joined.size());
  if (failed(axis))
    return failure();
  auto code = dyn_cast<CodeType>(op.getParts().front().getType());
  for (Value part : op.getParts().drop_front()) {
    Dims dims = dimsOf(part), same = joined;
    auto other = dyn_cast<CodeType>(part.getType());
    if (bool(code) != bool(other) || (code && code.getCount() != other.getCount()))
      return context.error("expects tensors, or codes below one count; ids(codes) makes plain integers");
    if (dims.size() == joined.size())
      same[*axis] = dims[*axis];
    if (dims != same || plainType(part).getElementType() != element)
      return context.error("expects parts alike but for axis " + Twine(*axis) + ", but got " + text(joined) + " and " + text(dims));
    joined[*axis] = joined[*axis] + dims[*axis];
  }
  auto tensor = cast<RankedTensorType>(context.tensor(element, joined));
  results.push_back(code ? Type(CodeType::get(context.context, code.getCount(), tensor)) : tensor);
  return success();
}
LogicalResult ConcatOp::evaluate(Evaluation &evaluation) {
  Array result(evaluation.shapeOf(getResult()));
  int64_t axis = *normalizeAxis(getAxis(), result.rank()), start = 0;
  for (unsigned i = 0; i < getParts().size(); ++i) {
    const Array &part = evaluation.in(i);
    forEach(part.shape, [&](ArrayRef<int64_t> index) {
      SmallVector<int64_t> to(index);
      to[axis] += start;
      result(to) = part.at(index);
    });
    start += part.shape[axis];
  }
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult ConcatOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula g(b, cotangents[0]);
  int64_t axis = *normalizeAxis(getAxis(), g.rank());
  Dim start;
  for (Value part : getParts()) {
    Dim size = dimsOf(part)[axis];
    gradients.push_back(slice(g, axis, start, size).value);
    start = start + size;
  }
  return success();
}
Layout ConcatOp::place(unsigned part, const Layout &result) {
  int64_t axis = *normalizeAxis(getAxis(), result.sizes.size());
  Dim start;
  for (Value before : getParts().take_front(part))
    start = start + dimsOf(before)[axis];
  return partOf(result, axis, start, dimsOf(getParts()[part])[axis]);
}
bool ConcatOp::isCovered() { return true; }

//===-- embedding ------------------------------------------------------------------------------------------------------------===//

LogicalResult EmbeddingOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims table = dimsOf(op.getTable()), dims = dimsOf(op.getIds());
  if (failed(context.requireFloat(op.getTable(), "a table")) || failed(context.requireInteger(op.getIds(), "ids")))
    return failure();
  if (table.size() != 2)
    return context.error("expects a table of shape [rows, width], but got " + text(table));
  dims.push_back(table[1]);
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}
LogicalResult EmbeddingOp::evaluate(Evaluation &evaluation) {
  const Array &table = evaluation.in(0), &ids = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  int64_t rows = table.shape[0], width = table.shape[1];
  for (int64_t i = 0; i < ids.size(); ++i) {
    int64_t row = std::min(std::max<int64_t>(int64_t(ids.data[i]), 0), rows - 1);
    std::copy_n(table.data.begin() + row * width, width, result.data.begin() + i * width);
  }
  evaluation.out() = std::move(result);
  return success();
}
/// Whether ids are rows of the table without a clamp: arguments are refused at the call, and a code is below its count.
static bool areRows(Value ids) {
  while (auto view = ids.getDefiningOp<View>())
    ids = view->getOperand(0);
  return isa<BlockArgument>(ids) || ids.getDefiningOp<IdsOp>();
}
/// Every row of the table gets the cotangents of the places that read it: a sum by index, clamped as in the value.
LogicalResult EmbeddingOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Dims table = dimsOf(getTable()), slots = {product(dimsOf(getIds())), Dim::constant(1)};
  Formula g = reshape(Formula(b, cotangents[0]), {slots[0], table[1]}), ids = reshape(Formula(b, getIds()), slots);
  if (!areRows(getIds()))
    ids = toInt(minimum(maximum(toFloat(ids), Formula(b, 0.0)), sizeAsNumber(Formula(b, getTable()), table[0]) - 1.0));
  Formula ones = broadcastTo(Formula(b, 1.0), slots);
  gradients.push_back(SegmentOuterOp::create(b, ones.value, ids.value, g.value, Value(), table[0].str()));
  gradients.push_back(Value());
  return success();
}
Value EmbeddingOp::positions() { return getIds(); }
std::optional<int64_t> EmbeddingOp::positionBound() { return dimsOf(getTable())[0].asConstant(); }
StringRef EmbeddingOp::skeleton() { return "gather"; }
Dim EmbeddingOp::operations() { return Dim(); }

//===-- gather_rows ----------------------------------------------------------------------------------------------------------===//

LogicalResult GatherRowsOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), indices = dimsOf(op.getIndices());
  if (failed(context.requireFloat(op.getX(), "rows")) || failed(context.requireInteger(op.getIndices(), "indices")))
    return failure();
  if (x.size() < 2 || indices.size() + 1 != x.size() || ArrayRef<Dim>(x).drop_back(2) != ArrayRef<Dim>(indices).drop_back())
    return context.error("expects indices with the leading axes of " + text(x) + " and one axis more, but got " + text(indices));
  x[x.size() - 2] = indices.back();
  results.push_back(context.tensor(context.f32(), x));
  return success();
}
LogicalResult GatherRowsOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &indices = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  int64_t width = x.shape.back(), count = x.shape[x.rank() - 2], k = indices.shape.back();
  for (int64_t i = 0; i < indices.size(); ++i) {
    int64_t row = std::min(std::max<int64_t>(int64_t(indices.data[i]), 0), count - 1) + i / k * count;
    std::copy_n(x.data.begin() + row * width, width, result.data.begin() + i * width);
  }
  evaluation.out() = std::move(result);
  return success();
}
/// One table of all rows; the rows of entry i begin at i * T. Positions are exact in f32 below 2^24.
LogicalResult GatherRowsOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX()), indices(b, getIndices());
  Dims dims = x.dims();
  Dim outer = product(ArrayRef<Dim>(dims).drop_back(2)), count = dims[dims.size() - 2];
  Dims flat = {outer, indices.dims().back()};
  Formula last = sizeAsNumber(x, count) - 1.0;
  Formula inside = minimum(maximum(toFloat(reshape(indices, flat)), Formula(b, 0.0)), last);
  Formula ids = toInt(inside + iota(b, {outer, Dim::constant(1)}, 0) * sizeAsNumber(x, count));
  Value rows = EmbeddingOp::create(b, reshape(x, {outer * count, dims.back()}).value, ids.value);
  results.push_back(reshape(Formula(b, rows), dimsOf(getResult())).value);
  return success();
}
