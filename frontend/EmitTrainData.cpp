// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a training takes its inputs from, which rows it uses, and what it measures.
#include "frontend/TrainEmitter.h"

using namespace nacre;

/// { x: "images" }
mlir::Attribute TrainEmitter::dataMap(const Expr &value) {
  const auto *map = llvm::dyn_cast<MapExpr>(&value);
  if (!map) {
    diagnostics.error(value.range, "expected names in the data file, such as { x: \"images\" }");
    return {};
  }
  mlir::NamedAttrList list;
  for (const MapEntry &entry : map->entries) {
    const auto *text = llvm::dyn_cast<StringExpr>(entry.value.get());
    if (!text || text->value.empty())
      diagnostics.error(entry.value->range, "expected a name in the data file, in quotes");
    else if (list.get(entry.key.text))
      diagnostics.error(entry.key.range, "'" + entry.key.text + "' is set twice");
    else
      list.set(entry.key.text, builder.getStringAttr(text->value));
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
