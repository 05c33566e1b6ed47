// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statements, executed at compile time: loops are unrolled, names are bound to values.
#include "frontend/Emitter.h"

using namespace nacre;

void Emitter::execute(const Block &block, Frame &frame) {
  ++depth;
  for (const auto &statement : block) {
    if (exhausted) break;
    if (frame.result && frame.result->isPoison()) break; // of a return that was wrong
    if (frame.result) {
      error(statement->range, "expected nothing after return, but got a statement", frame);
      break;
    }
    execute(*statement, frame);
  }
  --depth;
}

void Emitter::execute(const Statement &statement, Frame &frame) {
  if (!countStep(statement.range, frame)) return;
  if (const auto *assignment = llvm::dyn_cast<AssignStatement>(&statement)) {
    Meaning meaning = evaluate(*assignment->value, frame);
    return assign(*assignment, assignment->isTap ? tapped(*assignment, meaning, frame) : meaning, frame);
  }
  if (const auto *loop = llvm::dyn_cast<ForStatement>(&statement)) return executeFor(*loop, frame);
  if (const auto *branch = llvm::dyn_cast<IfStatement>(&statement)) return executeIf(*branch, frame);
  if (const auto *assertion = llvm::dyn_cast<AssertStatement>(&statement)) return executeAssert(*assertion, frame);
  if (const auto *update = llvm::dyn_cast<UpdateStatement>(&statement)) return executeUpdate(*update, frame);
  const auto &result = *llvm::cast<ReturnStatement>(&statement);
  if (frame.blocks.size() > 1) {
    error(result.range, "expected return at the end of the function, but got one inside a block", frame);
    frame.result = Meaning();
    return;
  }
  frame.result = evaluate(*result.value, frame);
  frame.resultRange = result.value->range;
  if (const auto *name = llvm::dyn_cast<NameExpr>(result.value.get())) frame.resultName = name->name.str();
}

/// The value behind a tap, named by the layer's place: "blocks.3.mlp"; a second one of that name is "blocks.3.mlp#2".
/// Positions and counts can be looked at, but what follows uses them as they were, within the ranges that were checked.
Meaning Emitter::tapped(const AssignStatement &tap, Meaning meaning, Frame &frame) {
  if (meaning.isPoison()) return meaning;
  const auto *value = meaning.as<mlir::Value>();
  mlir::Type element = value ? plainType(*value).getElementType() : mlir::Type();
  if (!value || element.isInteger(1)) {
    error(tap.value->range, "expected a tensor of f32 or i32 for the tap '" + tap.name.text + "', but got " + meaning.text(), frame);
    return {};
  }
  std::string name = frame.owner && !frame.owner->path.empty() ? frame.owner->path + "." + tap.name.text.str() : tap.name.text.str();
  unsigned count = ++tapNames[name];
  if (count > 1) name += "#" + std::to_string(count);
  auto op = TapOp::create(builder, locationOf(tap.range), *value, name);
  return element.isF32() ? Meaning(op.getResult()) : meaning;
}

/// A name that exists in the function gets the new value; another one lives to the end of the block.
void Emitter::assign(const AssignStatement &assignment, Meaning meaning, Frame &frame) {
  const Name &name = assignment.name;
  if (!assignment.path.empty() || (phase != Phase::Reads && frame.owner && frame.owner->parameters.count(name.text)))
    return assignTensor(assignment, meaning, frame);
  for (llvm::StringMap<Frame::Local> &block : llvm::reverse(frame.blocks)) {
    auto found = block.find(name.text);
    if (found == block.end()) continue;
    found->second.meaning = std::move(meaning);
    return;
  }
  const Decl *member = frame.owner ? frame.owner->member(name.text) : nullptr;
  const Decl *declared = member ? member : program.find(name.text);
  if (declared && !llvm::isa<FunctionDecl>(declared)) {
    NoteAdder notes = error(name.range, "expected the name of a value, but '" + name.text + "' cannot be assigned", frame);
    notes.note(declared->name.range, "'" + name.text + "' is declared here");
    const auto *tensor = llvm::dyn_cast<ParamDecl>(declared);
    if (tensor && tensor->isState) notes.note(name.range, "a state changes in an update block: update { " + name.text + " = ... }");
    return;
  }
  if (frame.owner && frame.owner->arguments.count(name.text)) {
    error(name.range, "expected the name of a value, but '" + name.text + "' is an argument of " + frame.owner->kind, frame);
    return;
  }
  frame.blocks.back()[name.text] = {std::move(meaning), name.range};
}

/// What a loop runs over, or nothing after an error.
std::vector<Meaning> Emitter::loopValues(const ForStatement &loop, Frame &frame) {
  Meaning over = evaluate(*loop.values, frame);
  std::vector<Meaning> values;
  if (const auto *range = over.as<Range>()) {
    if (range->end - range->begin > kMaxSteps) {
      error(loop.values->range, "expected a range of at most " + llvm::Twine(kMaxSteps) + " values, but got more", frame);
      return {};
    }
    for (int64_t i = range->begin; i < range->end; ++i)
      values.push_back(i);
  } else if (const auto *array = over.as<PartArray>()) {
    for (const Instance *part : array->items)
      values.push_back(part);
  } else if (const auto *list = over.as<List>()) {
    values = list->items;
  } else if (!over.isPoison()) {
    error(loop.values->range, "expected an array of layers, a list or a range such as 0..6, but got " + over.text(), frame);
  }
  return values;
}

void Emitter::executeFor(const ForStatement &loop, Frame &frame) {
  for (const Meaning &value : loopValues(loop, frame)) {
    if (exhausted) return;
    frame.blocks.emplace_back();
    frame.blocks.back()[loop.variable.text] = {value, loop.variable.range};
    execute(loop.body, frame);
    frame.blocks.pop_back();
    if (frame.result) return; // a return inside the loop was reported
  }
}

void Emitter::executeAssert(const AssertStatement &assertion, Frame &frame) {
  Meaning condition = evaluate(*assertion.condition, frame);
  if (condition.isPoison()) return;
  const auto *holds = condition.as<bool>();
  if (!holds) {
    error(assertion.condition->range, "expected a condition known at compile time, but got " + condition.text(), frame);
    return;
  }
  if (*holds) return;
  llvm::StringRef text(assertion.condition->range.Start.getPointer(),
                       assertion.condition->range.End.getPointer() - assertion.condition->range.Start.getPointer());
  error(assertion.range, assertion.message ? "assertion failed: " + llvm::Twine(*assertion.message) : "assertion failed: " + text, frame);
}
