// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Contraction.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Layout.h"
#include "dialects/Nacre/IR/Ops/Reduction.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace nacre {

ArrayAttr dimsAttr(MLIRContext *context, ArrayRef<Dim> dims) {
  SmallVector<Attribute> texts;
  for (const Dim &dim : dims)
    texts.push_back(StringAttr::get(context, dim.str()));
  return ArrayAttr::get(context, texts);
}

Dims dimsFrom(ArrayAttr attribute) {
  Dims dims;
  for (Attribute text : attribute)
    dims.push_back(Dim::parse(cast<StringAttr>(text).getValue()).value_or(Dim()));
  return dims;
}

Formula::Formula(ImplicitLocOpBuilder &builder, double number)
    : b(&builder), value(ConstantOp::create(builder, builder.getF64FloatAttr(number))) {}

template <typename Op>
static Formula binary(Formula x, Formula y) {
  return Formula(*x.b, Op::create(*x.b, x.value, y.value));
}
template <typename Op>
static Formula unary(Formula x) {
  return Formula(*x.b, Op::create(*x.b, x.value));
}

Formula operator+(Formula a, Formula b) { return binary<AddOp>(a, b); }
Formula operator-(Formula a, Formula b) { return binary<SubOp>(a, b); }
Formula operator*(Formula a, Formula b) { return binary<MulOp>(a, b); }
Formula operator/(Formula a, Formula b) { return binary<DivOp>(a, b); }
Formula operator-(Formula a) { return unary<NegOp>(a); }
Formula operator>(Formula a, double c) { return binary<GreaterOp>(a, Formula(*a.b, c)); }
Formula operator<(Formula a, Formula b) { return binary<LessOp>(a, b); }
Formula operator==(Formula a, Formula b) { return binary<EqualOp>(a, b); }
Formula exp(Formula x) { return unary<ExpOp>(x); }
Formula log(Formula x) { return unary<LogOp>(x); }
Formula sin(Formula x) { return unary<SinOp>(x); }
Formula cos(Formula x) { return unary<CosOp>(x); }
Formula tanh(Formula x) { return unary<TanhOp>(x); }
Formula erf(Formula x) { return unary<ErfOp>(x); }
Formula abs(Formula x) { return unary<AbsOp>(x); }
Formula sign(Formula x) { return unary<SignOp>(x); }
Formula sqrt(Formula x) { return unary<SqrtOp>(x); }
Formula rsqrt(Formula x) { return unary<RsqrtOp>(x); }
Formula square(Formula x) { return unary<SquareOp>(x); }
Formula sigmoid(Formula x) { return unary<SigmoidOp>(x); }
Formula softplus(Formula x) { return unary<SoftplusOp>(x); }
Formula maximum(Formula a, Formula b) { return binary<MaximumOp>(a, b); }
Formula minimum(Formula a, Formula b) { return binary<MinimumOp>(a, b); }
Formula stop(Formula x) { return unary<StopOp>(x); }
Formula toFloat(Formula x) { return unary<ToFloatOp>(x); }
Formula toInt(Formula x) { return unary<ToIntOp>(x); }
Formula matmul(Formula a, Formula b) { return binary<MatmulOp>(a, b); }

Formula select(Formula condition, Formula a, Formula b) {
  return Formula(*a.b, SelectOp::create(*a.b, condition.value, a.value, b.value));
}

Formula share(Formula a, Formula b) {
  Formula one(*a.b, 1.0), half(*a.b, 0.5), zero(*a.b, 0.0);
  return select(b < a, one, select(a == b, half, zero));
}

Formula geluTanhDerivative(Formula g, Formula x) {
  Formula inner = (x + x * x * x * 0.044715) * 0.79788456080286536;
  Formula t = tanh(inner);
  Formula slope = (1.0 + x * x * 0.134145) * 0.79788456080286536;
  return g * ((1.0 + t) * 0.5 + x * 0.5 * (1.0 - t * t) * slope);
}

Formula reduceSum(Formula x, int64_t axis) {
  return Formula(*x.b, ReduceSumOp::create(*x.b, x.value, *normalizeAxis(axis, x.rank())));
}
Formula reduceMax(Formula x, int64_t axis) {
  return Formula(*x.b, ReduceMaxOp::create(*x.b, x.value, *normalizeAxis(axis, x.rank())));
}

Formula sizeAsNumber(Formula like, const Dim &size) {
  if (std::optional<int64_t> value = size.asConstant())
    return Formula(*like.b, double(*value));
  return Formula(*like.b, SizeOp::create(*like.b, size.str()));
}

Formula iota(ImplicitLocOpBuilder &b, ArrayRef<Dim> dims, int64_t axis) {
  return Formula(b, IotaOp::create(b, dimsAttr(b.getContext(), dims), *normalizeAxis(axis, dims.size())));
}

Formula reshape(Formula x, ArrayRef<Dim> dims) {
  if (x.dims() == Dims(dims))
    return x;
  return Formula(*x.b, ReshapeOp::create(*x.b, x.value, dimsAttr(x.b->getContext(), dims)));
}

Formula permute(Formula x, ArrayRef<int64_t> order) { return Formula(*x.b, PermuteOp::create(*x.b, x.value, order)); }

Formula transposed(Formula x) {
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, x.rank()));
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return permute(x, order);
}

Formula slice(Formula x, int64_t axis, const Dim &start, const Dim &size) {
  axis = *normalizeAxis(axis, x.rank());
  if (start.isZero() && x.dims()[axis] == size)
    return x;
  return Formula(*x.b, SliceOp::create(*x.b, x.value, axis, start.str(), size.str()));
}

Formula broadcastTo(Formula x, ArrayRef<Dim> dims) {
  if (x.dims() == Dims(dims))
    return x;
  return Formula(*x.b, BroadcastOp::create(*x.b, x.value, dimsAttr(x.b->getContext(), dims)));
}

Formula concat(ImplicitLocOpBuilder &b, ArrayRef<Value> parts, int64_t axis) {
  return Formula(b, ConcatOp::create(b, parts, axis));
}

Formula dropAxis(Formula x, int64_t axis) {
  Dims dims = x.dims();
  dims.erase(dims.begin() + *normalizeAxis(axis, x.rank()));
  return reshape(x, dims);
}

Formula addAxis(Formula x, int64_t axis) {
  Dims dims = x.dims();
  dims.insert(dims.begin() + (axis < 0 ? axis + x.rank() + 1 : axis), Dim::constant(1));
  return reshape(x, dims);
}

Formula sumTo(Formula x, ArrayRef<Dim> dims) {
  if (size_t lead = x.rank() - std::min<size_t>(x.rank(), dims.size()); lead > 0) {
    // All leading axes at once: one pass over the rows instead of one an axis.
    Dims joined = {product(ArrayRef<Dim>(x.dims()).take_front(lead))};
    llvm::append_range(joined, ArrayRef<Dim>(x.dims()).drop_front(lead));
    x = dropAxis(reduceSum(reshape(x, joined), 0), 0);
  }
  for (int64_t axis = 0; axis < x.rank(); ++axis)
    if (dims[axis].isOne() && !x.dims()[axis].isOne())
      x = reduceSum(x, axis);
  return broadcastTo(x, dims); // a cotangent that is still a bare number takes the full shape
}

} // namespace nacre
