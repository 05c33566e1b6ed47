// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elements at regular places: strided, its adjoint spread, and overlapping windows.
#include "dialects/Nacre/IR/Ops/Convolution.h"

using namespace nacre;
using namespace mlir;

Formula nacre::strided(Formula x, ArrayRef<int64_t> start, ArrayRef<int64_t> step, ArrayRef<Dim> dims) {
  return Formula(*x.b, StridedOp::create(*x.b, x.value, start, step, dimsAttr(x.b->getContext(), dims)));
}
Formula nacre::spread(Formula x, ArrayRef<int64_t> start, ArrayRef<int64_t> step, ArrayRef<Dim> dims) {
  return Formula(*x.b, SpreadOp::create(*x.b, x.value, start, step, dimsAttr(x.b->getContext(), dims)));
}

//===-- windows of axes ------------------------------------------------------------------------------------------------------===//

std::optional<Dim> nacre::windowCount(const Dim &length, int64_t reach, int64_t stride) {
  auto constant = length.getTerms().find({});
  int64_t number = constant == length.getTerms().end() ? 0 : constant->second;
  int64_t atOne = 0; // the length when every name is 1
  for (auto &[names, coefficient] : length.getTerms())
    atOne += coefficient;
  std::optional<Dim> varying = (length - Dim::constant(number)).dividedBy(stride);
  if (!varying || atOne < reach + 1)
    return std::nullopt;
  int64_t rest = number - reach - 1, quotient = rest / stride;
  if (rest % stride < 0)
    --quotient; // towards minus infinity
  return *varying + Dim::constant(quotient + 1);
}

static FailureOr<SmallVector<int64_t, 3>> perAxis(const InferContext &context, ArrayRef<int64_t> list, size_t rank, int64_t otherwise,
                                                  StringRef what) {
  for (int64_t entry : list)
    if (entry < 1)
      return context.error("expects " + what + " of at least 1, but got " + Twine(entry));
  if (list.empty())
    return SmallVector<int64_t, 3>(rank, otherwise);
  if (list.size() == 1)
    return SmallVector<int64_t, 3>(rank, list[0]);
  if (list.size() != rank)
    return context.error("expects " + what + " of one entry or " + Twine(rank) + ", but got " + Twine(list.size()));
  return SmallVector<int64_t, 3>(list);
}

static LogicalResult setPadding(const InferContext &context, Window &window, ArrayRef<int64_t> list) {
  size_t rank = window.rank();
  if (list.size() > 1 && list.size() != rank && list.size() != 2 * rank)
    return context.error("expects padding of one entry, " + Twine(rank) + " or " + Twine(2 * rank) + ", but got " + Twine(list.size()));
  for (int64_t entry : list)
    if (entry < 0)
      return context.error("expects padding of at least 0, but got " + Twine(entry));
  for (size_t axis = 0; axis < rank; ++axis) {
    bool both = list.size() == 2 * rank;
    window.low.push_back(list.empty() ? 0 : both ? list[2 * axis] : list[list.size() == 1 ? 0 : axis]);
    window.high.push_back(both ? list[2 * axis + 1] : window.low[axis]);
  }
  return success();
}

/// Zeros such that there are ceil(size / stride) windows; one more after than before when they are odd.
static LogicalResult setSamePadding(const InferContext &context, Window &window, ArrayRef<Dim> sizes) {
  for (auto [axis, size] : llvm::enumerate(sizes)) {
    std::optional<Dim> count = windowCount(size, 0, window.stride[axis]);
    Dim total = count ? (*count - Dim::constant(1)) * Dim::constant(window.stride[axis]) + Dim::constant(window.reach(axis) + 1) - size : Dim();
    if (!count || !total.asConstant())
      return context.error("with same = true expects an axis that the stride " + Twine(window.stride[axis]) + " divides, but got " + size.str());
    int64_t zeros = std::max<int64_t>(*total.asConstant(), 0);
    window.low.push_back(zeros / 2);
    window.high.push_back(zeros - zeros / 2);
  }
  return success();
}

FailureOr<Window> nacre::windowOf(const InferContext &context, ArrayRef<Dim> sizes, ArrayRef<int64_t> kernel, ArrayRef<int64_t> stride,
                                  ArrayRef<int64_t> padding, ArrayRef<int64_t> dilation, bool same) {
  Window window;
  auto kernels = perAxis(context, kernel, sizes.size(), 1, "a kernel");
  auto strides = perAxis(context, stride, sizes.size(), 1, "a stride");
  auto dilations = perAxis(context, dilation, sizes.size(), 1, "a dilation");
  if (failed(kernels) || failed(strides) || failed(dilations))
    return failure();
  window.kernel = *kernels;
  window.stride = *strides;
  window.dilation = *dilations;
  if (same && !padding.empty())
    return context.error("expects padding or same = true, but got both");
  if (failed(same ? setSamePadding(context, window, sizes) : setPadding(context, window, padding)))
    return failure();
  for (auto [axis, size] : llvm::enumerate(sizes)) {
    Dim length = size + Dim::constant(window.low[axis] + window.high[axis]);
    std::optional<Dim> count = windowCount(length, window.reach(axis), window.stride[axis]);
    if (!count)
      return context.error("expects axes that hold a window of " + Twine(window.reach(axis) + 1) + " at stride " + Twine(window.stride[axis]) +
                           " for every size, but got " + length.str() + " with its padding");
    window.counts.push_back(*count);
  }
  return window;
}

void nacre::forEachTap(ArrayRef<int64_t> kernel, llvm::function_ref<void(ArrayRef<int64_t>)> body) { forEach(kernel, body); }

//===-- strided, spread ------------------------------------------------------------------------------------------------------===//

/// Whether places start + step * i, i below `count`, lie inside an axis; sizes that only a call knows are taken as right.
static LogicalResult checkPlaces(InferContext &context, const Dim &count, const Dim &axis, int64_t start, int64_t step) {
  std::optional<int64_t> last = count.asConstant(), size = axis.asConstant();
  if (last)
    last = start + (*last - 1) * step;
  if (step == 0 || start < 0 || (size && start >= *size) || (last && (*last < 0 || (size && *last >= *size))))
    return context.error("expects places inside an axis of " + axis.str() + ", but got " + count.str() + " from " + Twine(start) + " by " +
                         Twine(step));
  return success();
}

template <typename Adaptor>
static LogicalResult inferPlaces(InferContext &context, Adaptor op, bool spreads, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), dims = dimsFrom(op.getShape());
  if (dims.size() != x.size() || op.getStart().size() != x.size() || op.getStep().size() != x.size())
    return context.error("expects a start, a step and a size for each of " + Twine(x.size()) + " axes");
  for (size_t axis = 0; axis < x.size(); ++axis)
    if (failed(checkPlaces(context, spreads ? x[axis] : dims[axis], spreads ? dims[axis] : x[axis], op.getStart()[axis], op.getStep()[axis])))
      return failure();
  results.push_back(context.tensor(plainType(op.getX()).getElementType(), dims));
  return success();
}

static SmallVector<int64_t> placeOf(ArrayRef<int64_t> index, ArrayRef<int64_t> start, ArrayRef<int64_t> step) {
  SmallVector<int64_t> place(index);
  for (size_t axis = 0; axis < place.size(); ++axis)
    place[axis] = start[axis] + step[axis] * index[axis];
  return place;
}

static Layout layoutAt(const Layout &whole, ArrayRef<int64_t> start, ArrayRef<int64_t> step, ArrayRef<Dim> dims) {
  Layout part = {whole.offset, Dims(dims.begin(), dims.end()), {}};
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    part.offset = part.offset + whole.strides[axis] * Dim::constant(start[axis]);
    part.strides.push_back(whole.strides[axis] * Dim::constant(step[axis]));
  }
  return part;
}

LogicalResult StridedOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferPlaces(context, op, false, results);
}
LogicalResult StridedOp::evaluate(Evaluation &evaluation) {
  Array result(evaluation.shapeOf(getResult()));
  forEach(result.shape, [&](ArrayRef<int64_t> index) { result(index) = evaluation.in(0).at(placeOf(index, getStart(), getStep())); });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult StridedOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  gradients.push_back(spread(broadcastTo(Formula(b, cotangents[0]), dimsOf(getResult())), getStart(), getStep(), dimsOf(getX())).value);
  return success();
}
FailureOr<Layout> StridedOp::view(const Layout &source) { return layoutAt(source, getStart(), getStep(), dimsFrom(getShape())); }

LogicalResult SpreadOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferPlaces(context, op, true, results);
}
LogicalResult SpreadOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  Array result(evaluation.shapeOf(getResult()));
  forEach(x.shape, [&](ArrayRef<int64_t> index) { result(placeOf(index, getStart(), getStep())) = x.at(index); });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult SpreadOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  gradients.push_back(strided(broadcastTo(Formula(b, cotangents[0]), dimsOf(getResult())), getStart(), getStep(), dimsOf(getX())).value);
  return success();
}
Layout SpreadOp::place(unsigned, const Layout &result) { return layoutAt(result, getStart(), getStep(), dimsOf(getX())); }
bool SpreadOp::isCovered() {
  return dimsOf(getX()) == dimsOf(getResult()) && llvm::all_of(getStep(), [](int64_t step) { return step == 1; });
}

//===-- windows --------------------------------------------------------------------------------------------------------------===//

LogicalResult WindowsOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  FailureOr<int64_t> axis = context.axis(op.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  FailureOr<Window> window = windowOf(context, {dims[*axis]}, {int64_t(op.getSize())}, {int64_t(op.getStride())}, {}, {int64_t(op.getDilation())}, false);
  if (failed(window))
    return failure();
  dims[*axis] = window->counts[0];
  dims.insert(dims.begin() + *axis + 1, Dim::constant(op.getSize()));
  results.push_back(context.tensor(plainType(op.getX()).getElementType(), dims));
  return success();
}
LogicalResult WindowsOp::evaluate(Evaluation &evaluation) {
  int64_t axis = *normalizeAxis(getAxis(), plainType(getX()).getRank());
  Array result(evaluation.shapeOf(getResult()));
  forEach(result.shape, [&](ArrayRef<int64_t> index) {
    SmallVector<int64_t> place(index);
    place[axis] = index[axis] * int64_t(getStride()) + index[axis + 1] * int64_t(getDilation());
    place.erase(place.begin() + axis + 1);
    result(index) = evaluation.in(0).at(place);
  });
  evaluation.out() = std::move(result);
  return success();
}
/// Element k of every window goes back to every stride-th place from k * dilation on.
LogicalResult WindowsOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula g = broadcastTo(Formula(b, cotangents[0]), dimsOf(getResult()));
  Dims dims = dimsOf(getX());
  int64_t axis = *normalizeAxis(getAxis(), dims.size());
  SmallVector<int64_t> start(dims.size(), 0), step(dims.size(), 1);
  step[axis] = getStride();
  std::optional<Formula> sum;
  for (int64_t k = 0; k < int64_t(getSize()); ++k) {
    start[axis] = k * int64_t(getDilation());
    Formula part = spread(dropAxis(slice(g, axis + 1, Dim::constant(k), Dim::constant(1)), axis + 1), start, step, dims);
    sum = sum ? *sum + part : part;
  }
  gradients.push_back(sum->value);
  return success();
}
FailureOr<Layout> WindowsOp::view(const Layout &source) {
  Dims dims = dimsOf(getResult());
  int64_t axis = *normalizeAxis(getAxis(), source.sizes.size());
  Layout result = source;
  result.sizes[axis] = dims[axis];
  result.sizes.insert(result.sizes.begin() + axis + 1, dims[axis + 1]);
  result.strides.insert(result.strides.begin() + axis + 1, source.strides[axis] * Dim::constant(getDilation()));
  result.strides[axis] = source.strides[axis] * Dim::constant(getStride());
  return result;
}
