// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Scalar.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace nacre {

Scalar splat(Scalar like, double number) {
  Type type = like.value.getType(), element = getElementTypeOrSelf(type);
  TypedAttr attribute = isa<FloatType>(element) ? TypedAttr(FloatAttr::get(element, number))
                                                : TypedAttr(IntegerAttr::get(element, int64_t(number)));
  if (auto vector = dyn_cast<VectorType>(type))
    attribute = DenseElementsAttr::get(vector, Attribute(attribute));
  return Scalar(*like.b, arith::ConstantOp::create(*like.b, attribute));
}

template <typename FloatOp, typename IntOp>
static Scalar binary(Scalar a, Scalar b) {
  if (a.isFloat())
    return Scalar(*a.b, FloatOp::create(*a.b, a.value, b.value));
  return Scalar(*a.b, IntOp::create(*a.b, a.value, b.value));
}

Scalar operator+(Scalar a, Scalar b) { return binary<arith::AddFOp, arith::AddIOp>(a, b); }
Scalar operator-(Scalar a, Scalar b) { return binary<arith::SubFOp, arith::SubIOp>(a, b); }
Scalar operator*(Scalar a, Scalar b) { return binary<arith::MulFOp, arith::MulIOp>(a, b); }
Scalar operator/(Scalar a, Scalar b) { return binary<arith::DivFOp, arith::DivSIOp>(a, b); }

static Scalar compare(Scalar a, Scalar b, arith::CmpFPredicate real, arith::CmpIPredicate integer) {
  if (a.isFloat())
    return Scalar(*a.b, arith::CmpFOp::create(*a.b, real, a.value, b.value));
  return Scalar(*a.b, arith::CmpIOp::create(*a.b, integer, a.value, b.value));
}

Scalar operator<(Scalar a, Scalar b) { return compare(a, b, arith::CmpFPredicate::OLT, arith::CmpIPredicate::slt); }
Scalar operator<=(Scalar a, Scalar b) { return compare(a, b, arith::CmpFPredicate::OLE, arith::CmpIPredicate::sle); }
Scalar operator>(Scalar a, Scalar b) { return compare(a, b, arith::CmpFPredicate::OGT, arith::CmpIPredicate::sgt); }
Scalar operator>=(Scalar a, Scalar b) { return compare(a, b, arith::CmpFPredicate::OGE, arith::CmpIPredicate::sge); }
Scalar operator==(Scalar a, Scalar b) { return compare(a, b, arith::CmpFPredicate::OEQ, arith::CmpIPredicate::eq); }
Scalar operator!=(Scalar a, Scalar b) { return compare(a, b, arith::CmpFPredicate::UNE, arith::CmpIPredicate::ne); }

template <typename Op>
static Scalar unary(Scalar x) {
  return Scalar(*x.b, Op::create(*x.b, x.value));
}

Scalar exp(Scalar x) { return unary<math::ExpOp>(x); }
Scalar log(Scalar x) { return unary<math::LogOp>(x); }
Scalar log1p(Scalar x) { return unary<math::Log1pOp>(x); }
Scalar sqrt(Scalar x) { return unary<math::SqrtOp>(x); }
Scalar sin(Scalar x) { return unary<math::SinOp>(x); }
Scalar cos(Scalar x) { return unary<math::CosOp>(x); }
Scalar tanh(Scalar x) { return unary<math::TanhOp>(x); }
Scalar erf(Scalar x) { return unary<math::ErfOp>(x); }
Scalar abs(Scalar x) { return unary<math::AbsFOp>(x); }
Scalar floor(Scalar x) { return unary<math::FloorOp>(x); }
Scalar max(Scalar a, Scalar b) { return binary<arith::MaxNumFOp, arith::MaxSIOp>(a, b); }
Scalar min(Scalar a, Scalar b) { return binary<arith::MinNumFOp, arith::MinSIOp>(a, b); }

Scalar select(Scalar condition, Scalar a, Scalar b) {
  return Scalar(*a.b, arith::SelectOp::create(*a.b, condition.value, a.value, b.value));
}

} // namespace nacre
