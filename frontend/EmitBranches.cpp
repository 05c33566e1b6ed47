// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `if`: decided at compile time where the condition is known then; else both sides are written down, and every name that they leave
// with different values becomes a choice between the two, and so does every state that they update.
#include "frontend/Constant.h"
#include "frontend/Emitter.h"

using namespace nacre;

std::vector<Emitter::Locals> Emitter::executeSide(const Block &side, Frame &frame) {
  std::vector<Locals> before = frame.blocks;
  frame.blocks.emplace_back();
  execute(side, frame);
  return std::exchange(frame.blocks, std::move(before));
}

void Emitter::executeIf(const IfStatement &branch, Frame &frame) {
  Meaning condition = evaluate(*branch.condition, frame);
  if (condition.isPoison()) return;
  if (const auto *known = condition.as<bool>()) {
    std::vector<Locals> after = executeSide(*known ? branch.body : branch.otherwise, frame);
    for (const auto &[name, local] : after.back())
      after[after.size() - 2].try_emplace(name, local);
    after.pop_back();
    frame.blocks = std::move(after);
    return;
  }
  mlir::Value number = conditionNumber(*branch.condition, condition, frame);
  if (!number) return;
  Updates before = updates;
  std::vector<Locals> a = executeSide(branch.body, frame);
  Updates updated = std::exchange(updates, std::move(before));
  std::vector<Locals> b = executeSide(branch.otherwise, frame);
  mergeUpdates(number, std::move(updated), branch);
  for (size_t level = 0; level < a.size(); ++level)
    for (const auto &[name, local] : a[level]) {
      auto other = b[level].find(name);
      if (other == b[level].end()) continue; // of one side only: ends with it
      Meaning meaning = merged(name, number, local.meaning, other->second.meaning, branch, frame);
      frame.blocks[std::min(level, frame.blocks.size() - 1)][name] = {meaning, local.declared};
    }
}

mlir::Value Emitter::conditionNumber(const Expr &place, const Meaning &condition, Frame &frame) {
  const auto *value = condition.as<mlir::Value>();
  auto tensor = value ? llvm::dyn_cast<mlir::RankedTensorType>(value->getType()) : mlir::RankedTensorType();
  if (!tensor || tensor.getRank() != 0 || !tensor.getElementType().isInteger(1)) {
    error(place.range, "expected a condition that is true or false for the whole call, but got " + condition.text(), frame);
    return {};
  }
  const Builtin *toFloat = findBuiltin("to_float");
  mlir::FailureOr<mlir::Operation *> number = buildBuiltin(builder, locationOf(place.range), *toFloat, *value, {});
  return mlir::succeeded(number) ? (*number)->getResult(0) : mlir::Value();
}

static bool areSame(const Meaning &a, const Meaning &b) {
  if (a.is<mlir::Value>() || b.is<mlir::Value>()) return a.is<mlir::Value>() && b.is<mlir::Value>() && *a.as<mlir::Value>() == *b.as<mlir::Value>();
  return a.variant.index() == b.variant.index() && a.text() == b.text();
}

Meaning Emitter::merged(llvm::StringRef name, mlir::Value condition, const Meaning &a, const Meaning &b, const IfStatement &branch,
                        Frame &frame) {
  if (a.isPoison() || b.isPoison()) return {};
  if (areSame(a, b)) return a;
  bool asInteger = wantsIntegers({a, b});
  mlir::Value left = materialise(a, asInteger, branch.range), right = materialise(b, asInteger, branch.range);
  if (left && right && left.getType() == right.getType() && !plainType(left).getElementType().isInteger(1))
    return CondOp::create(builder, locationOf(branch.range), condition, left, right).getResult();
  error({branch.range.Start, branch.range.Start},
        "expected '" + name + "' to be a tensor of one type on both sides of a run-time 'if', but got " + a.text() + " and " + b.text(), frame);
  return {};
}

/// What one side alone assigns keeps its value on the other.
void Emitter::mergeUpdates(mlir::Value condition, Updates a, const IfStatement &branch) {
  Updates b = std::move(updates);
  updates = a;
  for (auto &[tensor, value] : b)
    updates.insert({tensor, value});
  for (auto &[tensor, value] : updates) {
    mlir::Value left = a.lookup(tensor), right = b.lookup(tensor);
    if (left == right) continue;
    mlir::Value known = left && right ? mlir::Value() : buildParameterRead(builder, locationOf(branch.range), llvm::cast<ParameterOp>(tensor));
    value = CondOp::create(builder, locationOf(branch.range), condition, left ? left : known, right ? right : known);
  }
}

/// depth > 2: known when all values of a run-time width agree; nothing when it is not, or no such comparison.
std::optional<Meaning> Emitter::compareChoice(BinaryOp op, const Meaning &left, const Meaning &right) {
  const auto *a = left.as<Choice>(), *b = right.as<Choice>();
  if (op < BinaryOp::Less) return std::nullopt;
  if (a && b && a->dim == b->dim) return foldBinary(op, int64_t(0), int64_t(0)).meaning;
  if (bool(a) == bool(b) || !(a ? right : left).is<int64_t>()) return std::nullopt;
  std::optional<bool> known;
  for (int64_t value : (a ? a : b)->choices) {
    bool holds = *foldBinary(op, a ? Meaning(value) : left, a ? right : Meaning(value)).meaning->as<bool>();
    if (known && *known != holds) return std::nullopt;
    known = holds;
  }
  return known ? std::optional<Meaning>(*known) : std::nullopt;
}
