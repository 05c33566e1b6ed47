// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pooling as element-wise work over shifted views of the input; resampling as products with interpolation weights.
#include "dialects/Nacre/IR/Ops/Convolution.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <limits>

using namespace nacre;
using namespace mlir;

//===-- windows of a pool ----------------------------------------------------------------------------------------------------===//

template <typename Op>
static FailureOr<Window> poolWindow(const InferContext &context, Op op) {
  Dims x = dimsOf(op.getX());
  ArrayRef<int64_t> stride = op.getStride().empty() ? op.getKernel() : op.getStride();
  return windowOf(context, ArrayRef<Dim>(x).drop_front(2), op.getKernel(), stride, op.getPadding(), {}, false);
}

template <typename Adaptor>
static LogicalResult inferPool(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX());
  if (failed(context.requireFloat(op.getX(), "an input")))
    return failure();
  if (x.size() < 3 || x.size() > 5)
    return context.error("expects an input of shape [B, C, S..] with one to three spatial axes, but got " + text(x));
  if (op.getKernel().empty())
    return context.error("expects a kernel");
  FailureOr<Window> window = poolWindow(context, op);
  if (failed(window))
    return failure();
  for (size_t axis = 0; axis < window->rank(); ++axis)
    if (std::max(window->low[axis], window->high[axis]) >= window->kernel[axis])
      return context.error("expects padding below the kernel " + Twine(window->kernel[axis]) + ", but got " +
                           Twine(std::max(window->low[axis], window->high[axis])));
  x.truncate(2);
  llvm::append_range(x, window->counts);
  results.push_back(context.tensor(context.f32(), x));
  return success();
}

template <typename Op>
static Window windowOfPool(Op op) {
  return *poolWindow(InferContext(op.getContext(), op.getLoc(), "pool"), op);
}

static LogicalResult evaluatePool(Evaluation &evaluation, const Window &window, Value result, double start, double (*step)(double, double)) {
  const Array &x = evaluation.in(0);
  Array pooled(evaluation.shapeOf(result), start);
  forEach(pooled.shape, [&](ArrayRef<int64_t> place) {
    forEachTap(window.kernel, [&](ArrayRef<int64_t> k) {
      SmallVector<int64_t> from(place);
      bool inside = true;
      for (size_t axis = 0; axis < k.size(); ++axis) {
        from[2 + axis] = place[2 + axis] * window.stride[axis] + k[axis] - window.low[axis];
        inside &= from[2 + axis] >= 0 && from[2 + axis] < x.shape[2 + axis];
      }
      if (inside)
        pooled(place) = step(pooled(place), x.at(from));
    });
  });
  evaluation.out() = std::move(pooled);
  return success();
}

static SmallVector<int64_t> spatial(size_t rank, int64_t otherwise, ArrayRef<int64_t> entries) {
  SmallVector<int64_t> all(rank, otherwise);
  llvm::copy(entries, all.begin() + 2);
  return all;
}

static bool hasPadding(const Window &window) {
  return llvm::any_of(window.low, [](int64_t zeros) { return zeros > 0; }) || llvm::any_of(window.high, [](int64_t zeros) { return zeros > 0; });
}

/// x with its padding, zeros.
static Formula withPadding(Formula x, const Window &window) {
  if (!hasPadding(window))
    return x;
  Dims dims = x.dims();
  for (size_t axis = 0; axis < window.rank(); ++axis)
    dims[2 + axis] = dims[2 + axis] + Dim::constant(window.low[axis] + window.high[axis]);
  return spread(x, spatial(x.rank(), 0, window.low), spatial(x.rank(), 1, {}), dims);
}

/// What every window reads at place `k` of a padded value.
static Formula tapOf(Formula x, const Window &window, ArrayRef<int64_t> k) {
  Dims dims = x.dims();
  for (size_t axis = 0; axis < k.size(); ++axis)
    dims[2 + axis] = window.counts[axis];
  return strided(x, spatial(x.rank(), 0, k), spatial(x.rank(), 1, window.stride), dims);
}

//===-- backwards ------------------------------------------------------------------------------------------------------------===//

/// Values of the results at the places where their windows begin, with `reach` zeros before: an input element j sees the windows that
/// hold it at places [j, j + reach].
static Formula atWindows(Formula g, const Window &window, ArrayRef<Dim> sizes) {
  Dims dims = g.dims();
  SmallVector<int64_t, 3> start;
  for (size_t axis = 0; axis < window.rank(); ++axis) {
    start.push_back(window.reach(axis));
    dims[2 + axis] = sizes[axis] + Dim::constant(window.low[axis] + window.reach(axis) + window.high[axis]);
  }
  return spread(g, spatial(g.rank(), 0, start), spatial(g.rank(), 1, window.stride), dims);
}

/// The value of the window that holds input element j at its place reach - k, for every j.
static Formula windowHolding(Formula far, const Window &window, ArrayRef<int64_t> k, ArrayRef<Dim> sizes) {
  Dims dims = far.dims();
  SmallVector<int64_t, 3> start;
  for (size_t axis = 0; axis < window.rank(); ++axis) {
    start.push_back(window.low[axis] + k[axis]);
    dims[2 + axis] = sizes[axis];
  }
  return strided(far, spatial(far.rank(), 0, start), spatial(far.rank(), 1, {}), dims);
}

//===-- avg_pool, max_pool ---------------------------------------------------------------------------------------------------===//

static double elements(const Window &window) {
  double count = 1;
  for (int64_t size : window.kernel)
    count *= double(size);
  return count;
}

LogicalResult AvgPoolOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) { return inferPool(context, op, results); }
LogicalResult AvgPoolOp::evaluate(Evaluation &evaluation) {
  Window window = windowOfPool(*this);
  if (failed(evaluatePool(evaluation, window, getResult(), 0, [](double a, double b) { return a + b; })))
    return failure();
  for (double &sum : evaluation.out().data)
    sum /= elements(window);
  return success();
}
LogicalResult AvgPoolOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Window window = windowOfPool(*this);
  Formula x = withPadding(Formula(b, getX()), window);
  std::optional<Formula> sum;
  forEachTap(window.kernel, [&](ArrayRef<int64_t> k) { sum = sum ? *sum + tapOf(x, window, k) : tapOf(x, window, k); });
  results.push_back((*sum * (1 / elements(window))).value);
  return success();
}
LogicalResult AvgPoolOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Window window = windowOfPool(*this);
  Dims x = dimsOf(getX());
  ArrayRef<Dim> sizes = ArrayRef<Dim>(x).drop_front(2);
  Formula far = atWindows(broadcastTo(Formula(b, cotangents[0]), dimsOf(getResult())), window, sizes);
  std::optional<Formula> sum;
  forEachTap(window.kernel, [&](ArrayRef<int64_t> k) {
    Formula part = windowHolding(far, window, k, sizes);
    sum = sum ? *sum + part : part;
  });
  gradients.push_back((*sum * (1 / elements(window))).value);
  return success();
}

static const double kNegativeInfinity = -std::numeric_limits<double>::infinity();

/// Padded x with -inf in the padding.
static Formula withoutPadding(Formula x, const Window &window, ArrayRef<Dim> sizes) {
  if (!hasPadding(window))
    return x;
  Formula wide = withPadding(x, window);
  for (size_t axis = 0; axis < window.rank(); ++axis) {
    Formula place = iota(*x.b, wide.dims(), 2 + axis), bottom(*x.b, kNegativeInfinity);
    wide = select(place > window.low[axis] - 0.5, wide, bottom);
    wide = select(place < sizeAsNumber(x, sizes[axis]) + double(window.low[axis]), wide, bottom);
  }
  return wide;
}

LogicalResult MaxPoolOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) { return inferPool(context, op, results); }
LogicalResult MaxPoolOp::evaluate(Evaluation &evaluation) {
  return evaluatePool(evaluation, windowOfPool(*this), getResult(), kNegativeInfinity, [](double a, double b) { return std::fmax(a, b); });
}
LogicalResult MaxPoolOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Window window = windowOfPool(*this);
  Dims x = dimsOf(getX());
  Formula wide = withoutPadding(Formula(b, getX()), window, ArrayRef<Dim>(x).drop_front(2));
  std::optional<Formula> top;
  forEachTap(window.kernel, [&](ArrayRef<int64_t> k) { top = top ? maximum(*top, tapOf(wide, window, k)) : tapOf(wide, window, k); });
  results.push_back(top->value);
  return success();
}
LogicalResult MaxPoolOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Window window = windowOfPool(*this);
  Formula x(b, getX());
  Dims dims = x.dims();
  ArrayRef<Dim> sizes = ArrayRef<Dim>(dims).drop_front(2);
  Formula g = atWindows(broadcastTo(Formula(b, cotangents[0]), dimsOf(getResult())), window, sizes);
  Formula y = atWindows(Formula(b, getResult()), window, sizes);
  // Where no window begins the spread cotangent is 0, so that a 0 of x adds nothing.
  Formula sum(b, 0.0);
  forEachTap(window.kernel, [&](ArrayRef<int64_t> k) {
    sum = multiplyAdd(toFloat(x == windowHolding(y, window, k, sizes)), windowHolding(g, window, k, sizes), sum);
  });
  gradients.push_back(sum.value);
  return success();
}

//===-- resize_bilinear ------------------------------------------------------------------------------------------------------===//

template <typename Op>
static FailureOr<Dims> resizedShape(const InferContext &context, Op op) {
  Dims dims = dimsOf(op.getX());
  if (dims.size() != 4)
    return context.error("expects an input of shape [B, C, H, W], but got " + text(dims));
  bool bySize = !op.getSize().empty();
  if (bySize == (op.getScale() != 0))
    return context.error("expects a scale or a size");
  if (bySize && op.getSize().size() != 2)
    return context.error("expects a size of two entries, but got " + Twine(op.getSize().size()));
  for (size_t axis = 2; axis < 4; ++axis) {
    int64_t number = bySize ? op.getSize()[axis - 2] : op.getScale();
    if (number < 1)
      return context.error("expects a scale or size of at least 1, but got " + Twine(number));
    dims[axis] = bySize ? Dim::constant(number) : dims[axis] * Dim::constant(number);
  }
  return dims;
}

LogicalResult ResizeBilinearOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  FailureOr<Dims> dims = resizedShape(context, op);
  if (failed(dims) || failed(context.requireFloat(op.getX(), "an input")))
    return failure();
  results.push_back(context.tensor(context.f32(), *dims));
  return success();
}

namespace {
/// Between which two elements a place lies, and how much of the second it takes.
struct Between {
  int64_t low, high;
  double share;
};
} // namespace

static Between placeIn(int64_t i, int64_t from, int64_t to) {
  double place = std::fmin(std::fmax((double(i) + 0.5) * double(from) / double(to) - 0.5, 0), double(from - 1));
  auto low = int64_t(place);
  return {low, std::min(low + 1, from - 1), place - double(low)};
}

LogicalResult ResizeBilinearOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  Array result(evaluation.shapeOf(getResult()));
  forEach(result.shape, [&](ArrayRef<int64_t> index) {
    Between row = placeIn(index[2], x.shape[2], result.shape[2]), column = placeIn(index[3], x.shape[3], result.shape[3]);
    auto at = [&](int64_t i, int64_t j) { return x.at({index[0], index[1], i, j}); };
    result(index) = (1 - row.share) * ((1 - column.share) * at(row.low, column.low) + column.share * at(row.low, column.high)) +
                    row.share * ((1 - column.share) * at(row.high, column.low) + column.share * at(row.high, column.high));
  });
  evaluation.out() = std::move(result);
  return success();
}

/// [to, from]: the weight of element j in result i falls from 1 to 0 over one place.
static Formula interpolation(ImplicitLocOpBuilder &b, const Dim &from, const Dim &to) {
  Formula i = iota(b, {to, from}, 0), j = iota(b, {to, from}, 1), zero(b, 0.0);
  Formula size = sizeAsNumber(zero, from);
  Formula place = (i + 0.5) * (size / sizeAsNumber(zero, to)) - 0.5;
  return maximum(1.0 - abs(minimum(maximum(place, zero), size - 1.0) - j), zero);
}

LogicalResult ResizeBilinearOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  Dims from = x.dims(), to = dimsOf(getResult());
  Formula wide = matmul(x, transposed(interpolation(b, from[3], to[3])));
  results.push_back(matmul(interpolation(b, from[2], to[2]), wide).value);
  return success();
}

//===-- pixel_shuffle --------------------------------------------------------------------------------------------------------===//

LogicalResult PixelShuffleOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  int64_t factor = op.getFactor();
  if (dims.size() != 4)
    return context.error("expects an input of shape [B, C, H, W], but got " + text(dims));
  if (factor < 1 || !dims[1].dividedBy(factor * factor))
    return context.error("expects channels that the square of the factor divides, but got " + dims[1].str() + " and " + Twine(factor));
  Dim f = Dim::constant(factor);
  results.push_back(context.tensor(plainType(op.getX()).getElementType(), {dims[0], *dims[1].dividedBy(factor * factor), dims[2] * f, dims[3] * f}));
  return success();
}
LogicalResult PixelShuffleOp::evaluate(Evaluation &evaluation) {
  Array result(evaluation.shapeOf(getResult()));
  int64_t f = getFactor();
  forEach(result.shape, [&](ArrayRef<int64_t> at) {
    result(at) = evaluation.in(0).at({at[0], at[1] * f * f + at[2] % f * f + at[3] % f, at[2] / f, at[3] / f});
  });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult PixelShuffleOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX());
  Dims from = x.dims(), to = dimsOf(getResult());
  Dim f = Dim::constant(getFactor());
  Formula blocks = reshape(x, {from[0], to[1], f, f, from[2], from[3]});
  results.push_back(reshape(permute(blocks, {0, 1, 4, 2, 5, 3}), to).value);
  return success();
}
