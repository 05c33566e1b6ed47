// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Formulas as C++ expressions: `Formula` builds dialect operators on tensors (derivatives, decompositions), `Scalar` builds
// arithmetic on scalars or vectors inside kernels. Both hold the builder, so that operators read like the formula.
#pragma once

#include "dialects/Nacre/IR/Operator.h"

namespace nacre {

/// A tensor (or nested) value in a formula.
struct Formula {
  mlir::ImplicitLocOpBuilder *b;
  mlir::Value value;

  Formula(mlir::ImplicitLocOpBuilder &builder, mlir::Value value) : b(&builder), value(value) {}
  /// A number; broadcast by whatever uses it.
  Formula(mlir::ImplicitLocOpBuilder &builder, double number);

  Dims dims() const { return dimsOf(value.getType()); }
  int64_t rank() const { return plainType(value).getRank(); }
};

Formula operator+(Formula a, Formula b);
Formula operator-(Formula a, Formula b);
Formula operator*(Formula a, Formula b);
Formula operator/(Formula a, Formula b);
Formula operator-(Formula a);
inline Formula operator+(Formula a, double c) { return a + Formula(*a.b, c); }
inline Formula operator*(Formula a, double c) { return a * Formula(*a.b, c); }
inline Formula operator-(Formula a, double c) { return a - Formula(*a.b, c); }
inline Formula operator/(Formula a, double c) { return a / Formula(*a.b, c); }
inline Formula operator+(double c, Formula a) { return Formula(*a.b, c) + a; }
inline Formula operator*(double c, Formula a) { return Formula(*a.b, c) * a; }
inline Formula operator-(double c, Formula a) { return Formula(*a.b, c) - a; }
inline Formula operator/(double c, Formula a) { return Formula(*a.b, c) / a; }
Formula operator>(Formula a, double c);
Formula operator<(Formula a, Formula b);
Formula operator==(Formula a, Formula b);

Formula exp(Formula x);
Formula log(Formula x);
Formula sin(Formula x);
Formula cos(Formula x);
Formula tanh(Formula x);
Formula erf(Formula x);
Formula abs(Formula x);
Formula sign(Formula x);
Formula sqrt(Formula x);
Formula rsqrt(Formula x);
Formula square(Formula x);
Formula sigmoid(Formula x);
Formula softplus(Formula x);
Formula maximum(Formula a, Formula b);
Formula minimum(Formula a, Formula b);
Formula stop(Formula x);
Formula select(Formula condition, Formula a, Formula b);
Formula toFloat(Formula x);
/// Towards zero.
Formula toInt(Formula x);
/// 1 where a > b, 1/2 where equal, else 0.
Formula share(Formula a, Formula b);
Formula geluTanhDerivative(Formula g, Formula x);

/// Along one axis, which stays with size 1.
Formula reduceSum(Formula x, int64_t axis);
Formula reduceMax(Formula x, int64_t axis);
/// A size as a number: exact up to 2^24. A symbolic size becomes a scalar of the call.
Formula sizeAsNumber(Formula like, const Dim &size);
/// The position along an axis in a tensor of the sizes `dims`.
Formula iota(mlir::ImplicitLocOpBuilder &b, llvm::ArrayRef<Dim> dims, int64_t axis);

Formula reshape(Formula x, llvm::ArrayRef<Dim> dims);
Formula permute(Formula x, llvm::ArrayRef<int64_t> order);
/// Exchanges the last two axes.
Formula transposed(Formula x);
Formula slice(Formula x, int64_t axis, const Dim &start, const Dim &size);
Formula broadcastTo(Formula x, llvm::ArrayRef<Dim> dims);
Formula concat(mlir::ImplicitLocOpBuilder &b, llvm::ArrayRef<mlir::Value> parts, int64_t axis);
Formula matmul(Formula a, Formula b);
/// Removes the axis of size 1 at `axis`.
Formula dropAxis(Formula x, int64_t axis);
/// Adds an axis of size 1 before `axis`.
Formula addAxis(Formula x, int64_t axis);
/// Sums x down to the sizes it would be broadcast from.
Formula sumTo(Formula x, llvm::ArrayRef<Dim> dims);

/// Polynomials as an attribute, the way the layout operators hold sizes.
mlir::ArrayAttr dimsAttr(mlir::MLIRContext *context, llvm::ArrayRef<Dim> dims);
Dims dimsFrom(mlir::ArrayAttr attribute);

} // namespace nacre
