// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolution as a few products. With channels last, the windows of the last spatial axis overlap in memory, so that their elements and
// channels are one axis of stride 1: one product for every place of the other window axes, each adding to the one before, and no window
// is ever copied. Dilated windows of the last axis take a product for every place. Depthwise convolution is element-wise work.
#include "dialects/Nacre/IR/Ops/Convolution.h"

#include "dialects/Nacre/IR/Ops/Elementwise.h"

#include "llvm/ADT/STLExtras.h"

using namespace nacre;
using namespace mlir;

Formula nacre::multiplyAdd(Formula a, Formula b, Formula c) { return Formula(*a.b, MultiplyAddOp::create(*a.b, a.value, b.value, c.value)); }

//===-- shape and reference --------------------------------------------------------------------------------------------------===//

template <typename Op>
static FailureOr<Window> convWindow(const InferContext &context, Op op) {
  Dims x = dimsOf(op.getX()), w = dimsOf(op.getW());
  SmallVector<int64_t> kernel;
  for (const Dim &size : ArrayRef<Dim>(w).drop_front(2))
    kernel.push_back(size.asConstant().value_or(0));
  return windowOf(context, ArrayRef<Dim>(x).drop_front(2), kernel, op.getStride(), op.getPadding(), op.getDilation(), op.getSame());
}

LogicalResult ConvOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getX(), "an input")) || failed(context.requireFloat(op.getW(), "weights")))
    return failure();
  Dims x = dimsOf(op.getX()), w = dimsOf(op.getW());
  if (x.size() < 3 || x.size() > 5)
    return context.error("expects an input of shape [B, C, S..] with one to three spatial axes, but got " + text(x));
  int64_t groups = op.getGroups();
  std::optional<int64_t> channels = x[1].asConstant();
  if (groups < 1 || !channels || *channels % groups != 0)
    return context.error("expects a number of groups that divides the " + x[1].str() + " channels, but got " + Twine(groups));
  if (w.size() != x.size() || w[1].asConstant() != *channels / groups)
    return context.error("expects weights of shape [_, " + Twine(*channels / groups) + ", K..] with " + Twine(int64_t(x.size()) - 2) +
                         " window axes, but got " + text(w));
  if (llvm::any_of(w, [](const Dim &size) { return !size.asConstant(); }) || *w[0].asConstant() % groups != 0)
    return context.error("expects a fixed number of filters that the groups divide, but got " + w[0].str());
  if (op.getB() && dimsOf(op.getB()) != Dims{w[0]})
    return context.error("expects a bias of shape [" + w[0].str() + "], but got " + text(dimsOf(op.getB())));
  FailureOr<Window> window = convWindow(context, op);
  if (failed(window))
    return failure();
  Dims result = {x[0], w[0]};
  llvm::append_range(result, window->counts);
  results.push_back(context.tensor(context.f32(), result));
  return success();
}

/// One element: the sum over its window.
static double windowSum(const Array &x, const Array &w, const Window &window, ArrayRef<int64_t> place, int64_t firstChannel) {
  double sum = 0;
  SmallVector<int64_t> from(x.rank()), tap(w.rank());
  from[0] = place[0];
  tap[0] = place[1];
  for (tap[1] = 0; tap[1] < w.shape[1]; ++tap[1])
    forEach(window.kernel, [&](ArrayRef<int64_t> k) {
      from[1] = firstChannel + tap[1];
      bool inside = true;
      for (size_t axis = 0; axis < k.size(); ++axis) {
        tap[2 + axis] = k[axis];
        from[2 + axis] = place[2 + axis] * window.stride[axis] + k[axis] * window.dilation[axis] - window.low[axis];
        inside &= from[2 + axis] >= 0 && from[2 + axis] < x.shape[2 + axis];
      }
      sum += inside ? x.at(from) * w.at(tap) : 0;
    });
  return sum;
}

LogicalResult ConvOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &w = evaluation.in(1), *bias = evaluation.in(getB());
  InferContext context(getContext(), getLoc(), "conv");
  FailureOr<Window> window = convWindow(context, *this);
  Array result(evaluation.shapeOf(getResult()));
  forEach(result.shape, [&](ArrayRef<int64_t> place) {
    int64_t group = place[1] / (w.shape[0] / int64_t(getGroups()));
    result(place) = windowSum(x, w, *window, place, group * w.shape[1]) + (bias ? bias->data[place[1]] : 0);
  });
  evaluation.out() = std::move(result);
  return success();
}

//===-- channels last --------------------------------------------------------------------------------------------------------===//

/// [B, C, S..] to [B, S.., C].
static Formula channelsLast(Formula x) {
  SmallVector<int64_t> order = {0};
  llvm::append_range(order, llvm::seq<int64_t>(2, x.rank()));
  order.push_back(1);
  return permute(x, order);
}
static Formula channelsSecond(Formula x) {
  SmallVector<int64_t> order = {0, x.rank() - 1};
  llvm::append_range(order, llvm::seq<int64_t>(1, x.rank() - 1));
  return permute(x, order);
}

/// x with a list for its spatial axes completed by entries for batch and channel; `first` is the first spatial axis.
static SmallVector<int64_t> around(int64_t rank, int64_t first, ArrayRef<int64_t> spatial, int64_t otherwise) {
  SmallVector<int64_t> all(rank, otherwise);
  for (size_t axis = 0; axis < spatial.size(); ++axis)
    all[first + axis] = spatial[axis];
  return all;
}

/// x with `low` and `high` zeros around its spatial axes, its elements `step` apart; copied in any case, so that it is row-major.
static Formula padded(Formula x, int64_t first, ArrayRef<int64_t> low, ArrayRef<int64_t> step, ArrayRef<Dim> sizes) {
  Dims dims = x.dims();
  for (size_t axis = 0; axis < sizes.size(); ++axis)
    dims[first + axis] = sizes[axis];
  return spread(x, around(x.rank(), first, low, 0), around(x.rank(), first, step, 1), dims);
}

static Dims paddedSizes(ArrayRef<Dim> sizes, const Window &window) {
  Dims result;
  for (size_t axis = 0; axis < sizes.size(); ++axis)
    result.push_back(sizes[axis] + Dim::constant(window.low[axis] + window.high[axis]));
  return result;
}

/// Elements of a padded value that every window reads at its place `k`, `offset` places further on.
static Formula tapOf(Formula x, int64_t first, const Window &window, ArrayRef<int64_t> k, ArrayRef<int64_t> offset) {
  SmallVector<int64_t> start;
  Dims dims = x.dims();
  for (size_t axis = 0; axis < k.size(); ++axis) {
    start.push_back(offset[axis] + k[axis] * window.dilation[axis]);
    dims[first + axis] = window.counts[axis];
  }
  return strided(x, around(x.rank(), first, start, 0), around(x.rank(), first, window.stride, 1), dims);
}

/// Whether the places of a window along its last axis and the channels are one axis of stride 1.
static bool isLastMerged(const Window &window) { return window.dilation.back() == 1 || window.kernel.back() == 1; }

/// The windows of every place `k` of the leading window axes as rows: [B, O.., K C], K places of the last window axis.
static Formula windowRows(Formula x, const Window &window, ArrayRef<int64_t> k, ArrayRef<int64_t> offset) {
  size_t last = window.rank() - 1;
  Dims dims = x.dims();
  SmallVector<int64_t> start(x.rank(), 0), step(x.rank(), 1);
  for (size_t axis = 0; axis < last; ++axis) {
    start[1 + axis] = offset[axis] + k[axis] * window.dilation[axis];
    step[1 + axis] = window.stride[axis];
    dims[1 + axis] = window.counts[axis];
  }
  start[1 + last] = offset[last];
  dims[1 + last] = (window.counts[last] - Dim::constant(1)) * Dim::constant(window.stride[last]) + Dim::constant(window.reach(last) + 1);
  Formula line = strided(x, start, step, dims);
  Formula rows(*x.b, WindowsOp::create(*x.b, line.value, window.kernel[last], window.stride[last], window.dilation[last], 1 + last));
  dims[1 + last] = window.counts[last];
  dims.back() = dims.back() * Dim::constant(window.kernel[last]);
  return reshape(rows, dims);
}

/// The places of a window that take a product of their own.
static ArrayRef<int64_t> productTaps(const Window &window) {
  return isLastMerged(window) ? ArrayRef<int64_t>(window.kernel).drop_back() : ArrayRef<int64_t>(window.kernel);
}

/// sum over k, c of x[b, offset + i * stride + k * dilation, c] * w[k, c, :] (+ bias), for x: [B, P.., C] and w: [K.., C, O].
static Formula correlate(Formula x, Formula w, const Window &window, ArrayRef<int64_t> offset, Value bias) {
  Dim filters = w.dims().back(), channels = x.dims().back();
  int64_t products = 1;
  for (int64_t size : productTaps(window))
    products *= size;
  Dim depth = channels * Dim::constant(isLastMerged(window) ? window.kernel.back() : 1);
  // One copy of the weights in the order in which the products read them.
  Formula ordered = reshape(w, {Dim::constant(products), depth, filters});
  std::optional<Formula> sum;
  if (bias)
    sum = Formula(*x.b, bias);
  int64_t next = 0;
  forEachTap(productTaps(window), [&](ArrayRef<int64_t> k) {
    Formula rows = isLastMerged(window) ? windowRows(x, window, k, offset) : tapOf(x, 1, window, k, offset);
    Formula product = matmul(rows, dropAxis(slice(ordered, 0, Dim::constant(next++), Dim::constant(1)), 0));
    sum = sum ? product + *sum : product;
  });
  return *sum;
}

/// [O, C, K..] to [K.., C, O], or with `flip` to [K.., O, C] with every window axis reversed.
static Formula windowFirst(Formula w, bool flip) {
  int64_t rank = w.rank();
  if (flip) {
    SmallVector<int64_t> start(rank, 0), step(rank, 1);
    for (int64_t axis = 2; axis < rank; ++axis) {
      start[axis] = *w.dims()[axis].asConstant() - 1;
      step[axis] = -1;
    }
    w = strided(w, start, step, w.dims());
  }
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(2, rank));
  order.append({flip ? 0 : 1, flip ? 1 : 0});
  return permute(w, order);
}

//===-- one group ------------------------------------------------------------------------------------------------------------===//

namespace {
/// The window that reads the cotangents of all results an input element has gone into, over cotangents spread by the stride.
struct Transposed {
  Window window;
  SmallVector<int64_t, 3> start, offset; ///< of the cotangents in their padded place; of the first window
  Dims sizes;                            ///< padded
};
} // namespace

/// x[j] went to result i by place k where i * stride + k * dilation = j + low. Windows with reversed places over spread cotangents.
static Transposed transposedWindow(const Window &window, ArrayRef<Dim> sizes) {
  Transposed result;
  result.window = window;
  result.window.counts.assign(sizes.begin(), sizes.end());
  for (size_t axis = 0; axis < window.rank(); ++axis) {
    int64_t reach = window.reach(axis), shared = std::min(reach, window.low[axis]);
    result.window.stride[axis] = 1;
    result.start.push_back(reach - shared);
    result.offset.push_back(window.low[axis] - shared);
    result.sizes.push_back(sizes[axis] + Dim::constant(window.low[axis] - shared + std::max(reach, window.high[axis])));
  }
  return result;
}

/// dx of one group: [B, S.., C] from g: [B, O.., F] and w: [F, C, K..].
static Formula inputGradient(Formula g, Formula w, const Window &window, ArrayRef<Dim> sizes) {
  Transposed back = transposedWindow(window, sizes);
  Formula far = padded(g, 1, back.start, window.stride, back.sizes);
  return correlate(far, windowFirst(w, true), back.window, back.offset, Value());
}

/// dw of one group: [F, C, K..] from padded x: [B, P.., C] and g: [B, O.., F].
///
/// With cotangents spread to the places of x where their windows begin, and both flattened to rows, a place of the window is a distance
/// between rows: dw[k] = sum over r of x[r + distance(k)] g[r]. So every place is one deep product of two overlapping parts.
static Formula weightGradient(Formula x, Formula g, const Window &window) {
  size_t rank = window.rank();
  Dims places = x.dims(), sizes(places.begin() + 1, places.end() - 1);
  Dim channels = places.back(), filters = g.dims().back();
  Dim total = product(ArrayRef<Dim>(places).drop_back());
  SmallVector<int64_t, 3> none(rank, 0);
  Formula rows = reshape(x, {total, channels}), far = reshape(padded(g, 1, none, window.stride, sizes), {total, filters});
  auto distance = [&](ArrayRef<int64_t> k) {
    Dim sum;
    for (size_t axis = 0; axis < rank; ++axis)
      sum = sum * sizes[axis] + Dim::constant(axis < k.size() ? k[axis] * window.dilation[axis] : 0);
    return sum;
  };
  SmallVector<int64_t> lastPlace;
  for (int64_t size : window.kernel)
    lastPlace.push_back(size - 1);
  Dim count = total - distance(lastPlace);
  int64_t wide = isLastMerged(window) ? window.kernel.back() : 1;
  Formula seen = slice(far, 0, Dim(), count);
  SmallVector<Value> parts;
  forEachTap(productTaps(window), [&](ArrayRef<int64_t> k) {
    Formula part = slice(rows, 0, distance(k), count + Dim::constant(wide - 1));
    if (wide > 1)
      part = reshape(Formula(*x.b, WindowsOp::create(*x.b, part.value, wide, 1, 1, 0)), {count, channels * Dim::constant(wide)});
    parts.push_back(matmul(transposed(part), seen).value);
  });
  Formula joined = parts.size() == 1 ? Formula(*x.b, parts[0]) : concat(*x.b, parts, 0);
  Dims dims;
  for (int64_t size : window.kernel)
    dims.push_back(Dim::constant(size));
  dims.append({channels, filters});
  SmallVector<int64_t> order = {int64_t(rank) + 1, int64_t(rank)};
  llvm::append_range(order, llvm::seq<int64_t>(0, rank));
  return permute(reshape(joined, dims), order);
}

//===-- depthwise ------------------------------------------------------------------------------------------------------------===//

/// The weight of every channel at place `k`, for w: [C, 1, K..], as [C, 1..].
static Formula channelWeight(Formula w, ArrayRef<int64_t> k) {
  Dims dims = {w.dims()[0]};
  dims.append(k.size(), Dim::constant(1));
  for (size_t axis = 0; axis < k.size(); ++axis)
    w = slice(w, 2 + axis, Dim::constant(k[axis]), Dim::constant(1));
  return reshape(w, dims);
}

/// The same sum as `correlate` for one filter a channel: x: [B, C, P..], w: [C, 1, K..]; `flip` reads the weights in reverse.
static Formula depthwise(Formula x, Formula w, const Window &window, ArrayRef<int64_t> offset, bool flip, Value bias) {
  Formula sum(*x.b, 0.0);
  if (bias) {
    Dims dims = {w.dims()[0]};
    dims.append(window.rank(), Dim::constant(1));
    sum = reshape(Formula(*x.b, bias), dims);
  }
  forEachTap(window.kernel, [&](ArrayRef<int64_t> k) {
    SmallVector<int64_t> read(k);
    for (size_t axis = 0; flip && axis < k.size(); ++axis)
      read[axis] = window.kernel[axis] - 1 - k[axis];
    sum = multiplyAdd(tapOf(x, 2, window, k, offset), channelWeight(w, read), sum);
  });
  return sum;
}

static Formula depthwiseWeightGradient(Formula x, Formula g, const Window &window, ArrayRef<Dim> shape) {
  SmallVector<int64_t, 3> none(window.rank(), 0);
  SmallVector<Value> parts; // for every place a number a line of results
  forEachTap(window.kernel, [&](ArrayRef<int64_t> k) { parts.push_back(reduceSum(tapOf(x, 2, window, k, none) * g, -1).value); });
  Formula lines = concat(*x.b, parts, -1);
  Dim places = lines.dims().back(), channels = lines.dims()[1];
  Dim count = product(ArrayRef<Dim>(lines.dims()).drop_front(2).drop_back());
  Formula images = reduceSum(reshape(lines, {lines.dims()[0], channels, count, places}), 2);
  return reshape(reduceSum(images, 0), shape);
}

//===-- conv -----------------------------------------------------------------------------------------------------------------===//

static bool isDepthwise(ConvOp op) {
  return int64_t(op.getGroups()) > 1 && dimsOf(op.getW())[1].isOne() && dimsOf(op.getW())[0].asConstant() == int64_t(op.getGroups());
}

static Formula part(Formula x, int64_t axis, int64_t index, int64_t groups) {
  int64_t size = *normalizeAxis(axis, x.rank()), wide = *x.dims()[size].asConstant() / groups;
  return slice(x, axis, Dim::constant(index * wide), Dim::constant(wide));
}

LogicalResult ConvOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  FailureOr<Window> window = convWindow(InferContext(getContext(), getLoc(), "conv"), *this);
  Formula x(b, getX()), w(b, getW());
  Dims sizes = paddedSizes(ArrayRef<Dim>(x.dims()).drop_front(2), *window);
  SmallVector<int64_t, 3> none(window->rank(), 0), one(window->rank(), 1);
  if (isDepthwise(*this)) {
    results.push_back(depthwise(padded(x, 2, window->low, one, sizes), w, *window, none, false, getB()).value);
    return success();
  }
  Formula wide = padded(channelsLast(x), 1, window->low, one, sizes);
  SmallVector<Value> parts;
  for (int64_t group = 0, groups = getGroups(); group < groups; ++group) {
    Value bias = getB() ? part(Formula(b, getB()), 0, group, groups).value : Value();
    parts.push_back(correlate(part(wide, -1, group, groups), windowFirst(part(w, 0, group, groups), false), *window, none, bias).value);
  }
  results.push_back(channelsSecond(parts.size() == 1 ? Formula(b, parts[0]) : concat(b, parts, -1)).value);
  return success();
}

/// Sums over batch and spatial axes: [O].
static Formula biasGradient(Formula g) {
  Dims dims = {g.dims()[0], g.dims()[1], product(ArrayRef<Dim>(g.dims()).drop_front(2))};
  return reshape(reduceSum(reduceSum(reshape(g, dims), 2), 0), {dims[1]});
}

LogicalResult ConvOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  FailureOr<Window> window = convWindow(InferContext(getContext(), getLoc(), "conv"), *this);
  Formula g = broadcastTo(Formula(b, cotangents[0]), dimsOf(getResult())), x(b, getX()), w(b, getW());
  Dims shape = x.dims(), sizes(shape.begin() + 2, shape.end()), wide = paddedSizes(sizes, *window);
  SmallVector<int64_t, 3> one(window->rank(), 1);
  if (isDepthwise(*this)) {
    Transposed back = transposedWindow(*window, sizes);
    gradients.push_back(depthwise(padded(g, 2, back.start, window->stride, back.sizes), w, back.window, back.offset, true, Value()).value);
    gradients.push_back(depthwiseWeightGradient(padded(x, 2, window->low, one, wide), g, *window, w.dims()).value);
  } else {
    SmallVector<Value> dx, dw;
    Formula lastG = channelsLast(g), lastX = channelsLast(x);
    for (int64_t group = 0, groups = getGroups(); group < groups; ++group) {
      Formula partG = part(lastG, -1, group, groups);
      dx.push_back(inputGradient(partG, part(w, 0, group, groups), *window, sizes).value);
      dw.push_back(weightGradient(padded(part(lastX, -1, group, groups), 1, window->low, one, wide), partG, *window).value);
    }
    gradients.push_back(channelsSecond(dx.size() == 1 ? Formula(b, dx[0]) : concat(b, dx, -1)).value);
    gradients.push_back((dw.size() == 1 ? Formula(b, dw[0]) : concat(b, dw, 0)).value);
  }
  if (getB())
    gradients.push_back(biasGradient(g).value);
  return success();
}

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Convolution.cpp.inc"
void NacreDialect::addConvolution() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Convolution.cpp.inc"
      >();
}
