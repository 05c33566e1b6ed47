// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a training takes its inputs from, which rows it uses, and what it measures.
#include "frontend/TrainEmitter.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace nacre;

/// A name in the data file, or the value of an input that is one number.
mlir::Attribute TrainEmitter::dataEntry(const Expr &value) {
  if (const auto *text = llvm::dyn_cast<StringExpr>(&value); text && !text->value.empty()) return builder.getStringAttr(text->value);
  size_t before = diagnostics.errorCount();
  Meaning meaning = llvm::isa<StringExpr>(value) ? Meaning() : evaluate(value);
  if (meaning.isNumber()) return builder.getF64FloatAttr(*meaning.asReal());
  if (diagnostics.errorCount() == before) diagnostics.error(value.range, "expected a name in the data file, in quotes, or a number");
  return {};
}

void TrainEmitter::checkMapped(const Name &name) {
  if (!function) return;
  if (!llvm::is_contained(inputs, name.text)) {
    diagnostics.error(name.range, "expected an input of '" + decl.function.text + "', but it has none named '" + name.text + "'");
    return;
  }
  auto data = llvm::dyn_cast_or_null<mlir::DictionaryAttr>(settings.get("data"));
  bool isNumber = llvm::any_of(numberInputs, [&](const NumberInput &number) { return number.input->name.text == name.text; });
  if (data && data.getAs<mlir::FloatAttr>(name.text) && !isNumber)
    diagnostics.error(name.range, "expected a name in the data file, in quotes, for the rows of '" + name.text + "', but got a number");
}

/// A number has a value in `data`; one that the block leaves open must be a run-time width, which is drawn for every batch.
void TrainEmitter::checkNumber(const NumberInput &number) {
  llvm::StringRef name = number.input->name.text;
  auto data = llvm::dyn_cast_or_null<mlir::DictionaryAttr>(settings.get("data"));
  auto value = data ? data.getAs<mlir::FloatAttr>(name) : mlir::FloatAttr();
  if (!value && number.choices.empty())
    diagnostics.error(number.reader.range, "expected a value for '" + name + "', which is one number, such as data = { " + name + ": 0.5 }")
        .note(number.input->name.range, "'" + name + "' is declared here");
  double given = value ? value.getValueAsDouble() : 0;
  bool isChoice = number.choices.empty() || llvm::is_contained(number.choices, given);
  bool fits = !number.isInteger || (given == double(int64_t(given)) && llvm::isInt<32>(int64_t(given)));
  if (value && !(isChoice && fits))
    diagnostics
        .error(seen["data"],
               "expected '" + name + "' to be " + (isChoice ? "an i32" : "one of its choices") + ", but got " + llvm::formatv("{0:g}", given))
        .note(number.input->name.range, "'" + name + "' is declared here");
}

/// { x: "images", t: 0.5 }
mlir::Attribute TrainEmitter::dataMap(const Expr &value) {
  const auto *map = llvm::dyn_cast<MapExpr>(&value);
  if (!map) {
    diagnostics.error(value.range, "expected names in the data file, such as { x: \"images\" }");
    return {};
  }
  mlir::NamedAttrList list;
  for (const MapEntry &entry : map->entries) {
    if (list.get(entry.key.text)) {
      diagnostics.error(entry.key.range, "'" + entry.key.text + "' is set twice");
      continue;
    }
    if (mlir::Attribute attribute = dataEntry(*entry.value)) list.set(entry.key.text, attribute);
    mapped.push_back(entry.key);
  }
  return list.getDictionary(builder.getContext());
}

/// 0..1437 or indices("split.npy")
mlir::Attribute TrainEmitter::rows(const Expr &value) {
  const auto *call = llvm::dyn_cast<CallExpr>(&value);
  const auto *name = call ? llvm::dyn_cast<NameExpr>(call->callee.get()) : nullptr;
  if (name && name->name == "indices" && call->arguments.size() == 1)
    if (const auto *path = llvm::dyn_cast<StringExpr>(call->arguments[0].value.get()); path && !path->value.empty())
      return builder.getStringAttr(path->value);
  if (name && name->name == "indices") {
    diagnostics.error(value.range, "expected the path of a file of row numbers, in quotes, for indices");
    return {};
  }
  Meaning meaning = evaluate(value);
  const auto *range = meaning.as<Range>();
  if (!range || range->begin == range->end) {
    complain(value.range, "rows, such as 0..1000 or indices(\"split.npy\")", meaning);
    return {};
  }
  return builder.getDenseI64ArrayAttr({range->begin, range->end});
}

/// Digits.accuracy, or only its name
mlir::Attribute TrainEmitter::metric(const Expr &value) {
  const auto *member = llvm::dyn_cast<MemberExpr>(&value);
  const auto *owner = member ? llvm::dyn_cast<NameExpr>(member->base.get()) : nullptr;
  const auto *plain = llvm::dyn_cast<NameExpr>(&value);
  Name name = plain ? Name{plain->name, plain->range} : member ? member->member : Name();
  if (!plain && (!owner || owner->name != decl.name.text)) {
    diagnostics.error(value.range, "expected a function of " + decl.name.text + ", such as " + decl.name.text + ".accuracy");
    return {};
  }
  size_t before = diagnostics.errorCount();
  checkFunction(name);
  return diagnostics.errorCount() == before ? builder.getStringAttr(name.text) : mlir::Attribute();
}
