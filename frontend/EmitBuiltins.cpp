// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls of the dialect's operators: arguments to operands and attributes, and what to say when an operator refuses them.
#include "frontend/Emitter.h"

#include "llvm/ADT/StringExtras.h"

using namespace nacre;

/// As in "linear(x, w, b)".
static std::string signature(const Builtin &builtin) {
  std::vector<std::string> names;
  for (const BuiltinOperand &operand : builtin.operands)
    names.push_back((operand.name + (operand.variadic ? ", ..." : "")).str());
  for (const BuiltinAttribute &attribute : builtin.attributes)
    names.push_back(attribute.name.str());
  return (builtin.name + "(" + llvm::join(names, ", ") + ")").str();
}

mlir::Value Emitter::materialise(const Meaning &meaning, bool asInteger, llvm::SMRange range) {
  if (const auto *value = meaning.as<mlir::Value>()) return *value;
  if (const auto *choice = meaning.as<Choice>()) return choice->value;
  const auto *integer = meaning.as<int64_t>();
  if (integer && asInteger && llvm::isInt<32>(*integer)) return buildConstant(builder, locationOf(range), static_cast<int32_t>(*integer));
  if (meaning.isNumber() && !asInteger) return buildConstant(builder, locationOf(range), *meaning.asReal());
  return {};
}

bool Emitter::wantsIntegers(llvm::ArrayRef<Meaning> operands) {
  bool integers = false;
  for (const Meaning &operand : operands) {
    if (operand.is<Choice>()) integers = true;
    const auto *value = operand.as<mlir::Value>();
    if (!value) continue;
    if (plainType(*value).getElementType().isF32()) return false;
    integers |= plainType(*value).getElementType().isInteger(32);
  }
  return integers;
}

//===--- arguments to slots ---===//

bool Emitter::setAttribute(const Builtin &builtin, const BuiltinAttribute &attribute, const Expr &expr, const Meaning &meaning,
                           Slots &slots, const Frame &frame) {
  mlir::Attribute value;
  llvm::StringRef what;
  std::optional<std::vector<int64_t>> integers = meaning.asIntegers();
  switch (attribute.kind) {
  case AttributeKind::Integer:
    what = "an integer";
    if (const auto *integer = meaning.as<int64_t>()) value = builder.getI64IntegerAttr(*integer);
    break;
  case AttributeKind::Real:
    what = "a number";
    if (std::optional<double> real = meaning.asReal()) value = builder.getF64FloatAttr(*real);
    break;
  case AttributeKind::Bool:
    what = "true or false";
    if (const auto *boolean = meaning.as<bool>()) value = builder.getBoolAttr(*boolean);
    break;
  case AttributeKind::String:
    what = "a word";
    if (const auto *text = meaning.as<std::string>()) value = builder.getStringAttr(*text);
    break;
  case AttributeKind::Integers:
    what = "a list of integers";
    if (const auto *integer = meaning.as<int64_t>()) integers = std::vector<int64_t>{*integer}; // one entry for all
    if (integers) value = builder.getDenseI64ArrayAttr(*integers);
    break;
  case AttributeKind::Reals:
    what = "a list of numbers";
    if (const auto *list = meaning.as<List>(); list && llvm::all_of(list->items, [](const Meaning &item) { return item.isNumber(); })) {
      auto reals = llvm::map_range(list->items, [](const Meaning &item) { return *item.asReal(); });
      value = builder.getDenseF64ArrayAttr(llvm::SmallVector<double>(reals.begin(), reals.end()));
    }
    break;
  }
  if (value)
    slots.attributes.push_back(builder.getNamedAttr(attribute.name, value));
  else
    error(expr.range, "expected " + what + " for '" + attribute.name + "' of " + builtin.name + ", but got " + meaning.text(), frame);
  return bool(value);
}

/// A bare word where a word is expected stands for itself: `over = widths`.
Meaning Emitter::evaluateWord(const Expr &expr, Frame &frame) {
  if (const auto *name = llvm::dyn_cast<NameExpr>(&expr)) return name->name.str();
  return evaluate(expr, frame);
}

bool Emitter::placeNamed(const Builtin &builtin, const Argument &argument, Slots &slots, Frame &frame) {
  llvm::StringRef name = argument.name->text;
  for (const auto &[index, operand] : llvm::enumerate(builtin.operands)) {
    if (operand.name != name) continue;
    if (!slots.operands[index].empty()) break;
    return addOperand(index, *argument.value, evaluate(*argument.value, frame), slots);
  }
  for (const BuiltinAttribute &attribute : builtin.attributes) {
    if (attribute.name != name) continue;
    if (slots.has(name)) break;
    bool isWord = attribute.kind == AttributeKind::String;
    Meaning meaning = isWord ? evaluateWord(*argument.value, frame) : evaluate(*argument.value, frame);
    return !meaning.isPoison() && setAttribute(builtin, attribute, *argument.value, meaning, slots, frame);
  }
  llvm::SmallVector<llvm::StringRef> names;
  for (const BuiltinOperand &operand : builtin.operands)
    names.push_back(operand.name);
  for (const BuiltinAttribute &attribute : builtin.attributes)
    names.push_back(attribute.name);
  if (llvm::is_contained(names, name)) {
    error(argument.name->range, "expected '" + name + "' once, but got it twice", frame);
    return false;
  }
  NoteAdder notes = error(argument.name->range, "expected an argument of " + signature(builtin) + ", but got '" + name + "'", frame);
  llvm::StringRef nearest = nearestName(name, names);
  if (!nearest.empty()) notes.note(argument.name->range, "did you mean '" + nearest + "'");
  return false;
}

bool Emitter::addOperand(size_t index, const Expr &place, Meaning meaning, Slots &slots) {
  if (meaning.isPoison()) return false;
  slots.operands[index].push_back(std::move(meaning));
  slots.places[index].push_back(&place);
  return true;
}

/// The next slot in the order of the signature; an optional operand is passed over by what is no tensor: nested_linear(x, w, W).
bool Emitter::placePositional(const Builtin &builtin, const Argument &argument, unsigned &next, Slots &slots, Frame &frame) {
  Meaning meaning = evaluate(*argument.value, frame);
  if (meaning.isPoison()) return false;
  bool isTensor = meaning.is<mlir::Value>() || meaning.is<Choice>();
  while (next < builtin.operands.size() && builtin.operands[next].optional && !isTensor)
    ++next;
  if (next < builtin.operands.size()) {
    size_t index = next;
    if (!builtin.operands[index].variadic) ++next;
    const auto *list = meaning.as<List>();
    if (!builtin.operands[index].variadic || !list) return addOperand(index, *argument.value, meaning, slots);
    ++next;
    for (const Meaning &item : list->items)
      addOperand(index, *argument.value, item, slots);
    return true;
  }
  while (next - builtin.operands.size() < builtin.attributes.size()) {
    const BuiltinAttribute &attribute = builtin.attributes[next++ - builtin.operands.size()];
    if (!slots.has(attribute.name)) return setAttribute(builtin, attribute, *argument.value, meaning, slots, frame);
  }
  error(argument.value->range, "expected the arguments of " + signature(builtin) + ", but got more", frame);
  return false;
}

bool Emitter::fillSlots(const CallExpr &call, const Builtin &builtin, Slots &slots, Frame &frame) {
  slots.operands.resize(builtin.operands.size());
  slots.places.resize(builtin.operands.size());
  bool ok = true;
  unsigned next = 0;
  for (const Argument &argument : call.arguments)
    ok &= argument.name ? placeNamed(builtin, argument, slots, frame) : placePositional(builtin, argument, next, slots, frame);
  if (!ok) return false;
  auto missing = [&](llvm::StringRef name) {
    error(call.range, "expected '" + name + "' of " + signature(builtin) + ", but got none", frame);
    ok = false;
  };
  for (const auto &[index, operand] : llvm::enumerate(builtin.operands))
    if (slots.operands[index].empty() && !operand.optional) missing(operand.name);
  for (const BuiltinAttribute &attribute : builtin.attributes)
    if (!attribute.optional && !slots.has(attribute.name)) missing(attribute.name);
  return ok;
}

//===--- the operator ---===//

Meaning Emitter::callBuiltin(const CallExpr &call, const Builtin &builtin, Frame &frame) {
  if (!canEmit(call.range, "a call of '" + builtin.name + "'", frame)) return {};
  Slots slots;
  if (!fillSlots(call, builtin, slots, frame)) return {};
  std::vector<mlir::Value> operands;
  std::vector<const Expr *> places;
  if (!materialiseOperands(builtin, slots, operands, places, frame)) return {};
  return build(builtin, call.range, operands, places, slots.attributes, frame, &call);
}

Meaning Emitter::applySign(llvm::StringRef name, llvm::ArrayRef<const Expr *> operandPlaces, llvm::ArrayRef<Meaning> meanings,
                           llvm::SMRange range, Frame &frame) {
  const Builtin *builtin = findBuiltin(name);
  if (!canEmit(range, "'" + name + "' of tensors", frame)) return {};
  Slots slots;
  for (const auto &[place, meaning] : llvm::zip(operandPlaces, meanings)) {
    slots.operands.push_back({meaning});
    slots.places.push_back({place});
  }
  std::vector<mlir::Value> operands;
  std::vector<const Expr *> places;
  if (!materialiseOperands(*builtin, slots, operands, places, frame)) return {};
  return build(*builtin, range, operands, places, {}, frame, nullptr);
}

/// Values in the order that `buildBuiltin` wants; numbers become constants of the type of the other operands.
bool Emitter::materialiseOperands(const Builtin &builtin, const Slots &slots, std::vector<mlir::Value> &operands,
                                  std::vector<const Expr *> &places, const Frame &frame) {
  std::vector<Meaning> all;
  for (const std::vector<Meaning> &group : slots.operands)
    all.insert(all.end(), group.begin(), group.end());
  bool asInteger = wantsIntegers(all);
  for (const auto &[operand, group, groupPlaces] : llvm::zip(builtin.operands, slots.operands, slots.places)) {
    if (group.empty()) {
      operands.push_back({});
      places.push_back(nullptr);
    }
    for (const auto &[meaning, place] : llvm::zip(group, groupPlaces)) {
      operands.push_back(materialise(meaning, asInteger, place->range));
      places.push_back(place);
      if (operands.back()) continue;
      error(place->range, "expected a tensor for '" + operand.name + "' of " + builtin.name + ", but got " + meaning.text(), frame);
      return false;
    }
  }
  return true;
}

Meaning Emitter::build(const Builtin &builtin, llvm::SMRange range, llvm::ArrayRef<mlir::Value> operands,
                       llvm::ArrayRef<const Expr *> places, llvm::ArrayRef<mlir::NamedAttribute> attributes, Frame &frame,
                       const CallExpr *call) {
  mlir::Operation *op = nullptr;
  std::optional<NoteAdder> notes = captured(range, frame, [&]() -> mlir::LogicalResult {
    mlir::FailureOr<mlir::Operation *> built = buildBuiltin(builder, locationOf(range), builtin, operands, attributes);
    if (mlir::succeeded(built)) op = *built;
    return built;
  });
  if (notes) {
    noteDeclarations(*notes, places, frame);
    if (call) suggestTranspose(*notes, *call, builtin, operands, places, attributes);
    return {};
  }
  return mlir::Value(op->getResult(0));
}

//===--- notes ---===//

/// Where the parameters among the operands are declared; when there is none, the inputs.
void Emitter::noteDeclarations(NoteAdder &notes, llvm::ArrayRef<const Expr *> places, const Frame &frame) {
  llvm::SmallVector<Name> parameters, inputs;
  for (const Expr *place : places) {
    const auto *name = llvm::dyn_cast_or_null<NameExpr>(place);
    if (!name) continue;
    auto local = frame.blocks.front().find(name->name);
    if (local != frame.blocks.front().end())
      inputs.push_back({name->name, local->second.declared});
    else if (frame.owner && frame.owner->parameters.count(name->name))
      parameters.push_back(frame.owner->parameters.find(name->name)->second.decl->name);
  }
  for (const Name &name : parameters.empty() ? inputs : parameters)
    notes.note(name.range, "'" + name.text + "' is declared here");
}

static std::string textOf(const char *begin, const char *end) {
  std::string text;
  for (char c : llvm::StringRef(begin, end - begin)) {
    bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!blank)
      text += c;
    else if (!text.empty() && text.back() != ' ')
      text += ' ';
  }
  return text;
}

/// A matrix the wrong way round is the likeliest mistake with weights: tries each and says so when that fits.
void Emitter::suggestTranspose(NoteAdder &notes, const CallExpr &call, const Builtin &builtin, llvm::ArrayRef<mlir::Value> operands,
                               llvm::ArrayRef<const Expr *> places, llvm::ArrayRef<mlir::NamedAttribute> attributes) {
  const Builtin *transpose = findBuiltin("transpose");
  mlir::ScopedDiagnosticHandler silence(&context, [](mlir::Diagnostic &) { return mlir::success(); });
  for (const auto &[index, operand] : llvm::enumerate(operands)) {
    bool isMatrix = operand && llvm::isa<mlir::RankedTensorType>(operand.getType()) && plainType(operand).getRank() == 2;
    if (!isMatrix || !operand.getDefiningOp() || operand.getDefiningOp()->getNumOperands() > 0) continue; // only what is read: parameters
    mlir::OpBuilder::InsertionGuard guard(builder);
    mlir::Block scratch;
    builder.setInsertionPointToStart(&scratch);
    mlir::FailureOr<mlir::Operation *> turned = buildBuiltin(builder, builder.getUnknownLoc(), *transpose, operand, {});
    if (mlir::failed(turned)) continue;
    llvm::SmallVector<mlir::Value> changed(operands);
    changed[index] = (*turned)->getResult(0);
    bool fits = mlir::succeeded(buildBuiltin(builder, builder.getUnknownLoc(), builtin, changed, attributes));
    scratch.dropAllReferences();
    if (!fits) continue;
    llvm::SMRange place = places[index]->range;
    std::string text = textOf(call.range.Start.getPointer(), place.Start.getPointer()) + "transpose(" +
                       textOf(place.Start.getPointer(), place.End.getPointer()) + ")" +
                       textOf(place.End.getPointer(), call.range.End.getPointer());
    notes.note({call.range.Start, call.range.Start}, "did you mean " + text);
    return;
  }
}
