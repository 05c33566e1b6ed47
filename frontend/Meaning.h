// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What an expression stands for while a program is emitted: a tensor of the IR, or something known at compile time.
#pragma once

#include "dialects/Nacre/IR/Dims.h"

#include "mlir/IR/Value.h"

#include <string>
#include <variant>
#include <vector>

namespace nacre {

struct Instance;
struct Meaning;

/// The outcome of something that was reported as an error: silences what depends on it.
struct Poison {};
/// A run-time width: the input that carries it, the size that it is known as, and the values that it may take.
struct Choice {
  mlir::Value value;
  Dim dim;
  std::vector<int64_t> choices;
};
/// begin, begin + 1, ..., end - 1
struct Range {
  int64_t begin, end;
};
struct List {
  std::vector<Meaning> items;
};
/// A layer with its parameters, or an array of such.
struct PartArray {
  std::vector<const Instance *> items; // owned by the emitter
};

struct Meaning {
  using Variant =
      std::variant<Poison, mlir::Value, int64_t, double, bool, std::string, Dim, Choice, Range, List, const Instance *, PartArray>;
  Variant variant;

  Meaning() = default; ///< poison
  template <typename T> Meaning(T value) : variant(std::move(value)) {}

  template <typename T> const T *as() const { return std::get_if<T>(&variant); }
  template <typename T> bool is() const { return std::holds_alternative<T>(variant); }
  bool isPoison() const { return is<Poison>(); }
  /// A number known at compile time.
  bool isNumber() const { return is<int64_t>() || is<double>(); }

  /// A size: an integer, a dim or a run-time width.
  std::optional<Dim> asSize() const;
  std::optional<double> asReal() const;
  /// A list of integers.
  std::optional<std::vector<int64_t>> asIntegers() const;
  /// As in "expected a tensor, but got <text>": "the number 3", "f32[B, 64]", "the layer 'Block'".
  std::string text() const;
};

/// A size as a meaning: an integer where it is one.
Meaning meaningOf(const Dim &size);

/// "f32[B, 64]", "nested[4, 8] f32[B, 10]"
std::string typeText(mlir::Type type);

} // namespace nacre
