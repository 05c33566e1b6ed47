// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Written types to types of the IR.
#include "frontend/Emitter.h"

using namespace nacre;

bool Emitter::isChoice(const TypeExpr &type) const {
  return type.choices || (!type.widths && !type.limit && !type.count && type.sizes.empty() && program.find<WidthsDecl>(type.element.text));
}

mlir::Type Emitter::elementType(const Name &name) {
  if (name.text == "f32") return mlir::Float32Type::get(&context);
  if (name.text == "i32") return mlir::IntegerType::get(&context, 32);
  if (name.text == "bool") return mlir::IntegerType::get(&context, 1);
  for (llvm::StringRef later : {"f64", "f16", "bf16", "i8"})
    if (name.text == later) {
      diagnostics.error(name.range, "'" + name.text + "' is part of the language but not available in this version");
      return {};
    }
  NoteAdder notes = diagnostics.error(name.range, "expected a type such as f32[B, 64] or i32[B], but got '" + name.text + "'");
  llvm::StringRef nearest = nearestName(name.text, {"f32", "i32", "bool"});
  if (!nearest.empty()) notes.note(name.range, "did you mean '" + nearest + "'");
  return {};
}

mlir::Type Emitter::resolveType(const TypeExpr &type, Frame &frame) {
  if (isChoice(type)) {
    error(type.range, "expected a type such as f32[B, 64], but got a choice of widths", frame);
    return {};
  }
  std::optional<std::vector<int64_t>> widths;
  if (type.widths && !(widths = evaluateWidths(*type.widths, frame))) return {};
  mlir::Type element = type.count ? builder.getI32Type() : elementType(type.element);
  if (!element) return {};
  // 8: NACRE_MAX_RANK of the runtime
  if (type.sizes.size() > 8) {
    error(type.range, "expected at most 8 axes, but got " + llvm::Twine(type.sizes.size()), frame);
    return {};
  }
  if (widths) frame.dims["width"] = Dim::symbol("width");
  Dims dims;
  bool complete = true;
  for (const ExprPtr &size : type.sizes) {
    std::optional<Dim> dim = evaluateSize(*size, frame);
    complete &= dim.has_value();
    dims.push_back(dim.value_or(Dim()));
  }
  if (widths) frame.dims.erase("width");
  if (!complete || !checkExtent(type.range, dims)) return {};
  mlir::RankedTensorType tensor = tensorOf(&context, element, dims);
  if (type.count) return codeType(type, tensor, frame);
  if (type.limit) return sparseType(type, tensor, frame);
  if (!widths) return tensor;
  return NestedType::get(&context, *widths, tensor);
}

mlir::Type Emitter::codeType(const TypeExpr &type, mlir::RankedTensorType tensor, Frame &frame) {
  Meaning meaning = evaluateConstant(*type.count, frame);
  if (meaning.isPoison()) return {};
  const auto *count = meaning.as<int64_t>();
  if (count && *count >= 1 && llvm::isInt<32>(*count)) return CodeType::get(&context, *count, tensor);
  error(type.count->range, "expected a number of codes from 1 to 2147483647, but got " + meaning.text(), frame);
  return {};
}

mlir::Type Emitter::sparseType(const TypeExpr &type, mlir::RankedTensorType tensor, Frame &frame) {
  std::optional<Dim> limit = evaluateSize(*type.limit, frame);
  if (!limit) return {};
  if (type.widths || !tensor.getElementType().isF32() || tensor.getRank() == 0) {
    error(type.range, "expected a tensor of f32 with at least one axis behind sparse[...], but got " + typeText(tensor), frame);
    return {};
  }
  Dim room = type.isTotal ? product(dimsOf(tensor)) : dimsOf(tensor).back();
  if ((room - *limit).asConstant().value_or(0) < 0) {
    error(type.limit->range, "expected a limit of at most " + room.str() + ", but got " + limit->str(), frame);
    return {};
  }
  return SparseType::get(&context, builder.getStringAttr((type.isTotal ? "<=" : "") + limit->str()), tensor);
}

Meaning Emitter::evaluateConstant(const Expr &expr, Frame &frame) {
  bool before = std::exchange(inType, true);
  Meaning meaning = evaluate(expr, frame);
  inType = before;
  return meaning;
}

/// A size that stands in a type: positive, and not too many terms.
std::optional<Dim> Emitter::evaluateSize(const Expr &expr, Frame &frame) {
  Meaning meaning = evaluateConstant(expr, frame);
  if (meaning.isPoison()) return std::nullopt;
  std::optional<Dim> size = meaning.asSize();
  if (!size) {
    error(expr.range, "expected a size, but got " + meaning.text(), frame);
    return std::nullopt;
  }
  std::optional<int64_t> constant = size->asConstant();
  if (constant && *constant < 1) {
    error(expr.range, "expected a size of at least 1, but got " + llvm::Twine(*constant), frame);
    return std::nullopt;
  }
  return size;
}

/// Every tensor must be countable in 64 bits with room to spare, dims taken at their bounds.
bool Emitter::checkExtent(llvm::SMRange range, llvm::ArrayRef<Dim> dims) {
  llvm::StringMap<int64_t> binding = dimBounds;
  binding["width"] = 1;
  double elements = 1;
  for (const Dim &dim : dims) {
    for (const auto &[monomial, coefficient] : dim.getTerms())
      for (const std::string &name : monomial)
        if (!binding.count(name)) binding[name] = 1;
    double extent = 0;
    for (const auto &[monomial, coefficient] : dim.getTerms()) {
      double term = coefficient;
      for (const std::string &name : monomial)
        term *= binding[name];
      extent += term;
    }
    elements *= std::max(extent, 1.0);
  }
  if (elements <= 0x1p40) return true; // 2^40 elements: 4 TB of f32
  diagnostics.error(range, "expected a tensor of at most 2^40 elements, but got more");
  return false;
}

static std::string increasing(llvm::ArrayRef<int64_t> widths) {
  if (widths.empty()) return "none";
  if (widths.front() < 1) return std::to_string(widths.front());
  for (size_t i = 1; i < widths.size(); ++i)
    if (widths[i] <= widths[i - 1]) return std::to_string(widths[i]) + " after " + std::to_string(widths[i - 1]);
  return "";
}

std::optional<std::vector<int64_t>> Emitter::evaluateWidths(const Expr &expr, Frame &frame) {
  Meaning meaning = evaluateConstant(expr, frame);
  if (meaning.isPoison()) return std::nullopt;
  std::optional<std::vector<int64_t>> widths = meaning.asIntegers();
  if (!widths) {
    error(expr.range, "expected a list of widths, but got " + meaning.text(), frame);
    return std::nullopt;
  }
  std::string problem = increasing(*widths);
  if (problem.empty()) return widths;
  error(expr.range, "expected widths that are positive and strictly increasing, but got " + problem, frame);
  return std::nullopt;
}

/// 256: far more layers than models have; the list is part of the library.
static constexpr int64_t kMaxDepths = 256;

/// `1..6` of an input: both ends are among the depths, as people count layers.
std::optional<std::vector<int64_t>> Emitter::evaluateDepths(const RangeExpr &range, Frame &frame) {
  Meaning first = evaluateConstant(*range.start, frame), last = evaluateConstant(*range.end, frame);
  if (first.isPoison() || last.isPoison()) return std::nullopt;
  const auto *begin = first.as<int64_t>(), *end = last.as<int64_t>();
  if (!begin || !end || *begin < 0 || *begin > *end || *end - *begin >= kMaxDepths) {
    error(range.range,
          "expected two increasing integers around '..', at most " + llvm::Twine(kMaxDepths) + " apart, but got " + first.text() + " and " +
              last.text(),
          frame);
    return std::nullopt;
  }
  std::vector<int64_t> depths;
  for (int64_t depth = *begin; depth <= *end; ++depth)
    depths.push_back(depth);
  return depths;
}

std::optional<std::vector<int64_t>> Emitter::resolveChoices(const TypeExpr &type, Frame &frame) {
  if (!type.choices) {
    NameExpr name(type.element.range);
    name.name = type.element.text;
    return evaluateWidths(name, frame);
  }
  const auto *range = llvm::dyn_cast<RangeExpr>(type.choices.get());
  return range ? evaluateDepths(*range, frame) : evaluateWidths(*type.choices, frame);
}
