// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes as polynomials with integer coefficients over named dimensions.
//
// Two sizes are equal only if their polynomials are: an unknown size keeps its name, so "B" and "T" never mix by accident.
// The text form is canonical ("12*B*T+1"), which lets the IR hold a size as a string and compare it as one.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nacre {

/// A size. Immutable in spirit: operators return new values. Coefficients are assumed to fit 64 bits.
class Dim {
public:
  /// The names of a product, sorted, with repetition: B*B*T is {"B", "B", "T"}; the constant term is {}.
  using Monomial = std::vector<std::string>;

  Dim() = default; ///< zero
  static Dim constant(int64_t value);
  static Dim symbol(llvm::StringRef name);
  /// The inverse of `str`; also accepts terms in any order. Nothing on malformed text.
  static std::optional<Dim> parse(llvm::StringRef text);

  Dim operator+(const Dim &other) const;
  Dim operator-(const Dim &other) const;
  Dim operator*(const Dim &other) const;
  bool operator==(const Dim &other) const { return terms == other.terms; }
  bool operator!=(const Dim &other) const { return terms != other.terms; }
  bool operator<(const Dim &other) const { return terms < other.terms; }

  std::optional<int64_t> asConstant() const;
  bool isOne() const { return asConstant() == 1; }
  bool isZero() const { return terms.empty(); }
  /// The quotient when every coefficient is a multiple of `divisor`.
  std::optional<Dim> dividedBy(int64_t divisor) const;
  /// The greatest common divisor of the coefficients; 0 for zero.
  int64_t content() const;
  /// The value when every name is bound; nothing when one is missing.
  std::optional<int64_t> evaluate(const llvm::StringMap<int64_t> &binding) const;
  /// Every `name` replaced by `value`.
  Dim substitute(llvm::StringRef name, const Dim &value) const;
  bool mentions(llvm::StringRef name) const;
  /// Canonical text.
  std::string str() const;

  const std::map<Monomial, int64_t> &getTerms() const { return terms; }

private:
  void add(const Monomial &monomial, int64_t coefficient);
  std::map<Monomial, int64_t> terms;
};

using Dims = llvm::SmallVector<Dim, 4>;

/// The tensor type of the given sizes: static ones become static extents, named ones carry the `#nacre.dims` encoding.
mlir::RankedTensorType tensorOf(mlir::MLIRContext *context, mlir::Type element, llvm::ArrayRef<Dim> dims);
/// The sizes of a tensor type, or of the tensor that a nested, sparse or code type stands for.
Dims dimsOf(mlir::Type type);
/// The product of all sizes.
Dim product(llvm::ArrayRef<Dim> dims);
/// "[B, T, 384]"
std::string text(llvm::ArrayRef<Dim> dims);

/// NumPy's broadcasting of two shapes; nothing when an axis has two different sizes, neither of them 1.
std::optional<Dims> broadcast(llvm::ArrayRef<Dim> a, llvm::ArrayRef<Dim> b);

/// A possibly negative axis of a rank, or nothing when out of range.
std::optional<int64_t> normalizeAxis(int64_t axis, int64_t rank);

} // namespace nacre
