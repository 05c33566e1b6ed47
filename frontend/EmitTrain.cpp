// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `train M.f { ... }` to the attribute `nacre.train`, every setting checked and every default filled in:
//
//   {function = "loss", batch = 128, epochs = 40 | steps = 5000, seed = 0, metric? = "accuracy", data = {x = "images"},
//    optimizer = {name = "adamw", lr = 2e-3, ...}, schedule = {name = "cosine", warmup = 50},
//    train? = array<i64: 0, 1437> (rows, the second excluded) | "indices.npy", test? = likewise}
#include "dialects/Nacre/IR/Ops/OptimizerTable.h"
#include "frontend/Emitter.h"

#include "llvm/ADT/StringExtras.h"

using namespace nacre;

namespace {

using Option = MethodOption;

/// An optimiser or a schedule, as it is written.
struct Method {
  llvm::StringRef name;
  llvm::ArrayRef<Option> options;
};

std::vector<Method> optimizerMethods() {
  std::vector<Method> methods;
  for (const Optimizer &optimizer : optimizers())
    methods.push_back({optimizer.name, optimizer.options});
  return methods;
}

const Option kWarmup[] = {{"warmup", 0, Option::Count}};
const Method kSchedules[] = {{"constant", kWarmup}, {"linear", kWarmup}, {"cosine", kWarmup}};

const llvm::StringRef kSettings[] = {"optimizer", "schedule", "batch", "epochs", "steps", "seed", "data", "train", "test", "metric"};
/// Settings of the whole language that this version lacks.
const llvm::StringRef kLaterSettings[] = {"clip", "ema", "accumulate", "noise", "precision"};

} // namespace

namespace nacre {

class TrainEmitter {
public:
  TrainEmitter(Emitter &emitter, const TrainDecl &decl, mlir::ModuleOp module)
      : emitter(emitter), diagnostics(emitter.diagnostics), builder(emitter.builder), decl(decl), module(module) {}

  void run() {
    function = checkFunction(decl.function);
    for (const TrainEntry &entry : decl.entries)
      collect(entry);
    checkAmount();
    settings.set("function", builder.getStringAttr(decl.function.text));
    if (!settings.get("seed")) settings.set("seed", builder.getI64IntegerAttr(0));
    if (!settings.get("optimizer")) settings.set("optimizer", method(optimizerMethods().front(), {}));
    if (!settings.get("schedule")) settings.set("schedule", method(kSchedules[0], {}));
    if (!settings.get("data")) settings.set("data", builder.getDictionaryAttr({}));
    module->setAttr("nacre.train", settings.getDictionary(builder.getContext()));
  }

private:
  void complain(llvm::SMRange range, const llvm::Twine &expected, const Meaning &got) {
    if (!got.isPoison()) diagnostics.error(range, "expected " + expected + ", but got " + got.text());
  }

  /// The emitted function of that name, if its inputs can come from a data file.
  mlir::func::FuncOp checkFunction(const Name &name) {
    const FunctionDecl *declared = emitter.root.function(name.text);
    if (!declared) {
      llvm::SmallVector<llvm::StringRef> names;
      for (const DeclPtr &member : *emitter.root.members)
        if (llvm::isa<FunctionDecl>(member.get())) names.push_back(member->name.text);
      NoteAdder notes =
          diagnostics.error(name.range, "expected a function of " + emitter.root.kind + ", but it has none named '" + name.text + "'");
      llvm::StringRef nearest = nearestName(name.text, names);
      if (!nearest.empty()) notes.note(name.range, "did you mean '" + nearest + "'");
      return {};
    }
    if (!declared->isTyped()) {
      diagnostics.error(name.range, "expected a function whose inputs all have types, but '" + name.text + "' has one without")
          .note(declared->name.range, "'" + name.text + "' is declared here");
      return {};
    }
    auto op = module.lookupSymbol<mlir::func::FuncOp>(name.text);
    if (!op) return {}; // it was wrong and has been reported
    mlir::Type result = op.getFunctionType().getResult(0);
    auto nested = llvm::dyn_cast<NestedType>(result);
    auto plain = nested ? nested.getElement() : llvm::cast<mlir::RankedTensorType>(result);
    bool isMetric = name.range.Start != decl.function.range.Start;
    if (plain.getRank() != 0 || !plain.getElementType().isF32() || (nested && !isMetric))
      diagnostics.error(name.range, "expected a function that returns f32, but '" + name.text + "' returns " + typeText(result))
          .note(declared->name.range, "'" + name.text + "' is declared here");
    for (unsigned i = 0; i < op.getNumArguments(); ++i)
      checkInput(name, declared->inputs[i], op, i);
    return op;
  }

  void checkInput(const Name &name, const InputDecl &input, mlir::func::FuncOp op, unsigned index) {
    inputs.push_back(input.name.text);
    auto tensor = llvm::cast<mlir::RankedTensorType>(op.getArgumentTypes()[index]);
    Dims dims = dimsOf(tensor);
    bool isRows = !dims.empty() && !dims[0].asConstant();
    if (!isRows)
      diagnostics
          .error(name.range, "expected inputs whose first axis is a dim, the batch, but '" + input.name.text + "' is " + typeText(tensor))
          .note(input.name.range, "'" + input.name.text + "' is declared here");
    if (isRows && emitter.dimBounds.count(dims[0].str())) rowBound = std::min(rowBound, emitter.dimBounds[dims[0].str()]);
  }

  void collect(const TrainEntry &entry) {
    llvm::StringRef key = entry.key.text;
    if (llvm::is_contained(kLaterSettings, key)) {
      diagnostics.error(entry.key.range, "'" + key + "' in a train block is part of the language but not available in this version");
      return;
    }
    if (!llvm::is_contained(kSettings, key)) {
      NoteAdder notes = diagnostics.error(entry.key.range, "expected a setting (" + llvm::join(llvm::ArrayRef(kSettings), ", ") +
                                                               "), but got '" + key + "'");
      llvm::StringRef nearest = nearestName(key, kSettings);
      if (!nearest.empty()) notes.note(entry.key.range, "did you mean '" + nearest + "'");
      return;
    }
    auto [first, isNew] = seen.try_emplace(key, entry.key.range);
    if (!isNew) {
      diagnostics.error(entry.key.range, "'" + key + "' is set twice").note(first->second, "'" + key + "' is set here");
      return;
    }
    if (mlir::Attribute value = valueOf(key, *entry.value)) settings.set(key, value);
  }

  mlir::Attribute valueOf(llvm::StringRef key, const Expr &value) {
    if (key == "optimizer") return chooseMethod(value, optimizerMethods(), "an optimizer");
    if (key == "schedule") return chooseMethod(value, kSchedules, "a schedule");
    if (key == "data") return dataMap(value);
    if (key == "train" || key == "test") return rows(value);
    if (key == "metric") return metric(value);
    return count(value, /*least=*/key == "seed" ? 0 : 1);
  }

  Meaning evaluate(const Expr &expr) {
    Frame constants;
    return emitter.evaluate(expr, constants);
  }

  mlir::Attribute count(const Expr &value, int64_t least) {
    Meaning meaning = evaluate(value);
    const auto *number = meaning.as<int64_t>();
    if (number && *number >= least && *number <= INT32_MAX) return builder.getI64IntegerAttr(*number);
    complain(value.range, "an integer of at least " + llvm::Twine(least), meaning);
    return {};
  }

  /// adamw(lr = 2e-3), or only the name
  mlir::Attribute chooseMethod(const Expr &value, llvm::ArrayRef<Method> table, llvm::StringRef what) {
    const auto *call = llvm::dyn_cast<CallExpr>(&value);
    const auto *name = llvm::dyn_cast<NameExpr>(call ? call->callee.get() : &value);
    llvm::SmallVector<llvm::StringRef> names;
    for (const Method &candidate : table)
      names.push_back(candidate.name);
    if (name)
      for (const Method &candidate : table)
        if (candidate.name == name->name)
          return method(candidate, call ? llvm::ArrayRef<Argument>(call->arguments) : llvm::ArrayRef<Argument>());
    diagnostics.error(value.range, "expected " + what + " (" + llvm::join(names, ", ") + ")" +
                                       (name ? ", but got '" + name->name + "'" : llvm::Twine("")));
    return {};
  }

  mlir::Attribute method(const Method &chosen, llvm::ArrayRef<Argument> arguments) {
    mlir::NamedAttrList list;
    list.set("name", builder.getStringAttr(chosen.name));
    for (const Option &option : chosen.options)
      list.set(option.name, attributeOf(option, option.defaultValue));
    llvm::SmallVector<llvm::StringRef> given;
    size_t next = 0;
    for (const Argument &argument : arguments) {
      llvm::StringRef name = argument.name ? argument.name->text : next < chosen.options.size() ? chosen.options[next++].name : "";
      auto option = llvm::find_if(chosen.options, [&](const Option &candidate) { return candidate.name == name; });
      if (option == chosen.options.end() || llvm::is_contained(given, name)) {
        llvm::SmallVector<llvm::StringRef> names;
        for (const Option &candidate : chosen.options)
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

  mlir::Attribute attributeOf(const Option &option, double value) {
    if (option.kind == Option::Count) return builder.getI64IntegerAttr(static_cast<int64_t>(value));
    if (option.kind == Option::Flag) return builder.getBoolAttr(value != 0);
    return builder.getF64FloatAttr(value);
  }

  mlir::Attribute optionValue(const Option &option, const Expr &expr) {
    if (option.kind == Option::Count) return count(expr, 0);
    Meaning meaning = evaluate(expr);
    const auto *flag = meaning.as<bool>();
    if (option.kind == Option::Flag) {
      if (flag) return builder.getBoolAttr(*flag);
      complain(expr.range, "true or false", meaning);
      return {};
    }
    std::optional<double> number = meaning.asReal();
    bool fits =
        number && *number >= 0 && (option.kind != Option::Positive || *number > 0) && (option.kind != Option::BelowOne || *number < 1);
    if (fits) return builder.getF64FloatAttr(*number);
    llvm::StringRef what = option.kind == Option::Positive   ? "a number above 0"
                           : option.kind == Option::BelowOne ? "a number from 0 to below 1"
                                                             : "a number of at least 0";
    complain(expr.range, what + " for '" + option.name + "'", meaning);
    return {};
  }

  /// { x: "images" }
  mlir::Attribute dataMap(const Expr &value) {
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
  mlir::Attribute rows(const Expr &value) {
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
  mlir::Attribute metric(const Expr &value) {
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

  /// What belongs together: epochs or steps, a batch that fits the dim, names of inputs.
  void checkAmount() {
    if (seen.count("epochs") && seen.count("steps"))
      diagnostics.error(seen["steps"], "expected epochs or steps, but got both").note(seen["epochs"], "'epochs' is set here");
    if (!seen.count("epochs") && !seen.count("steps"))
      diagnostics.error(decl.name.range, "expected epochs or steps in the train block, but got neither");
    if (!seen.count("batch")) diagnostics.error(decl.name.range, "expected batch in the train block, but got none");
    auto batch = llvm::dyn_cast_or_null<mlir::IntegerAttr>(settings.get("batch"));
    if (batch && batch.getInt() > rowBound)
      diagnostics.error(seen["batch"], "expected a batch of at most " + llvm::Twine(rowBound) + ", the bound of the inputs' dim, but got " +
                                           llvm::Twine(batch.getInt()));
    for (const Name &name : mapped)
      if (function && !llvm::is_contained(inputs, name.text))
        diagnostics.error(name.range, "expected an input of '" + decl.function.text + "', but it has none named '" + name.text + "'");
  }

  Emitter &emitter;
  Diagnostics &diagnostics;
  mlir::OpBuilder &builder;
  const TrainDecl &decl;
  mlir::ModuleOp module;
  mlir::func::FuncOp function;
  mlir::NamedAttrList settings;
  llvm::StringMap<llvm::SMRange> seen;
  std::vector<Name> mapped;
  std::vector<llvm::StringRef> inputs;
  int64_t rowBound = INT32_MAX;
};

} // namespace nacre

void Emitter::emitTrain(mlir::ModuleOp module) {
  const TrainDecl *first = nullptr;
  for (const TrainDecl *decl : program.all<TrainDecl>()) {
    if (!program.find<ModelDecl>(decl->name.text)) {
      NoteAdder notes = diagnostics.error(decl->name.range, "expected a model, but '" + decl->name.text + "' is not one");
      llvm::StringRef nearest = nearestName(decl->name.text, {model->name.text});
      if (!nearest.empty()) notes.note(decl->name.range, "did you mean '" + nearest + "'");
    }
    if (decl->name.text != model->name.text) continue;
    if (first)
      diagnostics.error(decl->name.range, "expected one train block a model, but got a second")
          .note(first->name.range, "the first is here");
    else
      TrainEmitter(*this, *decl, module).run();
    first = decl;
  }
}
