// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The settings of a train block, one after the other, and what belongs together.
#include "frontend/TrainEmitter.h"

#include "llvm/ADT/StringExtras.h"

using namespace nacre;

static const llvm::StringRef kSettings[] = {"optimizer", "schedule", "batch",  "epochs",    "steps",  "seed",  "data",
                                            "train",     "test",     "metric", "groups",    "frozen", "trainable", "unit_rows",
                                            "clip",      "noise",    "ema",    "accumulate"};
/// Settings of the whole language that this version lacks.
static const llvm::StringRef kLaterSettings[] = {"precision"};

void TrainEmitter::run() {
  function = checkFunction(decl.function);
  for (const TrainEntry &entry : decl.entries)
    collect(entry);
  checkAmount();
  settings.set("function", builder.getStringAttr(decl.function.text));
  if (!settings.get("seed")) settings.set("seed", builder.getI64IntegerAttr(0));
  if (!settings.get("optimizer")) settings.set("optimizer", defaultOptimizer());
  if (!settings.get("schedule")) settings.set("schedule", defaultSchedule());
  if (!settings.get("data")) settings.set("data", builder.getDictionaryAttr({}));
  collectFrozen();
  collectGroups();
  emitParts();
  module->setAttr("nacre.train", settings.getDictionary(builder.getContext()));
}

void TrainEmitter::complain(llvm::SMRange range, const llvm::Twine &expected, const Meaning &got) {
  if (!got.isPoison()) diagnostics.error(range, "expected " + expected + ", but got " + got.text());
}

/// The emitted function of that name, if its inputs can come from a data file.
mlir::func::FuncOp TrainEmitter::checkFunction(const Name &name) {
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
  for (unsigned i = 0; i < declared->inputs.size(); ++i) // behind them may come what random draws need
    checkInput(name, declared->inputs[i], op, i);
  return op;
}

void TrainEmitter::checkInput(const Name &name, const InputDecl &input, mlir::func::FuncOp op, unsigned index) {
  inputs.push_back(input.name.text);
  auto tensor = llvm::cast<mlir::RankedTensorType>(op.getArgumentTypes()[index]);
  Dims dims = dimsOf(tensor);
  if (dims.empty()) {
    auto choices = op.getArgAttrOfType<mlir::DenseI64ArrayAttr>(index, "nacre.choices");
    numberInputs.push_back({name, &input, tensor.getElementType().isInteger(32), choices ? choices.asArrayRef().vec() : std::vector<int64_t>()});
    return;
  }
  bool isRows = !dims[0].asConstant();
  if (!isRows)
    diagnostics
        .error(name.range, "expected inputs whose first axis is a dim, the batch, but '" + input.name.text + "' is " + typeText(tensor))
        .note(input.name.range, "'" + input.name.text + "' is declared here");
  if (isRows && emitter.dimBounds.count(dims[0].str())) rowBound = std::min(rowBound, emitter.dimBounds[dims[0].str()]);
}

/// Blocks come last: they see what the loss function may be called with.
void TrainEmitter::emitParts() {
  const FunctionDecl *loss = emitter.root.function(decl.function.text);
  for (const TrainEntry &entry : decl.entries)
    if (!entry.value && function && seen[entry.key.text].Start == entry.key.range.Start) emitter.emitPart(entry, *loss);
}

void TrainEmitter::collect(const TrainEntry &entry) {
  llvm::StringRef key = entry.key.text;
  if (llvm::is_contained(kLaterSettings, key)) {
    diagnostics.error(entry.key.range, "'" + key + "' in a train block is part of the language but not available in this version");
    return;
  }
  if (entry.value ? !llvm::is_contained(kSettings, key) : key != "update" && key != "after_step") {
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
  if (!entry.value) return;
  if (key == "frozen" || key == "trainable" || key == "groups") {
    later[key] = entry.value.get();
    return;
  }
  if (mlir::Attribute value = valueOf(key, *entry.value)) settings.set(key, value);
}

mlir::Attribute TrainEmitter::valueOf(llvm::StringRef key, const Expr &value) {
  if (key == "optimizer") return optimizer(value);
  if (key == "schedule") return schedule(value);
  if (key == "noise") return noise(value);
  if (key == "data") return dataMap(value);
  if (key == "train" || key == "test") return rows(value);
  if (key == "metric") return metric(value);
  if (key == "unit_rows") return parameterList(value);
  if (key == "clip") return real(value, MethodOption::Positive, key);
  if (key == "ema") return real(value, MethodOption::BelowOne, key);
  return count(value, /*least=*/key == "seed" ? 0 : 1);
}

Meaning TrainEmitter::evaluate(const Expr &expr) {
  Frame constants;
  return emitter.evaluate(expr, constants);
}

mlir::Attribute TrainEmitter::count(const Expr &value, int64_t least) {
  Meaning meaning = evaluate(value);
  const auto *number = meaning.as<int64_t>();
  if (number && *number >= least && *number <= INT32_MAX) return builder.getI64IntegerAttr(*number);
  complain(value.range, "an integer of at least " + llvm::Twine(least), meaning);
  return {};
}

mlir::Attribute TrainEmitter::real(const Expr &value, MethodOption::Kind kind, llvm::StringRef name) {
  return optionValue(MethodOption{name, 0, kind}, value);
}

/// What belongs together: epochs or steps, a batch that fits the dim, names of inputs.
void TrainEmitter::checkAmount() {
  if (seen.count("epochs") && seen.count("steps"))
    diagnostics.error(seen["steps"], "expected epochs or steps, but got both").note(seen["epochs"], "'epochs' is set here");
  if (!seen.count("epochs") && !seen.count("steps"))
    diagnostics.error(decl.name.range, "expected epochs or steps in the train block, but got neither");
  if (!seen.count("batch")) diagnostics.error(decl.name.range, "expected batch in the train block, but got none");
  auto batch = llvm::dyn_cast_or_null<mlir::IntegerAttr>(settings.get("batch"));
  if (batch && batch.getInt() > rowBound)
    diagnostics.error(seen["batch"], "expected a batch of at most " + llvm::Twine(rowBound) + ", the bound of the inputs' dim, but got " +
                                         llvm::Twine(batch.getInt()));
  for (const NumberInput &number : numberInputs)
    checkNumber(number);
  for (const Name &name : mapped)
    checkMapped(name);
}

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
