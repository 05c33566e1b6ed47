// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names of parameters in a train block: what is frozen, grouped or held at unit rows. A name is that of a parameter (w, head.w), of a layer
// (encoder, blocks[0]) or of the model, and means all parameters below it.
#include "frontend/TrainEmitter.h"

#include "llvm/ADT/StringExtras.h"

using namespace nacre;

/// blocks[0].wq as "blocks.0.wq"; nothing when it is no such name.
std::optional<std::string> TrainEmitter::pathOf(const Expr &expr) {
  if (const auto *name = llvm::dyn_cast<NameExpr>(&expr)) return name->name.str();
  if (const auto *member = llvm::dyn_cast<MemberExpr>(&expr)) {
    std::optional<std::string> base = pathOf(*member->base);
    return base ? std::optional<std::string>(*base + "." + member->member.text.str()) : std::nullopt;
  }
  const auto *index = llvm::dyn_cast<IndexExpr>(&expr);
  if (!index || index->items.size() != 1 || index->items[0].isSlice) return std::nullopt;
  std::optional<std::string> base = pathOf(*index->base);
  Meaning position = evaluate(*index->items[0].start);
  const auto *number = position.as<int64_t>();
  return base && number ? std::optional<std::string>(*base + "." + std::to_string(*number)) : std::nullopt;
}

/// Full names; empty after an error.
llvm::SmallVector<std::string> TrainEmitter::parametersAt(const Expr &expr) {
  llvm::SmallVector<std::string> found, known;
  std::optional<std::string> path = pathOf(expr);
  std::string prefix = path.value_or("");
  if (prefix == decl.name.text)
    prefix = "";
  else if (llvm::StringRef(prefix).starts_with((decl.name.text + ".").str()))
    prefix = prefix.substr(decl.name.text.size() + 1);
  for (ParameterOp parameter : module.getOps<ParameterOp>()) {
    llvm::StringRef name = parameter.getSymName();
    if (parameter.getRole() != "param") continue;
    known.push_back(name.str());
    if (path && (prefix.empty() || name == prefix || name.starts_with(prefix + "."))) found.push_back(name.str());
  }
  if (!found.empty()) return found;
  NoteAdder notes = diagnostics.error(expr.range, "expected a parameter, a layer or the model" +
                                                      (path ? ", but '" + *path + "' is none" : std::string(", such as w or blocks[0]")));
  llvm::SmallVector<llvm::StringRef> names(known.begin(), known.end());
  llvm::StringRef nearest = path ? nearestName(prefix, names) : "";
  if (!nearest.empty()) notes.note(expr.range, "did you mean '" + nearest + "'");
  return {};
}

/// [w, encoder]
mlir::Attribute TrainEmitter::parameterList(const Expr &value) {
  const auto *list = llvm::dyn_cast<ListExpr>(&value);
  if (!list) {
    diagnostics.error(value.range, "expected a list of parameters, layers or the model, such as [w, encoder]");
    return {};
  }
  llvm::SetVector<llvm::StringRef> names;
  llvm::SmallVector<mlir::Attribute> attributes;
  for (const ExprPtr &item : list->items)
    for (const std::string &name : parametersAt(*item)) {
      mlir::StringAttr attribute = builder.getStringAttr(name);
      if (names.insert(attribute.getValue())) attributes.push_back(attribute);
    }
  return builder.getArrayAttr(attributes);
}

/// `frozen` leaves out, `trainable` lets in; of two names that cover a parameter the longer one decides. With `trainable` alone
/// everything else is frozen.
void TrainEmitter::collectFrozen() {
  llvm::StringMap<size_t> marks[2]; // frozen, trainable
  const llvm::StringRef keys[2] = {"frozen", "trainable"};
  for (int i = 0; i < 2; ++i) {
    const Expr *value = later.lookup(keys[i]);
    const auto *list = llvm::dyn_cast_or_null<ListExpr>(value);
    if (value && !list) (void)parameterList(*value); // reports
    for (size_t item = 0; list && item < list->items.size(); ++item) {
      std::string path = pathOf(*list->items[item]).value_or("");
      size_t depth = path == decl.name.text ? 0 : path.size();
      for (const std::string &name : parametersAt(*list->items[item])) {
        size_t &mark = marks[i][name];
        mark = std::max(mark, depth + 1);
      }
    }
  }
  llvm::SmallVector<mlir::Attribute> frozen;
  size_t parameters = 0;
  for (ParameterOp parameter : module.getOps<ParameterOp>()) {
    if (parameter.getRole() != "param") continue;
    ++parameters;
    size_t out = marks[0].lookup(parameter.getSymName()), in = marks[1].lookup(parameter.getSymName());
    bool isFrozen = out > 0 || in > 0 ? out >= in : later.count("trainable") && !later.count("frozen");
    if (isFrozen) frozen.push_back(parameter.getSymNameAttr());
  }
  if (!frozen.empty() && frozen.size() == parameters)
    diagnostics.error(decl.name.range, "expected a parameter to train, but all are frozen");
  if (!frozen.empty()) settings.set("frozen", builder.getArrayAttr(frozen));
}

/// [group(head, lr = 1e-2), group(encoder, blocks[0], optimizer = sgd(lr = 0.1))]
void TrainEmitter::collectGroups() {
  const Expr *value = later.lookup("groups");
  if (!value) return;
  const auto *list = llvm::dyn_cast<ListExpr>(value);
  llvm::StringMap<llvm::SMRange> grouped;
  llvm::SmallVector<mlir::Attribute> groups;
  for (size_t i = 0; list && i < list->items.size(); ++i) {
    const auto *call = llvm::dyn_cast<CallExpr>(list->items[i].get());
    const auto *name = call ? llvm::dyn_cast<NameExpr>(call->callee.get()) : nullptr;
    if (!name || name->name != "group")
      diagnostics.error(list->items[i]->range, "expected a group, such as group(head, lr = 1e-3)");
    else if (mlir::Attribute made = group(*call, grouped))
      groups.push_back(made);
  }
  if (!list) diagnostics.error(value->range, "expected a list of groups, such as [group(head, lr = 1e-3)]");
  settings.set("groups", builder.getArrayAttr(groups));
}

mlir::Attribute TrainEmitter::group(const CallExpr &call, llvm::StringMap<llvm::SMRange> &grouped) {
  llvm::SmallVector<mlir::Attribute> names;
  size_t places = 0;
  for (; places < call.arguments.size() && !call.arguments[places].name; ++places)
    for (const std::string &name : parametersAt(*call.arguments[places].value)) {
      auto [first, isNew] = grouped.try_emplace(name, call.arguments[places].value->range);
      if (!isNew)
        diagnostics.error(call.arguments[places].value->range, "expected each parameter in one group, but '" + name + "' is in two")
            .note(first->second, "the first is here");
      names.push_back(builder.getStringAttr(name));
    }
  if (places == 0) {
    diagnostics.error(call.range, "expected parameters, layers or the model in a group, but got none");
    return {};
  }
  mlir::DictionaryAttr options = groupOptimizer(llvm::ArrayRef<Argument>(call.arguments).drop_front(places));
  if (!options) return {};
  return builder.getDictionaryAttr({builder.getNamedAttr("parameters", builder.getArrayAttr(names)),
                                    builder.getNamedAttr("optimizer", options)});
}

/// The train block's optimiser with other options, or another one: optimizer = sgd(lr = 0.1).
mlir::DictionaryAttr TrainEmitter::groupOptimizer(llvm::ArrayRef<Argument> options) {
  if (options.size() == 1 && options[0].name && options[0].name->text == "optimizer")
    return llvm::dyn_cast_or_null<mlir::DictionaryAttr>(optimizer(*options[0].value));
  auto base = llvm::cast<mlir::DictionaryAttr>(settings.get("optimizer"));
  const Optimizer *known = findOptimizer(base.getAs<mlir::StringAttr>("name").getValue());
  return method({known->name, known->options}, options, base);
}
