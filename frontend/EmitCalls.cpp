// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls of the program's own functions, inlined, and what only the frontend can answer (shape, len, log2).
#include "frontend/Emitter.h"

#include "llvm/Support/MathExtras.h"

using namespace nacre;

Meaning Emitter::evaluateCall(const CallExpr &call, Frame &frame) {
  if (const auto *name = llvm::dyn_cast<NameExpr>(call.callee.get())) return callNamed(call, *name, frame);
  if (const auto *member = llvm::dyn_cast<MemberExpr>(call.callee.get())) return callMember(call, *member, frame);
  error(call.callee->range, "expected the name of a function before '('", frame);
  return {};
}

/// A function of the model or layer, of the file, of the frontend, an operator: the first of that name.
Meaning Emitter::callNamed(const CallExpr &call, const NameExpr &name, Frame &frame) {
  if (frame.owner)
    if (const FunctionDecl *function = frame.owner->function(name.name)) return callFunction(call, *function, frame.owner, frame);
  if (const auto *function = program.find<FunctionDecl>(name.name)) return callFunction(call, *function, nullptr, frame);
  if (std::optional<Meaning> meaning = callIntrinsic(call, name.name, frame)) return *meaning;
  if (std::optional<Meaning> meaning = callRandom(call, name.name, frame)) return *meaning;
  if (const Builtin *builtin = findBuiltin(name.name)) return callBuiltin(call, *builtin, frame);
  if (name.name == "unit_rows") return callBuiltin(call, *findBuiltin("normalize"), frame); // of the last axis, as the initialiser
  llvm::SmallVector<llvm::StringRef> names = {"shape", "len", "log2", "random_uniform", "random_normal"};
  for (const Builtin &builtin : builtins())
    names.push_back(builtin.name);
  for (const FunctionDecl *function : program.all<FunctionDecl>())
    names.push_back(function->name.text);
  if (frame.owner)
    for (const DeclPtr &member : *frame.owner->members)
      if (llvm::isa<FunctionDecl>(member.get())) names.push_back(member->name.text);
  NoteAdder notes = error(name.range, "expected a known function, but '" + name.name + "' is not declared", frame);
  llvm::StringRef nearest = nearestName(name.name, names);
  if (!nearest.empty()) notes.note(name.range, "did you mean '" + nearest + "'");
  return {};
}

Meaning Emitter::callMember(const CallExpr &call, const MemberExpr &member, Frame &frame) {
  const auto *name = llvm::dyn_cast<NameExpr>(member.base.get());
  bool isModel = name && program.find<ModelDecl>(name->name);
  const Instance *named = isModel ? modelNamed(name->name, name->range, frame) : nullptr;
  if (isModel && !named) return {};
  Meaning base = named ? Meaning(named) : evaluate(*member.base, frame);
  if (base.isPoison()) return {};
  const auto *instance = base.as<const Instance *>();
  if (!instance) {
    error(member.base->range, "expected a layer before '." + member.member.text + "', but got " + base.text(), frame);
    return {};
  }
  if (const FunctionDecl *function = (*instance)->function(member.member.text)) return callFunction(call, *function, *instance, frame);
  llvm::SmallVector<llvm::StringRef> names;
  for (const DeclPtr &decl : *(*instance)->members)
    if (llvm::isa<FunctionDecl>(decl.get())) names.push_back(decl->name.text);
  NoteAdder notes = error(member.member.range,
                          "expected a function of " + (*instance)->kind + ", but it has none named '" + member.member.text + "'", frame);
  llvm::StringRef nearest = nearestName(member.member.text, names);
  if (!nearest.empty()) notes.note(member.member.range, "did you mean '" + nearest + "'");
  return {};
}

Meaning Emitter::callFunction(const CallExpr &call, const FunctionDecl &function, const Instance *owner, Frame &caller) {
  if (!canEmit(call.range, "a call of '" + function.name.text + "'", caller)) return {};
  for (const Frame *at = &caller; at; at = at->caller) {
    if (at->function != &function || at->owner != owner) continue;
    error(call.range, "expected a function that does not call itself, but '" + function.name.text + "' does", caller)
        .note(function.name.range, "'" + function.name.text + "' is declared here");
    return {};
  }
  Frame callee;
  callee.owner = owner;
  callee.function = &function;
  callee.caller = &caller;
  callee.callSite = call.range;
  if (!bindArguments(call, function, caller, callee)) return {};
  execute(function.body, callee);
  return returned(function, callee);
}

/// Evaluates the arguments into the callee's first block, then matches them with the declared types.
bool Emitter::bindArguments(const CallExpr &call, const FunctionDecl &function, Frame &caller, Frame &callee) {
  std::vector<const Expr *> places(function.inputs.size());
  auto complain = [&](llvm::SMRange range, const llvm::Twine &message) {
    error(range, message, caller).note(function.name.range, "'" + function.name.text + "' is declared here");
    return false;
  };
  size_t next = 0;
  for (const Argument &argument : call.arguments) {
    size_t position = next;
    if (argument.name) {
      auto named = [&](const InputDecl &input) { return input.name.text == argument.name->text; };
      position = llvm::find_if(function.inputs, named) - function.inputs.begin();
      if (position == function.inputs.size())
        return complain(argument.name->range,
                        "expected an input of " + function.name.text + ", but it has none named '" + argument.name->text + "'");
    } else if (next++ >= function.inputs.size()) {
      return complain(argument.value->range, "expected " + llvm::Twine(function.inputs.size()) + " arguments for " + function.name.text +
                                                 ", but got " + llvm::Twine(call.arguments.size()));
    }
    if (places[position])
      return complain(argument.value->range, "expected '" + function.inputs[position].name.text + "' once, but got it twice");
    places[position] = argument.value.get();
  }
  bool ok = true;
  for (const auto &[input, place] : llvm::zip(function.inputs, places)) {
    if (!place) return complain(call.range, "expected a value for '" + input.name.text + "' of " + function.name.text + ", but got none");
    Meaning meaning = evaluate(*place, caller);
    ok &= !meaning.isPoison();
    callee.blocks.front()[input.name.text] = {meaning, input.name.range};
  }
  return ok && matchInputs(function, places, caller, callee);
}

bool Emitter::matchInputs(const FunctionDecl &function, llvm::ArrayRef<const Expr *> places, Frame &caller, Frame &callee) {
  bool ok = true;
  for (const auto &[input, place] : llvm::zip(function.inputs, places))
    if (input.type && isChoice(*input.type)) ok &= matchChoice(input, place->range, caller, callee);
  if (!ok) return false;
  for (const InputDecl &input : function.inputs)
    if (input.type && !isChoice(*input.type))
      if (const auto *value = callee.blocks.front()[input.name.text].meaning.as<mlir::Value>())
        unify(*input.type, value->getType(), callee);
  for (const auto &[input, place] : llvm::zip(function.inputs, places))
    if (input.type && !isChoice(*input.type)) ok &= matchInput(input, *place, caller, callee);
  return ok;
}

/// The dims that stand alone in a type take the sizes of the argument: the same name is the same size within one call.
void Emitter::unify(const TypeExpr &type, mlir::Type actual, Frame &callee) {
  Dims dims = dimsOf(actual);
  if (dims.size() != type.sizes.size()) return;
  for (const auto &[size, dim] : llvm::zip(type.sizes, dims)) {
    const auto *name = llvm::dyn_cast<NameExpr>(size.get());
    bool hidden = name && callee.owner && callee.owner->arguments.count(name->name);
    if (name && !hidden && program.find<DimDecl>(name->name)) callee.dims.try_emplace(name->name, dim);
  }
}

bool Emitter::matchInput(const InputDecl &input, const Expr &place, Frame &caller, Frame &callee) {
  mlir::Type expected = resolveType(*input.type, callee);
  if (!expected) return false;
  Meaning &meaning = callee.blocks.front()[input.name.text].meaning;
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(expected);
  bool asInteger = tensor && tensor.getElementType().isInteger(32);
  if (mlir::Value value = materialise(meaning, asInteger, place.range))
    if (value.getType() == expected) {
      meaning = value;
      return true;
    }
  NoteAdder notes = error(place.range,
                          "expected " + typeText(expected) + " for '" + input.name.text + "' of " + callee.function->name.text +
                              ", but got " + meaning.text(),
                          caller);
  notes.note(input.name.range, "'" + input.name.text + "' is declared here");
  const Expr *places[] = {&place};
  noteDeclarations(notes, places, caller);
  return false;
}

bool Emitter::matchChoice(const InputDecl &input, llvm::SMRange place, Frame &caller, Frame &callee) {
  std::optional<std::vector<int64_t>> allowed = resolveChoices(*input.type, callee);
  if (!allowed) return false;
  const Meaning &meaning = callee.blocks.front()[input.name.text].meaning;
  std::vector<int64_t> given;
  if (const auto *width = meaning.as<int64_t>()) given = {*width};
  if (const auto *choice = meaning.as<Choice>()) given = choice->choices;
  if (!given.empty() && llvm::all_of(given, [&](int64_t width) { return llvm::is_contained(*allowed, width); })) return true;
  Meaning list = List{std::vector<Meaning>(allowed->begin(), allowed->end())};
  error(place, "expected one of " + list.text() + " for '" + input.name.text + "', but got " + meaning.text(), caller)
      .note(input.name.range, "'" + input.name.text + "' is declared here");
  return false;
}

/// What a call stands for, after its body ran: checked against the written type.
Meaning Emitter::returned(const FunctionDecl &function, Frame &callee) {
  if (exhausted) return {};
  if (!callee.result) {
    error(function.end, "expected return at the end of '" + function.name.text + "', but got none", callee);
    return {};
  }
  if (callee.result->isPoison() || !function.result) return *callee.result;
  mlir::Type expected = resolveType(*function.result, callee);
  if (!expected) return {};
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(expected);
  bool asInteger = tensor && tensor.getElementType().isInteger(32);
  mlir::Value value = materialise(*callee.result, asInteger, callee.resultRange);
  if (value && value.getType() == expected) return value;
  error(callee.resultRange, "expected a result of " + typeText(expected) + ", but got " + callee.result->text(), callee)
      .note(function.result->range, "the result of '" + function.name.text + "' is declared here");
  return {};
}

static llvm::StringRef argumentOf(llvm::StringRef intrinsic) {
  return intrinsic == "shape" ? "a tensor" : intrinsic == "len" ? "a list or an array" : "an integer of at least 1";
}

/// shape(x): the list of sizes; len(a): how many items a list or an array has; log2(n): how often n can be halved, rounded down.
std::optional<Meaning> Emitter::callIntrinsic(const CallExpr &call, llvm::StringRef name, Frame &frame) {
  if (name != "shape" && name != "len" && name != "log2") return std::nullopt;
  if (call.arguments.size() != 1 || call.arguments[0].name) {
    error(call.range, "expected one argument for " + name + ", but got " + llvm::Twine(call.arguments.size()), frame);
    return Meaning();
  }
  const Expr &argument = *call.arguments[0].value;
  Meaning meaning = evaluate(argument, frame);
  if (meaning.isPoison()) return meaning;
  const auto *value = meaning.as<mlir::Value>();
  if (name == "shape" && value) {
    List sizes;
    for (const Dim &dim : dimsOf(value->getType()))
      sizes.items.push_back(meaningOf(dim));
    return Meaning(sizes);
  }
  if (const auto *list = meaning.as<List>(); list && name == "len") return Meaning(int64_t(list->items.size()));
  if (const auto *array = meaning.as<PartArray>(); array && name == "len") return Meaning(int64_t(array->items.size()));
  if (const auto *number = meaning.as<int64_t>(); number && name == "log2" && *number > 0) return Meaning(int64_t(llvm::Log2_64(*number)));
  error(argument.range, "expected " + argumentOf(name) + ", but got " + meaning.text(), frame);
  return Meaning();
}
