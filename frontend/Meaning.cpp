// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Meaning.h"

#include "dialects/Nacre/IR/NacreDialect.h"
#include "frontend/Instance.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace nacre;

std::optional<Dim> Meaning::asSize() const {
  if (const auto *integer = as<int64_t>()) return Dim::constant(*integer);
  if (const auto *dim = as<Dim>()) return *dim;
  if (const auto *choice = as<Choice>()) return choice->dim;
  return std::nullopt;
}

std::optional<double> Meaning::asReal() const {
  if (const auto *integer = as<int64_t>()) return static_cast<double>(*integer);
  if (const auto *real = as<double>()) return *real;
  return std::nullopt;
}

std::optional<std::vector<int64_t>> Meaning::asIntegers() const {
  const auto *list = as<List>();
  if (!list) return std::nullopt;
  std::vector<int64_t> integers;
  for (const Meaning &item : list->items) {
    const auto *integer = item.as<int64_t>();
    if (!integer) return std::nullopt;
    integers.push_back(*integer);
  }
  return integers;
}

Meaning nacre::meaningOf(const Dim &size) {
  if (std::optional<int64_t> constant = size.asConstant()) return *constant;
  return size;
}

static std::string realText(double real) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", real);
  return text;
}

static std::string listText(const List &list) {
  return "[" + llvm::join(llvm::map_range(list.items, [](const Meaning &item) { return item.text(); }), ", ") + "]";
}

std::string Meaning::text() const {
  if (const auto *value = as<mlir::Value>()) return typeText(value->getType());
  if (const auto *integer = as<int64_t>()) return std::to_string(*integer);
  if (const auto *real = as<double>()) return realText(*real);
  if (const auto *boolean = as<bool>()) return *boolean ? "true" : "false";
  if (const auto *text = as<std::string>()) return '"' + *text + '"';
  if (const auto *dim = as<Dim>()) return "the size " + dim->str();
  if (const auto *choice = as<Choice>()) return "the run-time width " + choice->dim.str();
  if (const auto *range = as<Range>()) return "the range " + std::to_string(range->begin) + ".." + std::to_string(range->end);
  if (const auto *list = as<List>()) return listText(*list);
  if (const auto *array = as<PartArray>()) return "an array of " + std::to_string(array->items.size()) + " layers";
  if (const auto *instance = as<const Instance *>()) return "the layer '" + (*instance)->path + "'";
  return "nothing";
}

static std::string elementText(mlir::Type element) {
  if (element.isF32()) return "f32";
  if (element.isInteger(32)) return "i32";
  if (element.isInteger(1)) return "bool";
  return "an unknown type";
}

std::string nacre::typeText(mlir::Type type) {
  if (auto nested = llvm::dyn_cast<NestedType>(type)) {
    auto widths = llvm::map_range(nested.getWidths(), [](int64_t width) { return std::to_string(width); });
    return "nested[" + llvm::join(widths, ", ") + "] " + typeText(nested.getElement());
  }
  if (auto sparse = llvm::dyn_cast<SparseType>(type))
    return "sparse[" + sparse.getLimit().str() + "] " + typeText(sparse.getElement());
  if (auto code = llvm::dyn_cast<CodeType>(type))
    return "code[" + std::to_string(code.getCount()) + "]" + (dimsOf(type).empty() ? "" : text(dimsOf(type)));
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type);
  if (!tensor) return "a value that is not a tensor";
  std::string element = elementText(tensor.getElementType());
  return tensor.getRank() == 0 ? element : element + text(dimsOf(type));
}
