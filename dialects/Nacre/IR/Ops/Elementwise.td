// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Element by element. A definition holds everything: the reference on doubles, the arithmetic that kernels use, the derivative.
#ifndef NACRE_ELEMENTWISE_TD
#define NACRE_ELEMENTWISE_TD

include "dialects/Nacre/IR/NacreBase.td"

class Nacre_PointwiseOp<string mnemonic, list<Trait> traits = []>
    : Nacre_Op<mnemonic, !listconcat([DeclareOpInterfaceMethods<Nacre_Pointwise>,
        DeclareOpInterfaceMethods<Nacre_Widthwise>], traits)> {
  let results = (outs Nacre_Value:$result);
  code pointwise = "";
  let definitions = [{
    ::llvm::FailureOr<::mlir::Value> $cppClass::buildStacked(::mlir::OpBuilder &builder, ::mlir::ValueRange operands, ::llvm::ArrayRef<bool> stacked) {
      return ::nacre::rebuildStackedPointwise(builder, getOperation(), operands, stacked);
    }
  }] # pointwise;
}

/// y = f(x) on f32. `reference` is C++ on `double x`; `lowering` builds a Value from `x` with `b`; `derivative` is an Formula of
/// `g` (cotangent), `x` and `y`. `atZero` is Kept where f(0) = 0, so that sparse values stay sparse.
class Nacre_Unary<string mnemonic, string summary_, code reference, code lowering, code derivative, string atZero = "Refused">
    : Nacre_PointwiseOp<mnemonic, [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = summary_;
  let sparse = atZero;
  let arguments = (ins Nacre_Value:$x);
  let pointwise = [{
    ::llvm::LogicalResult $cppClass::infer(::nacre::InferContext &context, Adaptor op, ::llvm::SmallVectorImpl<::mlir::Type> &results) {
      results.push_back(::nacre::plainType(op.getX()));
      return context.requireFloat(op.getX(), "an operand");
    }
    ::llvm::LogicalResult $cppClass::evaluate(::nacre::Evaluation &evaluation) {
      return ::nacre::evaluateUnary(evaluation, [](double x) -> double { return }] # reference # [{; });
    }
    void $cppClass::emit(::mlir::ImplicitLocOpBuilder &b, ::mlir::ValueRange operands, ::llvm::SmallVectorImpl<::mlir::Value> &results) {
      ::nacre::Scalar x(b, operands[0]);
      results.push_back((}] # lowering # [{).value);
    }
    ::llvm::LogicalResult $cppClass::differentiate(::mlir::OpBuilder &builder, ::mlir::ValueRange cotangents, ::llvm::SmallVectorImpl<::mlir::Value> &gradients) {
      ::mlir::ImplicitLocOpBuilder b(getLoc(), builder);
      ::nacre::Formula g(b, cotangents[0]), x(b, getX()), y(b, getResult());
      (void)x; (void)y;
      gradients.push_back((}] # derivative # [{).value);
      return ::mlir::success();
    }
  }];
}

def Nacre_NegOp : Nacre_Unary<"neg", "-x", "-x", "-x", "-g", "Kept">;
def Nacre_ExpOp : Nacre_Unary<"exp", "exponential", "std::exp(x)", "exp(x)", "g * y">;
def Nacre_LogOp : Nacre_Unary<"log", "natural logarithm", "std::log(x)", "log(x)", "g / x">;
def Nacre_SqrtOp : Nacre_Unary<"sqrt", "square root", "std::sqrt(x)", "sqrt(x)", "g * 0.5 / y", "Kept">;
def Nacre_RsqrtOp : Nacre_Unary<"rsqrt", "1 / sqrt(x)", "1 / std::sqrt(x)", "1.0 / sqrt(x)", "g * -0.5 * y * y * y">;
def Nacre_ReciprocalOp : Nacre_Unary<"reciprocal", "1 / x", "1 / x", "1.0 / x", "-(g * y * y)">;
def Nacre_SquareOp : Nacre_Unary<"square", "x * x", "x * x", "x * x", "g * x * 2.0", "Kept">;
def Nacre_AbsOp : Nacre_Unary<"abs", "absolute value; the derivative at 0 is 0", "std::fabs(x)", "abs(x)", "g * sign(x)", "Kept">;
def Nacre_SignOp : Nacre_Unary<"sign", "-1, 0 or 1; no gradient flows through", "double((x > 0) - (x < 0))",
  "select(x > 0.0, splat(x, 1.0), select(x < 0.0, splat(x, -1.0), splat(x, 0.0)))", "g * 0.0", "Kept">;
def Nacre_FloorOp : Nacre_Unary<"floor", "largest integer not above x; no gradient flows through", "std::floor(x)", "floor(x)", "g * 0.0", "Kept">;
def Nacre_SinOp : Nacre_Unary<"sin", "sine", "std::sin(x)", "sin(x)", "g * cos(x)", "Kept">;
def Nacre_CosOp : Nacre_Unary<"cos", "cosine", "std::cos(x)", "cos(x)", "-(g * sin(x))">;
def Nacre_TanhOp : Nacre_Unary<"tanh", "hyperbolic tangent", "std::tanh(x)", "tanh(x)", "g * (1.0 - y * y)", "Kept">;
def Nacre_ErfOp : Nacre_Unary<"erf", "error function", "std::erf(x)", "erf(x)",
  "g * exp(-(x * x)) * 1.1283791670955126", "Kept">; // 2 / sqrt(pi)
def Nacre_SigmoidOp : Nacre_Unary<"sigmoid", "1 / (1 + exp(-x))", "1 / (1 + std::exp(-x))", "1.0 / (1.0 + exp(-x))",
  "g * y * (1.0 - y)">;
def Nacre_SoftplusOp : Nacre_Unary<"softplus", "log(1 + exp(x)), without overflow",
  "std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)))", "max(x, splat(x, 0.0)) + log1p(exp(-abs(x)))", "g * sigmoid(x)">;
def Nacre_ReluOp : Nacre_Unary<"relu", "max(x, 0); the derivative at 0 is 0", "std::fmax(x, 0)", "max(x, splat(x, 0.0))",
  "select(y > 0.0, g, g * 0.0)", "Kept">;
def Nacre_SiluOp : Nacre_Unary<"silu", "x * sigmoid(x)", "x / (1 + std::exp(-x))", "x / (1.0 + exp(-x))",
  "g * sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)))", "Kept">;
def Nacre_GeluOp : Nacre_Unary<"gelu", "x * Phi(x), the erf form (Hendrycks and Gimpel 2016)",
  "0.5 * x * (1 + std::erf(x * 0.70710678118654752))", "x * 0.5 * (1.0 + erf(x * 0.70710678118654752))",
  "g * ((1.0 + erf(x * 0.70710678118654752)) * 0.5 + x * exp(x * x * -0.5) * 0.39894228040143268)", "Kept">;
def Nacre_GeluTanhOp : Nacre_Unary<"gelu_tanh", "gelu by 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))",
  "0.5 * x * (1 + std::tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)))",
  "x * 0.5 * (1.0 + tanh((x + x * x * x * 0.044715) * 0.79788456080286536))",
  "geluTanhDerivative(g, x)", "Kept">;

/// The same value; no gradient flows through.
def Nacre_StopOp : Nacre_PointwiseOp<"stop"> {
  let summary = "the same value, without a gradient";
  let sparse = "Kept";
  let arguments = (ins Nacre_Value:$x);
}

/// y = f(a, b) on f32 with broadcasting; `da` and `db` are Formulas of `g`, `a`, `b_` and `y`.
class Nacre_Binary<string mnemonic, string summary_, code reference, code lowering, code da, code db, string atZero = "Refused">
    : Nacre_PointwiseOp<mnemonic, [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = summary_;
  let sparse = atZero;
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b);
  let pointwise = [{
    ::llvm::LogicalResult $cppClass::infer(::nacre::InferContext &context, Adaptor op, ::llvm::SmallVectorImpl<::mlir::Type> &results) {
      return ::nacre::inferBinary(context, op.getA(), op.getB(), results);
    }
    ::llvm::LogicalResult $cppClass::evaluate(::nacre::Evaluation &evaluation) {
      return ::nacre::evaluateBinary(evaluation, [](double a, double b) -> double { return }] # reference # [{; });
    }
    void $cppClass::emit(::mlir::ImplicitLocOpBuilder &b_, ::mlir::ValueRange operands, ::llvm::SmallVectorImpl<::mlir::Value> &results) {
      ::nacre::Scalar a(b_, operands[0]), b(b_, operands[1]);
      results.push_back((}] # lowering # [{).value);
    }
    ::llvm::LogicalResult $cppClass::differentiate(::mlir::OpBuilder &builder, ::mlir::ValueRange cotangents, ::llvm::SmallVectorImpl<::mlir::Value> &gradients) {
      ::mlir::ImplicitLocOpBuilder b_(getLoc(), builder);
      ::nacre::Formula g(b_, cotangents[0]), a(b_, getA()), b(b_, getB()), y(b_, getResult());
      (void)a; (void)b; (void)y;
      gradients.push_back((}] # da # [{).value);
      gradients.push_back((}] # db # [{).value);
      return ::mlir::success();
    }
  }];
}

def Nacre_AddOp : Nacre_Binary<"add", "a + b", "a + b", "a + b", "g", "g">;
def Nacre_SubOp : Nacre_Binary<"sub", "a - b", "a - b", "a - b", "g", "-g">;
def Nacre_MulOp : Nacre_Binary<"mul", "a * b", "a * b", "a * b", "g * b", "g * a", "Kept">;
def Nacre_DivOp : Nacre_Binary<"div", "a / b", "a / b", "a / b", "g / b", "-(g * y / b)", "Kept">;
def Nacre_MaximumOp : Nacre_Binary<"maximum", "the larger; equal values share the gradient", "std::fmax(a, b)", "max(a, b)",
  "g * share(a, b)", "g * share(b, a)">;
def Nacre_MinimumOp : Nacre_Binary<"minimum", "the smaller; equal values share the gradient", "std::fmin(a, b)", "min(a, b)",
  "g * share(b, a)", "g * share(a, b)">;
def Nacre_PowOp : Nacre_Binary<"pow", "a to the power b, a > 0", "std::pow(a, b)", "exp(b * log(a))",
  "g * b * y / a", "g * y * log(a)">;

/// A truth value an element, from two numbers.
class Nacre_Compare<string mnemonic, string sign>
    : Nacre_PointwiseOp<mnemonic> {
  let summary = "whether a " # sign # " b";
  let codes = !or(!eq(sign, "=="), !eq(sign, "!="));
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b);
  let pointwise = [{
    ::llvm::LogicalResult $cppClass::infer(::nacre::InferContext &context, Adaptor op, ::llvm::SmallVectorImpl<::mlir::Type> &results) {
      return ::nacre::inferCompare(context, op.getA(), op.getB(), results);
    }
    ::llvm::LogicalResult $cppClass::evaluate(::nacre::Evaluation &evaluation) {
      return ::nacre::evaluateBinary(evaluation, [](double a, double b) -> double { return a }] # sign # [{ b; });
    }
    void $cppClass::emit(::mlir::ImplicitLocOpBuilder &b_, ::mlir::ValueRange operands, ::llvm::SmallVectorImpl<::mlir::Value> &results) {
      ::nacre::Scalar a(b_, operands[0]), b(b_, operands[1]);
      results.push_back((a }] # sign # [{ b).value);
    }
  }];
}

def Nacre_LessOp : Nacre_Compare<"less", "<">;
def Nacre_LessEqualOp : Nacre_Compare<"less_equal", "<=">;
def Nacre_GreaterOp : Nacre_Compare<"greater", ">">;
def Nacre_GreaterEqualOp : Nacre_Compare<"greater_equal", ">=">;
def Nacre_EqualOp : Nacre_Compare<"equal", "==">;
def Nacre_NotEqualOp : Nacre_Compare<"not_equal", "!=">;

def Nacre_SelectOp : Nacre_PointwiseOp<"select", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "a where the condition holds, else b";
  let arguments = (ins Nacre_Value:$condition, Nacre_Value:$a, Nacre_Value:$b);
}

/// One operator without a truth value between, so that it can be part of what happens on a product's tile.
def Nacre_SelectEqualOp : Nacre_PointwiseOp<"select_equal"> {
  let summary = "x where a = b, else y; a and b both f32 or both i32";
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b, Nacre_Value:$x, Nacre_Value:$y);
  let builtin = 0;
}

/// a * b + c as one operator, so that a chain of them is one kernel.
def Nacre_MultiplyAddOp : Nacre_PointwiseOp<"multiply_add", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "a * b + c";
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b, Nacre_Value:$c);
}

def Nacre_ToFloatOp : Nacre_PointwiseOp<"to_float"> {
  let summary = "i32 or bool as f32 (true is 1)";
  let arguments = (ins Nacre_Value:$x);
}

def Nacre_ToIntOp : Nacre_PointwiseOp<"to_int"> {
  let summary = "f32 or bool as i32, towards zero";
  let arguments = (ins Nacre_Value:$x);
}

/// The value of `y`, the gradient of `x`.
def Nacre_StraightThroughOp : Nacre_PointwiseOp<"straight_through", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "y, whose gradient goes to x instead (Bengio et al. 2013); one shape";
  let arguments = (ins Nacre_Value:$y, Nacre_Value:$x);
}

/// Integer arithmetic of codes.
def Nacre_AppendBitOp : Nacre_PointwiseOp<"append_bit"> {
  let summary = "word with bit `bit` set where x > 0";
  let arguments = (ins Nacre_Value:$word, Nacre_Value:$x, I64Attr:$bit);
  let builtin = 0;
}
def Nacre_BitDifferenceOp : Nacre_PointwiseOp<"bit_difference"> {
  let summary = "the number of bits in which two i32 differ";
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b);
}
def Nacre_HashEntryOp : Nacre_PointwiseOp<"hash_entry"> {
  let summary = "splitmix64 of token + 0x9E3779B97F4A7C15 * (feature * 64 + lookup + 1), modulo rows";
  let arguments = (ins Nacre_Value:$feature, Nacre_Value:$token, I64Attr:$lookup, I64Attr:$modulus);
  let builtin = 0;
}
/// Draws by place (Random.cpp). `row` and `column` are positions as f32, exact below 2^24.
class Nacre_DrawOp<string mnemonic, string summary_> : Nacre_Op<mnemonic, [DeclareOpInterfaceMethods<Nacre_Pointwise>]> {
  let summary = summary_;
  let description = [{
    Philox4x32-10 with the key (seed, 0) and the counter (column, row, draw, site); u and v are the upper 24 bits of its first two words as
    numbers in [0, 1). The language writes random_uniform(x) and random_normal(x).
  }];
  let arguments = (ins Nacre_Value:$row, Nacre_Value:$column, Nacre_Value:$seed, Nacre_Value:$draw, I64Attr:$site);
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}
def Nacre_RandomUniformOp : Nacre_DrawOp<"random_uniform", "u, uniform in [0, 1)">;
def Nacre_RandomNormalOp : Nacre_DrawOp<"random_normal", "sqrt(-2 log(1 - u)) cos(2 pi v), standard normal (Box and Muller 1958)">;

/// A constant of rank 0, broadcast by its users.
def Nacre_ConstantOp : Nacre_PointwiseOp<"constant"> {
  let summary = "one number";
  let arguments = (ins AnyAttrOf<[F64Attr, I32Attr]>:$value);
  let builtin = 0;
}

#endif
