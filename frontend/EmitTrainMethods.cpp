// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Optimisers, schedules and noises: a name, with options in parentheses or without.
#include "frontend/TrainEmitter.h"

#include "llvm/ADT/StringExtras.h"

using namespace nacre;

static const MethodOption kWarmup[] = {{"warmup", 0, MethodOption::Count}};
static const TrainMethod kSchedules[] = {{"constant", kWarmup}, {"linear", kWarmup}, {"cosine", kWarmup}};
/// Neelakantan and others 2015: variance deviation^2 / step^decay; they use a decay of 0.55.
static const MethodOption kNormal[] = {{"deviation", 0.01, MethodOption::Positive}, {"decay", 0, MethodOption::NotNegative}};
static const TrainMethod kNoises[] = {{"normal", kNormal}};

static std::vector<TrainMethod> optimizerMethods() {
  std::vector<TrainMethod> methods;
  for (const Optimizer &optimizer : optimizers())
    methods.push_back({optimizer.name, optimizer.options});
  return methods;
}

mlir::DictionaryAttr TrainEmitter::defaultOptimizer() { return method(optimizerMethods().front(), {}); }
mlir::DictionaryAttr TrainEmitter::defaultSchedule() { return method(kSchedules[0], {}); }
mlir::Attribute TrainEmitter::optimizer(const Expr &value) { return chooseMethod(value, optimizerMethods(), "an optimizer"); }
mlir::Attribute TrainEmitter::schedule(const Expr &value) { return chooseMethod(value, kSchedules, "a schedule"); }
mlir::Attribute TrainEmitter::noise(const Expr &value) { return chooseMethod(value, kNoises, "a noise"); }

/// adamw(lr = 2e-3), or only the name
mlir::Attribute TrainEmitter::chooseMethod(const Expr &value, llvm::ArrayRef<TrainMethod> table, llvm::StringRef what) {
  const auto *call = llvm::dyn_cast<CallExpr>(&value);
  const auto *name = llvm::dyn_cast<NameExpr>(call ? call->callee.get() : &value);
  llvm::SmallVector<llvm::StringRef> names;
  for (const TrainMethod &candidate : table)
    names.push_back(candidate.name);
  if (name)
    for (const TrainMethod &candidate : table)
      if (candidate.name == name->name)
        return method(candidate, call ? llvm::ArrayRef<Argument>(call->arguments) : llvm::ArrayRef<Argument>());
  diagnostics.error(value.range, "expected " + what + " (" + llvm::join(names, ", ") + ")" +
                                     (name ? ", but got '" + name->name + "'" : llvm::Twine("")));
  return {};
}

/// `arguments` over `defaults`, or over the table's.
mlir::DictionaryAttr TrainEmitter::method(const TrainMethod &chosen, llvm::ArrayRef<Argument> arguments, mlir::DictionaryAttr defaults) {
  mlir::NamedAttrList list;
  list.set("name", builder.getStringAttr(chosen.name));
  for (const MethodOption &option : chosen.options)
    list.set(option.name, defaults ? defaults.get(option.name) : attributeOf(option, option.defaultValue));
  llvm::SmallVector<llvm::StringRef> given;
  size_t next = 0;
  for (const Argument &argument : arguments) {
    llvm::StringRef name = argument.name ? argument.name->text : next < chosen.options.size() ? chosen.options[next++].name : "";
    auto option = llvm::find_if(chosen.options, [&](const MethodOption &candidate) { return candidate.name == name; });
    if (option == chosen.options.end() || llvm::is_contained(given, name)) {
      llvm::SmallVector<llvm::StringRef> names;
      for (const MethodOption &candidate : chosen.options)
        names.push_back(candidate.name);
      diagnostics.error(argument.name ? argument.name->range : argument.value->range,
                        "expected each argument of " + chosen.name + " (" + llvm::join(names, ", ") + ") at most once, but got " +
                            (name.empty() ? llvm::Twine("more") : "'" + name + "'"));
      continue;
    }
    given.push_back(name);
    if (mlir::Attribute value = optionValue(*option, *argument.value)) list.set(name, value);
  }
  return list.getDictionary(builder.getContext());
}

mlir::Attribute TrainEmitter::attributeOf(const MethodOption &option, double value) {
  if (option.kind == MethodOption::Count) return builder.getI64IntegerAttr(static_cast<int64_t>(value));
  if (option.kind == MethodOption::Flag) return builder.getBoolAttr(value != 0);
  return builder.getF64FloatAttr(value);
}

mlir::Attribute TrainEmitter::optionValue(const MethodOption &option, const Expr &expr) {
  if (option.kind == MethodOption::Count) return count(expr, 0);
  Meaning meaning = evaluate(expr);
  const auto *flag = meaning.as<bool>();
  if (option.kind == MethodOption::Flag) {
    if (flag) return builder.getBoolAttr(*flag);
    complain(expr.range, "true or false", meaning);
    return {};
  }
  std::optional<double> number = meaning.asReal();
  bool fits =
      number && *number >= 0 && (option.kind != MethodOption::Positive || *number > 0) && (option.kind != MethodOption::BelowOne || *number < 1);
  if (fits) return builder.getF64FloatAttr(*number);
  llvm::StringRef what = option.kind == MethodOption::Positive   ? "a number above 0"
                         : option.kind == MethodOption::BelowOne ? "a number from 0 to below 1"
                                                           : "a number of at least 0";
  complain(expr.range, what + " for '" + option.name + "'", meaning);
  return {};
}
