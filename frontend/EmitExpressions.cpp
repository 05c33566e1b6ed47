// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names, members and signs.
#include "frontend/Constant.h"
#include "frontend/Emitter.h"

using namespace nacre;

Meaning Emitter::evaluate(const Expr &expr, Frame &frame) {
  ++depth;
  Meaning meaning = countStep(expr.range, frame) ? evaluateUncounted(expr, frame) : Meaning();
  --depth;
  return meaning;
}

Meaning Emitter::evaluateUncounted(const Expr &expr, Frame &frame) {
  switch (expr.kind) {
  case ExprKind::Integer:
    return llvm::cast<IntegerExpr>(&expr)->value;
  case ExprKind::Real:
    return llvm::cast<RealExpr>(&expr)->value;
  case ExprKind::String:
    return llvm::cast<StringExpr>(&expr)->value.str();
  case ExprKind::Name:
    return evaluateName(*llvm::cast<NameExpr>(&expr), frame);
  case ExprKind::Negate:
    return evaluateNegate(*llvm::cast<NegateExpr>(&expr), frame);
  case ExprKind::Binary:
    return evaluateBinary(*llvm::cast<BinaryExpr>(&expr), frame);
  case ExprKind::Call:
    return evaluateCall(*llvm::cast<CallExpr>(&expr), frame);
  case ExprKind::Member:
    return evaluateMember(*llvm::cast<MemberExpr>(&expr), frame);
  case ExprKind::Index:
    return evaluateIndex(*llvm::cast<IndexExpr>(&expr), frame);
  case ExprKind::Range:
    return evaluateRange(*llvm::cast<RangeExpr>(&expr), frame);
  case ExprKind::Map:
    error(expr.range, "expected a value, but got a map, which belongs into a train block", frame);
    return {};
  case ExprKind::List:
    break;
  }
  List list;
  for (const ExprPtr &item : llvm::cast<ListExpr>(&expr)->items) {
    list.items.push_back(evaluate(*item, frame));
    if (list.items.back().isPoison()) return {};
  }
  return list;
}

/// Innermost first: values of the function, sizes bound by the call, members and arguments of the layer, declarations of the file.
Meaning Emitter::evaluateName(const NameExpr &name, Frame &frame) {
  for (const llvm::StringMap<Frame::Local> &block : llvm::reverse(frame.blocks)) {
    auto found = block.find(name.name);
    if (found != block.end()) return found->second.meaning;
  }
  auto bound = frame.dims.find(name.name);
  if (bound != frame.dims.end()) return meaningOf(bound->second);
  if (frame.owner)
    if (std::optional<Meaning> member = memberOf(*frame.owner, name.name, name.range, frame)) return *member;
  return evaluateGlobal(name.name, name.range, frame);
}

Meaning Emitter::evaluateGlobal(llvm::StringRef name, llvm::SMRange range, Frame &frame) {
  if (name == "true" || name == "false") return name == "true";
  const Decl *decl = program.find(name);
  if (!decl) return unknownName(name, range, frame);
  if (llvm::isa<DimDecl>(decl)) return Dim::symbol(name);
  if (llvm::isa<WidthsDecl>(decl)) {
    auto list = widthLists.find(name);
    if (list == widthLists.end()) {
      error(range, "expected a list of widths from above, but '" + name + "' comes later", frame)
          .note(decl->name.range, "'" + name + "' is declared here");
      return {};
    }
    if (list->second.empty()) return {};
    return List{std::vector<Meaning>(list->second.begin(), list->second.end())};
  }
  error(range,
        "expected a value, but '" + name + "' is a " +
            (llvm::isa<FunctionDecl>(decl) ? "function"
             : llvm::isa<LayerDecl>(decl)  ? "layer"
                                           : "model"),
        frame)
      .note(decl->name.range, "'" + name + "' is declared here");
  return {};
}

Meaning Emitter::unknownName(llvm::StringRef name, llvm::SMRange range, Frame &frame) {
  llvm::SmallVector<llvm::StringRef> names;
  for (const auto &block : frame.blocks)
    for (const auto &local : block)
      names.push_back(local.first());
  if (frame.owner) {
    for (const DeclPtr &member : *frame.owner->members)
      names.push_back(member->name.text);
    for (const auto &argument : frame.owner->arguments)
      names.push_back(argument.first());
  }
  for (const DimDecl *dim : program.all<DimDecl>())
    names.push_back(dim->name.text);
  for (const WidthsDecl *widths : program.all<WidthsDecl>())
    names.push_back(widths->name.text);
  NoteAdder notes = error(range, "expected a known name, but '" + name + "' is not declared", frame);
  llvm::StringRef nearest = nearestName(name, names);
  if (!nearest.empty()) notes.note(range, "did you mean '" + nearest + "'");
  return {};
}

/// A parameter, a part or an argument of an instance; nothing when it has none of that name.
std::optional<Meaning> Emitter::memberOf(const Instance &instance, llvm::StringRef name, llvm::SMRange range, Frame &frame) {
  auto argument = instance.arguments.find(name);
  if (argument != instance.arguments.end()) return argument->second;
  auto parameter = instance.parameters.find(name);
  if (parameter != instance.parameters.end()) return readParameter(parameter->second, range, frame);
  auto part = instance.parts.find(name);
  if (part != instance.parts.end()) return part->second;
  const Decl *decl = instance.member(name);
  if (!decl) return std::nullopt;
  if (llvm::isa<FunctionDecl>(decl)) {
    error(range, "expected a value, but '" + name + "' is a function", frame).note(decl->name.range, "'" + name + "' is declared here");
  } else {
    canEmit(range, "'" + name + "', a parameter or a part", frame);
  }
  return Meaning(); // its declaration was wrong and has been reported
}

/// In an update block a tensor stands for what earlier lines of such blocks made of it, elsewhere for its value before the call.
Meaning Emitter::readParameter(const Instance::Parameter &parameter, llvm::SMRange range, Frame &frame) {
  if (phase != Phase::Reads)
    if (mlir::Value updated = updates.lookup(parameter.op)) return updated;
  if (!canEmit(range, "the parameter '" + parameter.decl->name.text + "'", frame)) return {};
  return buildParameterRead(builder, locationOf(range), parameter.op);
}

Meaning Emitter::evaluateMember(const MemberExpr &member, Frame &frame) {
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
  if (std::optional<Meaning> found = memberOf(**instance, member.member.text, member.range, frame)) return *found;
  error(member.member.range, "expected a part of " + (*instance)->kind + ", but it has none named '" + member.member.text + "'", frame);
  return {};
}

static llvm::StringRef builtinOf(BinaryOp op) {
  static constexpr llvm::StringLiteral names[] = {"add",        "sub",     "mul",           "div",   "less",
                                                  "less_equal", "greater", "greater_equal", "equal", "not_equal"};
  return names[static_cast<int>(op)];
}

Meaning Emitter::evaluateBinary(const BinaryExpr &binary, Frame &frame) {
  Meaning left = evaluate(*binary.left, frame);
  Meaning right = evaluate(*binary.right, frame);
  if (left.isPoison() || right.isPoison()) return {};
  if (std::optional<Meaning> compared = compareChoice(binary.op, left, right)) return *compared;
  bool known = isConstant(left) && isConstant(right);
  bool isComparison = binary.op >= BinaryOp::Less; // of a run-time width: known when it runs
  bool sizes = !isComparison && (left.is<Choice>() || right.is<Choice>()) && left.asSize() && right.asSize();
  if (known || sizes) {
    Folded folded = foldBinary(binary.op, left, right);
    if (folded.meaning) return *folded.meaning;
    error(binary.range, folded.error, frame);
    return {};
  }
  const Expr *places[] = {binary.left.get(), binary.right.get()};
  return applySign(builtinOf(binary.op), places, {left, right}, binary.opRange, frame);
}

Meaning Emitter::evaluateNegate(const NegateExpr &negate, Frame &frame) {
  Meaning operand = evaluate(*negate.operand, frame);
  if (operand.isPoison()) return {};
  if (operand.isNumber() || operand.asSize()) {
    Folded folded = foldNegate(operand);
    if (folded.meaning) return *folded.meaning;
    error(negate.range, folded.error, frame);
    return {};
  }
  const Expr *places[] = {negate.operand.get()};
  return applySign("neg", places, {operand}, negate.range, frame);
}

Meaning Emitter::evaluateRange(const RangeExpr &range, Frame &frame) {
  Meaning start = evaluate(*range.start, frame), end = evaluate(*range.end, frame);
  if (start.isPoison() || end.isPoison()) return {};
  const auto *begin = start.as<int64_t>(), *stop = end.as<int64_t>();
  if (begin && stop && *begin >= 0 && *begin <= *stop) return Range{*begin, *stop};
  error(range.range, "expected two increasing integers around '..', but got " + start.text() + " and " + end.text(), frame);
  return {};
}
