// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/ExpandMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace nacre::cpu {
namespace {

/// Element-wise arithmetic on values of one shape.
class Elementwise {
public:
  Elementwise(OpBuilder &builder, Location loc, Type type) : op(loc, builder), type(type) {}

  Value constant(double value) { return constantOf(op.getF32FloatAttr(static_cast<float>(value)), type); }
  Value bits(uint32_t value) { return constantOf(op.getI32IntegerAttr(static_cast<int32_t>(value)), integerType()); }
  Value add(Value a, Value b) { return arith::AddFOp::create(op, a, b); }
  Value sub(Value a, Value b) { return arith::SubFOp::create(op, a, b); }
  Value mul(Value a, Value b) { return arith::MulFOp::create(op, a, b); }
  Value div(Value a, Value b) { return arith::DivFOp::create(op, a, b); }
  Value fma(Value a, Value b, Value c) { return math::FmaOp::create(op, a, b, c); }
  Value abs(Value a) { return math::AbsFOp::create(op, a); }
  Value copySign(Value a, Value sign) { return math::CopySignOp::create(op, a, sign); }
  Value less(Value a, Value b) { return arith::CmpFOp::create(op, arith::CmpFPredicate::OLT, a, b); }
  Value equal(Value a, Value b) { return arith::CmpFOp::create(op, arith::CmpFPredicate::OEQ, a, b); }
  Value select(Value c, Value a, Value b) { return arith::SelectOp::create(op, c, a, b); }
  Value atLeast(Value a, double limit) { // keeps NaN
    Value bound = constant(limit);
    return select(less(a, bound), bound, a);
  }
  Value atMost(Value a, double limit) { // keeps NaN
    Value bound = constant(limit);
    return select(less(bound, a), bound, a);
  }
  Value toBits(Value a) { return arith::BitcastOp::create(op, integerType(), a); }
  Value fromBits(Value a) { return arith::BitcastOp::create(op, type, a); }
  /// Horner's rule, highest power first.
  Value polynomial(Value x, llvm::ArrayRef<double> coefficients) {
    Value result = constant(coefficients.front());
    for (double coefficient : coefficients.drop_front())
      result = fma(result, x, constant(coefficient));
    return result;
  }

  ImplicitLocOpBuilder op;
  Type integerType() { return shaped(op.getI32Type()); }

private:
  Type shaped(Type element) {
    auto shape = dyn_cast<ShapedType>(type);
    return shape ? Type(shape.clone(element)) : element;
  }
  Value constantOf(TypedAttr value, Type of) {
    if (auto shape = dyn_cast<ShapedType>(of))
      return arith::ConstantOp::create(op, DenseElementsAttr::get(shape, Attribute(value)));
    return arith::ConstantOp::create(op, value);
  }
  Type type;
};

constexpr double infinity = std::numeric_limits<double>::infinity();
// 1.5 * 2^23: adding it to a small x leaves round(x) in the low bits of the sum.
constexpr double roundingShift = 12582912.0;

/// 2^n for an n that was rounded by `shifted = x + roundingShift + 127 - down`, divided by 2^down; 0 when the exponent field is.
Value powerOfTwo(Elementwise &e, Value shifted) {
  return e.fromBits(arith::ShLIOp::create(e.op, e.toBits(shifted), e.bits(23)));
}

/// 2^x = 2^n * 2^f with |f| <= 1/2; degree 5, coefficients minimax for the relative error.
Value expandExp2(Elementwise &e, Value x) {
  x = e.atMost(e.atLeast(x, -127.0), 128.0);
  Value shift = e.constant(roundingShift + 127);
  Value shifted = e.add(x, shift);
  Value f = e.sub(x, e.sub(shifted, shift));
  Value p = e.polynomial(f, {0.0013218672481581026, 0.00967169793840042, 0.05550892952451242, 0.24022238002741075,
                             0.693146855941691, 1.0});
  return e.mul(p, powerOfTwo(e, shifted));
}

/// e^x = 2^n * e^r, r = x - n ln 2 in two steps (Cody and Waite), polynomial of Cephes expf.
Value expandExp(Elementwise &e, Value x) {
  x = e.atMost(e.atLeast(x, -87.3), 89.0); // -87.3 is rounded to n = -126, the first power that is 0
  Value shift = e.constant(roundingShift + 126); // one power less, so that 2^128 is reached by doubling
  Value shifted = e.fma(x, e.constant(1.4426950408889634), shift);
  Value n = e.sub(shifted, shift);
  Value r = e.fma(n, e.constant(-0.693359375), x);
  r = e.fma(n, e.constant(2.12194440e-4), r);
  Value p = e.polynomial(r, {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
                             5.0000001201e-1});
  p = e.add(e.fma(e.mul(r, r), p, r), e.constant(1.0));
  return e.mul(e.add(p, p), powerOfTwo(e, shifted));
}

/// log(2^n m) = n ln 2 + log m with sqrt(1/2) <= m < sqrt(2), polynomial of Cephes logf.
Value expandLog(Elementwise &e, Value x) {
  Value subnormal = e.less(x, e.constant(std::ldexp(1.0, -126)));
  Value normal = e.select(subnormal, e.mul(x, e.constant(std::ldexp(1.0, 23))), x);
  Value halfRoot = e.bits(0x3f3504f3); // sqrt(1/2)
  Value n = arith::ShRSIOp::create(e.op, arith::SubIOp::create(e.op, e.toBits(normal), halfRoot), e.bits(23));
  Value mantissa = arith::SubIOp::create(e.op, e.toBits(normal), arith::ShLIOp::create(e.op, n, e.bits(23)));
  Value exponent = arith::SIToFPOp::create(e.op, x.getType(), n);
  exponent = e.add(exponent, e.select(subnormal, e.constant(-23.0), e.constant(0.0)));

  Value f = e.sub(e.fromBits(mantissa), e.constant(1.0)), square = e.mul(f, f);
  Value p = e.polynomial(f, {7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
                             -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1});
  Value low = e.fma(exponent, e.constant(-2.12194440e-4), e.mul(e.mul(f, square), p));
  low = e.fma(square, e.constant(-0.5), low);
  Value result = e.fma(exponent, e.constant(0.693359375), e.add(f, low));

  result = e.select(e.less(x, e.constant(infinity)), result, x); // infinity and NaN
  result = e.select(e.equal(x, e.constant(0.0)), e.constant(-infinity), result);
  return e.select(e.less(x, e.constant(0.0)), e.constant(std::nan("")), result);
}

/// x + x^3 P(x^2) below 0.625 (Cephes tanhf), 1 - 2 / (e^2|x| + 1) above.
Value expandTanh(Elementwise &e, Value x) {
  Value size = e.abs(x), square = e.mul(x, x);
  Value p = e.polynomial(square, {-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1});
  Value small = e.fma(e.mul(p, square), x, x);
  Value power = expandExp(e, e.add(size, size));
  Value large = e.sub(e.constant(1.0), e.div(e.constant(2.0), e.add(power, e.constant(1.0))));
  return e.select(e.less(size, e.constant(0.625)), small, e.copySign(large, x));
}

/// x + x P(x^2) below 475/512, 1 - e^Q(|x|) above; coefficients: N. Juffa's single precision erf.
Value expandErf(Elementwise &e, Value x) {
  Value size = e.atMost(e.abs(x), 4.0), square = e.mul(x, x); // erf(4) rounds to 1
  Value small = e.polynomial(square, {-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1,
                                      1.28379166e-1});
  small = e.fma(small, x, x);
  Value q = e.polynomial(size, {-1.72853470e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2, -1.06777877e-1,
                                -6.34846687e-1, -1.28717512e-1});
  q = e.fma(q, size, e.sub(e.constant(0.0), size));
  Value large = e.sub(e.constant(1.0), expandExp(e, q));
  return e.select(e.less(size, e.constant(0.927734375)), small, e.copySign(large, x));
}

template <typename Op, Value (*expand)(Elementwise &, Value)>
struct Expand final : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "only f32 has polynomials");
    Elementwise e(rewriter, op.getLoc(), op.getType());
    rewriter.replaceOp(op, expand(e, op.getOperand()));
    return success();
  }
};

} // namespace

void populateExpandMathPatterns(RewritePatternSet &patterns) {
  patterns.add<Expand<math::ExpOp, expandExp>, Expand<math::Exp2Op, expandExp2>, Expand<math::LogOp, expandLog>,
               Expand<math::TanhOp, expandTanh>, Expand<math::ErfOp, expandErf>>(patterns.getContext());
}

} // namespace nacre::cpu
