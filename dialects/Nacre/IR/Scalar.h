// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic inside kernels, on scalars or on vectors of any length: the same formula serves both.
#pragma once

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"

namespace nacre {

/// A f32, i32 or i1 scalar or vector in a kernel.
struct Scalar {
  mlir::ImplicitLocOpBuilder *b;
  mlir::Value value;

  Scalar(mlir::ImplicitLocOpBuilder &builder, mlir::Value value) : b(&builder), value(value) {}
  bool isFloat() const { return llvm::isa<mlir::FloatType>(mlir::getElementTypeOrSelf(value.getType())); }
};

/// A number of the type of `like`.
Scalar splat(Scalar like, double number);

Scalar operator+(Scalar a, Scalar b);
Scalar operator-(Scalar a, Scalar b);
Scalar operator*(Scalar a, Scalar b);
Scalar operator/(Scalar a, Scalar b);
inline Scalar operator-(Scalar a) { return Scalar(*a.b, mlir::arith::NegFOp::create(*a.b, a.value)); }
inline Scalar operator+(double c, Scalar a) { return splat(a, c) + a; }
inline Scalar operator+(Scalar a, double c) { return a + splat(a, c); }
inline Scalar operator*(Scalar a, double c) { return a * splat(a, c); }
inline Scalar operator*(double c, Scalar a) { return splat(a, c) * a; }
inline Scalar operator-(double c, Scalar a) { return splat(a, c) - a; }
inline Scalar operator/(double c, Scalar a) { return splat(a, c) / a; }

/// Comparisons are false for NaN, except !=.
Scalar operator<(Scalar a, Scalar b);
Scalar operator<=(Scalar a, Scalar b);
Scalar operator>(Scalar a, Scalar b);
Scalar operator>=(Scalar a, Scalar b);
Scalar operator==(Scalar a, Scalar b);
Scalar operator!=(Scalar a, Scalar b);
inline Scalar operator>(Scalar a, double c) { return a > splat(a, c); }
inline Scalar operator<(Scalar a, double c) { return a < splat(a, c); }

Scalar exp(Scalar x);
Scalar log(Scalar x);
Scalar log1p(Scalar x);
Scalar sqrt(Scalar x);
Scalar sin(Scalar x);
Scalar cos(Scalar x);
Scalar tanh(Scalar x);
Scalar erf(Scalar x);
Scalar abs(Scalar x);
Scalar floor(Scalar x);
/// The other operand when one is NaN, as C's fmax and fmin.
Scalar max(Scalar a, Scalar b);
Scalar min(Scalar a, Scalar b);
Scalar select(Scalar condition, Scalar a, Scalar b);

} // namespace nacre
