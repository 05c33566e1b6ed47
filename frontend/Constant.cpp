// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Constant.h"

#include "llvm/Support/MathExtras.h"

#include <cstdlib>

using namespace nacre;

static Folded fail(std::string error) { return {std::nullopt, std::move(error)}; }
static Folded value(Meaning meaning) { return {std::move(meaning), ""}; }

bool nacre::isConstant(const Meaning &meaning) {
  return meaning.isNumber() || meaning.is<Dim>() || meaning.is<bool>() || meaning.is<std::string>() || meaning.is<List>();
}

static Folded foldIntegers(BinaryOp op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  switch (op) {
  case BinaryOp::Add:
    overflow = llvm::AddOverflow(a, b, result);
    break;
  case BinaryOp::Sub:
    overflow = llvm::SubOverflow(a, b, result);
    break;
  case BinaryOp::Mul:
    overflow = llvm::MulOverflow(a, b, result);
    break;
  case BinaryOp::Div:
    if (b == 0) return fail("expected a divisor other than 0, but got 0");
    if (b == -1) return foldIntegers(BinaryOp::Sub, 0, a);
    if (a % b != 0) return value(static_cast<double>(a) / static_cast<double>(b));
    return value(a / b);
  case BinaryOp::Less:
    return value(a < b);
  case BinaryOp::LessEqual:
    return value(a <= b);
  case BinaryOp::Greater:
    return value(a > b);
  case BinaryOp::GreaterEqual:
    return value(a >= b);
  case BinaryOp::Equal:
    return value(a == b);
  case BinaryOp::NotEqual:
    return value(a != b);
  }
  if (overflow) return fail("expected an integer below 2^63, but got a larger one");
  return value(result);
}

static Folded foldReals(BinaryOp op, double a, double b) {
  switch (op) {
  case BinaryOp::Add:
    return value(a + b);
  case BinaryOp::Sub:
    return value(a - b);
  case BinaryOp::Mul:
    return value(a * b);
  case BinaryOp::Div:
    return b == 0 ? fail("expected a divisor other than 0, but got 0") : value(a / b);
  case BinaryOp::Less:
    return value(a < b);
  case BinaryOp::LessEqual:
    return value(a <= b);
  case BinaryOp::Greater:
    return value(a > b);
  case BinaryOp::GreaterEqual:
    return value(a >= b);
  case BinaryOp::Equal:
    return value(a == b);
  case BinaryOp::NotEqual:
    return value(a != b);
  }
  return fail("expected numbers");
}

/// 2^28: sixteen products of two such coefficients stay below 2^63.
static constexpr int64_t kMaxCoefficient = 1 << 28;

/// Polynomials multiply their terms and coefficients: both stay small in any program that is meant.
static bool isModest(const Dim &size) {
  if (size.getTerms().size() > 16) return false;
  for (const auto &[monomial, coefficient] : size.getTerms())
    if (monomial.size() > 8 || std::abs(coefficient) > kMaxCoefficient) return false;
  return true;
}

static Folded foldSizes(BinaryOp op, const Dim &a, const Dim &b) {
  if (!isModest(a) || !isModest(b)) return fail("expected a size of at most 16 terms, but got a larger expression");
  switch (op) {
  case BinaryOp::Add:
    return value(meaningOf(a + b));
  case BinaryOp::Sub:
    return value(meaningOf(a - b));
  case BinaryOp::Mul:
    return value(meaningOf(a * b));
  case BinaryOp::Equal:
    return value(a == b);
  case BinaryOp::NotEqual:
    return value(a != b);
  case BinaryOp::Div: {
    std::optional<int64_t> divisor = b.asConstant();
    std::optional<Dim> quotient = divisor && *divisor != 0 ? a.dividedBy(*divisor) : std::nullopt;
    if (quotient) return value(meaningOf(*quotient));
    return fail("expected a size that " + b.str() + " divides, but got " + a.str());
  }
  default:
    return fail("expected numbers known at compile time, but got the sizes " + a.str() + " and " + b.str());
  }
}

static bool areEqual(const List &a, const List &b) {
  bool equal = a.items.size() == b.items.size();
  for (size_t i = 0; equal && i < a.items.size(); ++i) {
    Folded item = foldBinary(BinaryOp::Equal, a.items[i], b.items[i]);
    equal = item.meaning && item.meaning->is<bool>() && *item.meaning->as<bool>();
  }
  return equal;
}

/// What can only be compared for equality; nothing for other kinds or unlike ones.
static std::optional<bool> areEqual(const Meaning &a, const Meaning &b) {
  if (a.is<List>() && b.is<List>()) return areEqual(*a.as<List>(), *b.as<List>());
  if (a.is<std::string>() && b.is<std::string>()) return *a.as<std::string>() == *b.as<std::string>();
  if (a.is<bool>() && b.is<bool>()) return *a.as<bool>() == *b.as<bool>();
  return std::nullopt;
}

Folded nacre::foldBinary(BinaryOp op, const Meaning &left, const Meaning &right) {
  if (left.is<int64_t>() && right.is<int64_t>()) return foldIntegers(op, *left.as<int64_t>(), *right.as<int64_t>());
  if (left.isNumber() && right.isNumber()) return foldReals(op, *left.asReal(), *right.asReal());
  if (std::optional<bool> equal = areEqual(left, right)) {
    if (op == BinaryOp::Equal) return value(*equal);
    if (op == BinaryOp::NotEqual) return value(!*equal);
  }
  std::optional<Dim> a = left.asSize(), b = right.asSize();
  if (a && b) return foldSizes(op, *a, *b);
  return fail("expected two numbers around '" + sign(op).str() + "', but got " + left.text() + " and " + right.text());
}

Folded nacre::foldNegate(const Meaning &operand) {
  if (const auto *real = operand.as<double>()) return value(-*real);
  return foldBinary(BinaryOp::Sub, Meaning(int64_t(0)), operand);
}
