// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `update { keys = ... }` in functions and train blocks, `after_step { w = ... }` in train blocks.
//
// Assignments are collected while a function is emitted and written down at its end, so that every read outside the blocks sees the
// value from before the call, wherever the block stands. Blocks run in the order of the program, their lines one after the other.
#include "dialects/Nacre/IR/Expression.h"
#include "frontend/Emitter.h"

using namespace nacre;

void Emitter::executeUpdate(const UpdateStatement &update, Frame &frame) {
  if (phase != Phase::Reads) {
    error(update.range, "expected no update inside another one or inside after_step", frame);
    return;
  }
  phase = Phase::Update;
  frame.blocks.emplace_back();
  execute(update.body, frame);
  frame.blocks.pop_back();
  phase = Phase::Reads;
}

/// The tensor that `name` or `part.name` leads to; null after an error.
const Instance::Parameter *Emitter::assignedTensor(const AssignStatement &assignment, Frame &frame) {
  const Instance *instance = frame.owner;
  Name last = assignment.name;
  for (const Name &member : assignment.path) {
    NameExpr first(last.range);
    first.name = last.text;
    bool isFirst = &member == &assignment.path.front(), isModel = isFirst && program.find<ModelDecl>(last.text);
    const Instance *named = isModel ? modelNamed(last.text, last.range, frame) : nullptr;
    if (isModel && !named) return nullptr;
    Meaning part = named     ? Meaning(named)
                   : isFirst ? evaluateName(first, frame)
                             : memberOf(*instance, last.text, last.range, frame).value_or(Meaning());
    const auto *found = part.as<const Instance *>();
    if (!found) {
      if (!part.isPoison()) error(last.range, "expected a layer before '." + member.text + "', but got " + part.text(), frame);
      return nullptr;
    }
    instance = *found;
    last = member;
  }
  auto tensor = instance ? instance->parameters.find(last.text) : llvm::StringMap<Instance::Parameter>::const_iterator();
  if (instance && tensor != instance->parameters.end()) return &tensor->second;
  error(last.range, "expected a state or a parameter to assign, but '" + last.text + "' is none", frame);
  return nullptr;
}

/// The value as a tensor of exactly the target's type, repeated where broadcasting allows it; null after an error.
mlir::Value Emitter::matchTensor(const AssignStatement &assignment, const Instance::Parameter &target, const Meaning &meaning,
                                 Frame &frame) {
  if (meaning.isPoison()) return {};
  auto type = llvm::cast<mlir::RankedTensorType>(ParameterOp(target.op).getType());
  mlir::Value value = materialise(meaning, type.getElementType().isInteger(32), assignment.value->range);
  if (value && value.getType() == type) return value;
  auto given = value ? llvm::dyn_cast<mlir::RankedTensorType>(value.getType()) : mlir::RankedTensorType();
  if (given && given.getElementType() == type.getElementType() && broadcast(dimsOf(given), dimsOf(type)) == dimsOf(type)) {
    mlir::ImplicitLocOpBuilder b(value.getLoc(), builder);
    return broadcastTo(Formula(b, value), dimsOf(type)).value;
  }
  error(assignment.value->range, "expected " + typeText(type) + " for '" + target.decl->name.text + "', but got " + meaning.text(), frame)
      .note(target.decl->name.range, "'" + target.decl->name.text + "' is declared here");
  return {};
}

void Emitter::assignTensor(const AssignStatement &assignment, const Meaning &meaning, Frame &frame) {
  const Instance::Parameter *target = assignedTensor(assignment, frame);
  if (!target) return;
  llvm::SMRange place = assignment.path.empty() ? assignment.name.range : assignment.path.back().range;
  llvm::StringRef name = target->decl->name.text;
  if (phase == Phase::Reads) {
    error(place, "expected the name of a value, but '" + name + "' cannot be assigned outside an update block", frame)
        .note(target->decl->name.range, "'" + name + "' is declared here");
    return;
  }
  if (phase == Phase::Update && !target->decl->isState) {
    error(place, "expected a state, but '" + name + "' is a parameter, which the optimiser changes", frame)
        .note(target->decl->name.range, "'" + name + "' is declared here")
        .note(place, "after_step { " + name + " = ... } in the train block may change it");
    return;
  }
  if (mlir::Value value = matchTensor(assignment, *target, meaning, frame)) updates[target->op] = value;
}

void Emitter::finishUpdates(mlir::Location location) {
  for (auto &[tensor, value] : updates)
    AssignOp::create(builder, location, llvm::cast<ParameterOp>(tensor).getSymName(), value);
  updates.clear();
}

/// A block of the train block as a function without results, `<loss>.update` or `<loss>.after_step`, which the training step takes in.
/// An update sees the inputs of the loss.
void Emitter::emitPart(const TrainEntry &entry, const FunctionDecl &loss) {
  mlir::OpBuilder::InsertionGuard guard(builder);
  bool isUpdate = entry.key.text == "update";
  FunctionDecl self(entry.key);
  Frame frame;
  frame.owner = &root;
  frame.function = &self;
  std::vector<Port> ports;
  if (isUpdate)
    for (const InputDecl &input : loss.inputs) {
      std::optional<Port> port = resolvePort(input, frame);
      if (!port) return;
      ports.push_back(*port);
    }
  static const FunctionDecl nothing(Name{});
  mlir::func::FuncOp part = declareFunction(isUpdate ? loss : nothing, ports);
  part.setName((loss.name.text + "." + entry.key.text).str());
  part->setAttr("nacre.part", builder.getUnitAttr());
  builder.setInsertionPointToStart(part.addEntryBlock());
  for (size_t i = 0; i < ports.size(); ++i)
    bindPort(loss.inputs[i], ports[i], part.getArgument(i), frame);
  updates.clear();
  tapNames.clear();
  leastDims.clear();
  sites = isUpdate ? 1 << 16 : 2 << 16; // apart from those of the loss
  phase = isUpdate ? Phase::Update : Phase::AfterStep;
  frame.blocks.emplace_back();
  execute(entry.block, frame);
  phase = Phase::Reads;
  finishUpdates(part.getLoc());
  // The step is called as the loss is.
  if (auto function = part->getParentOfType<mlir::ModuleOp>().lookupSymbol<mlir::func::FuncOp>(loss.name.text)) noteLeastDims(function);
  mlir::func::ReturnOp::create(builder, part.getLoc());
}

/// A model with streams gets the entry point `reset_streams`, which sets all of them to zero again.
void Emitter::emitStreamReset(mlir::ModuleOp module) {
  llvm::SmallVector<ParameterOp> streams;
  for (auto tensor : module.getOps<ParameterOp>())
    if (tensor.getRole() == "stream") streams.push_back(tensor);
  if (streams.empty()) return;
  if (const FunctionDecl *own = root.function("reset_streams")) {
    diagnostics.error(own->name.range, "expected another name, for 'reset_streams' is the function that a model with streams has");
    return;
  }
  mlir::OpBuilder::InsertionGuard guard(builder);
  auto function = mlir::func::FuncOp::create(builder, module.getLoc(), "reset_streams", builder.getFunctionType({}, {}));
  function->setAttr("nacre.doc", builder.getStringAttr("Sets every stream of the context to zero, as it is in a new context."));
  builder.setInsertionPointToStart(function.addEntryBlock());
  mlir::ImplicitLocOpBuilder b(module.getLoc(), builder);
  for (ParameterOp tensor : streams)
    AssignOp::create(b, tensor.getSymName(), broadcastTo(Formula(b, 0.0), dimsOf(tensor.getType())).value);
  mlir::func::ReturnOp::create(builder, module.getLoc());
}
