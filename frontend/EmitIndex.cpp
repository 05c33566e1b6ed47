// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// x[0], x[a:b, :m], x[:, new], blocks[2], y[16]
#include "frontend/Emitter.h"

using namespace nacre;

/// x[:, new]: an axis of size 1.
static bool isNewAxis(const IndexItem &item) {
  const auto *name = item.isSlice ? nullptr : llvm::dyn_cast<NameExpr>(item.start.get());
  return name && name->name == "new";
}

Meaning Emitter::evaluateIndex(const IndexExpr &index, Frame &frame) {
  Meaning base = evaluate(*index.base, frame);
  if (base.isPoison()) return {};
  if (const auto *list = base.as<List>()) return indexList(index, list->items, frame);
  if (const auto *array = base.as<PartArray>())
    return indexList(index, std::vector<Meaning>(array->items.begin(), array->items.end()), frame);
  const auto *value = base.as<mlir::Value>();
  if (!value) {
    error(index.base->range, "expected a tensor, a list or an array before '[', but got " + base.text(), frame);
    return {};
  }
  if (!canEmit(index.range, "a part of a tensor", frame)) return {};
  bool picks = llvm::isa<NestedType>(value->getType()) && index.items.size() == 1 && !index.items[0].isSlice && !isNewAxis(index.items[0]);
  return picks ? pickWidth(index, *value, frame) : sliceTensor(index, *value, frame);
}

Meaning Emitter::indexList(const IndexExpr &index, llvm::ArrayRef<Meaning> items, Frame &frame) {
  if (index.items.size() != 1 || index.items[0].isSlice) {
    error(index.range, "expected one index, but got a slice or several", frame);
    return {};
  }
  Meaning meaning = evaluate(*index.items[0].start, frame);
  if (meaning.isPoison()) return {};
  const auto *position = meaning.as<int64_t>();
  int64_t count = items.size();
  if (position && *position >= -count && *position < count) return items[*position < 0 ? *position + count : *position];
  error(index.items[0].range, "expected an index from 0 to " + llvm::Twine(count - 1) + ", but got " + meaning.text(), frame);
  return {};
}

static std::string listed(llvm::ArrayRef<int64_t> widths) {
  std::string text;
  for (int64_t width : widths)
    text += (text.empty() ? "" : ", ") + std::to_string(width);
  return text;
}

/// y[16], y[m]: every width that may be asked for must be one of the value's.
Meaning Emitter::pickWidth(const IndexExpr &index, mlir::Value nested, Frame &frame) {
  Meaning meaning = evaluate(*index.items[0].start, frame);
  if (meaning.isPoison()) return {};
  llvm::ArrayRef<int64_t> widths = llvm::cast<NestedType>(nested.getType()).getWidths();
  std::vector<int64_t> asked;
  if (const auto *width = meaning.as<int64_t>()) asked = {*width};
  if (const auto *choice = meaning.as<Choice>()) asked = choice->choices;
  bool known = !asked.empty() && llvm::all_of(asked, [&](int64_t width) { return llvm::is_contained(widths, width); });
  if (!known) {
    std::string got = meaning.is<Choice>() ? "one of " + listed(asked) : meaning.text();
    error(index.items[0].range, "expected one of the widths " + listed(widths) + ", but got " + got, frame);
    return {};
  }
  mlir::Value result;
  captured(index.range, frame, [&]() -> mlir::LogicalResult {
    mlir::FailureOr<mlir::Value> picked = buildPick(builder, locationOf(index.range), nested, *meaning.asSize());
    if (mlir::succeeded(picked)) result = *picked;
    return picked;
  });
  return result ? Meaning(result) : Meaning();
}

Meaning Emitter::sliceTensor(const IndexExpr &index, mlir::Value tensor, Frame &frame) {
  int64_t rank = plainType(tensor).getRank();
  int64_t count = llvm::count_if(index.items, [](const IndexItem &item) { return !isNewAxis(item); });
  if (count > rank) {
    error(index.range,
          "expected at most " + llvm::Twine(rank) + " indices for " + typeText(tensor.getType()) + ", but got " + llvm::Twine(count), frame);
    return {};
  }
  if (auto nested = llvm::dyn_cast<NestedType>(tensor.getType())) dimBounds["width"] = nested.getWidths().back();
  int64_t axis = 0;
  for (const IndexItem &item : index.items) {
    if (isNewAxis(item))
      tensor = newAxis(item, tensor, axis, frame);
    else if (!item.isSlice || item.start || item.end)
      tensor = sliceAxis(item, tensor, axis, frame);
    if (!tensor) break;
    axis += item.isSlice || isNewAxis(item);
  }
  dimBounds.erase("width");
  return tensor ? Meaning(tensor) : Meaning();
}

/// A start, an end or an index: a size, counted from the end of the axis when negative.
std::optional<Dim> Emitter::bound(const Expr *expr, const Dim &otherwise, const Dim &extent, Frame &frame) {
  if (!expr) return otherwise;
  Meaning meaning = evaluate(*expr, frame);
  if (meaning.isPoison()) return std::nullopt;
  std::optional<Dim> size = meaning.asSize();
  if (!size) {
    NoteAdder notes = error(expr->range, "expected an integer, a dim or a run-time width as index, but got " + meaning.text(), frame);
    if (meaning.is<mlir::Value>()) notes.note(expr->range, "embedding(table, ids) takes rows by number");
    return std::nullopt;
  }
  std::optional<int64_t> constant = size->asConstant();
  return constant && *constant < 0 ? extent + *size : *size;
}

/// The least (or largest) value of a size, its names between `smallest` and their bounds.
static double extreme(const Dim &size, const llvm::StringMap<int64_t> &bounds, bool least, double smallest = 1) {
  double total = 0;
  for (const auto &[monomial, coefficient] : size.getTerms()) {
    double term = coefficient;
    for (const std::string &name : monomial)
      term *= (coefficient > 0) == least ? smallest : bounds.lookup(name);
    total += term;
  }
  return total;
}

/// A size as it was written: counted from the end when it is negative, with its largest value when it is not known.
std::string Emitter::limitText(const Dim &limit, const Dim &extent) const {
  std::optional<int64_t> constant = limit.asConstant(), room = extent.asConstant();
  if (constant && room && *constant < 0) return std::to_string(*constant - *room);
  if (constant || !room) return limit.str();
  return limit.str() + ", which may be " + std::to_string(static_cast<int64_t>(extreme(limit, dimBounds, false)));
}

/// An empty dim is refused at the call, but only where it would matter: x[:1] of an empty axis.
void Emitter::requireSizes(const Dim &start, const Dim &end, const Dim &extent) {
  bool holdsWhenEmpty = true;
  for (const Dim &distance : {extent - end, start, end - start})
    holdsWhenEmpty &= extreme(distance, dimBounds, true, 0) >= 0;
  for (const Dim &size : {start, end, extent})
    for (const auto &[monomial, coefficient] : size.getTerms())
      for (const std::string &name : monomial)
        if (!holdsWhenEmpty && name != "width") leastDims[name] = 1; // the width at hand of a nested value is never 0
}

/// Requires 0 <= start < end <= extent for every size that their names may take.
bool Emitter::checkPart(const IndexItem &item, const Dim &start, const Dim &end, const Dim &extent, const Frame &frame) {
  bool inside = extreme(extent - end, dimBounds, true) >= 0;
  bool ordered = extreme(start, dimBounds, true) >= 0 && extreme(end - start, dimBounds, true) >= 0 && end != start;
  if (inside && ordered) {
    requireSizes(start, end, extent);
    return true;
  }
  error(item.range,
        "expected " + llvm::Twine(item.isSlice ? "a part of" : "an index into") + " an axis of size " + extent.str() + ", but " +
            (!item.isSlice ? "got " + limitText(start, extent)
             : !inside     ? "it ends at " + limitText(end, extent)
                           : "it begins at " + limitText(start, extent) + " and ends at " + limitText(end, extent)),
        frame);
  return false;
}

mlir::Value Emitter::newAxis(const IndexItem &item, mlir::Value tensor, int64_t axis, Frame &frame) {
  mlir::Value result;
  captured(item.range, frame, [&]() -> mlir::LogicalResult {
    mlir::FailureOr<mlir::Value> wider = buildNewAxis(builder, locationOf(item.range), tensor, axis);
    if (mlir::succeeded(wider)) result = *wider;
    return wider;
  });
  return result;
}

mlir::Value Emitter::sliceAxis(const IndexItem &item, mlir::Value tensor, int64_t axis, Frame &frame) {
  Dim extent = dimsOf(tensor.getType())[axis];
  std::optional<Dim> start = bound(item.start.get(), Dim(), extent, frame);
  std::optional<Dim> end = item.isSlice ? bound(item.end.get(), extent, extent, frame)
                           : start      ? std::optional<Dim>(*start + Dim::constant(1))
                                        : std::nullopt;
  if (!start || !end || !checkPart(item, *start, *end, extent, frame)) return {};
  mlir::Value result;
  captured(item.range, frame, [&]() -> mlir::LogicalResult {
    mlir::Location location = locationOf(item.range);
    mlir::FailureOr<mlir::Value> part = item.isSlice ? buildSlice(builder, location, tensor, axis, *start, *end - *start)
                                                     : buildIndex(builder, location, tensor, axis, *start);
    if (mlir::succeeded(part)) result = *part;
    return part;
  });
  return result;
}
