// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Forward, backward, optimiser and updates of states as one function.
//
// Everything reads the values from before the step, but for what says otherwise; everything is assigned at the end, so that a step
// whose loss is not finite changes nothing.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/OptimizerTable.h"
#include "dialects/Nacre/IR/Random.h"
#include "dialects/Nacre/Transforms/DerivedFunction.h"
#include "dialects/Nacre/Transforms/GradientRules.h"
#include "dialects/Nacre/Transforms/Transforms.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringExtras.h"

using namespace nacre;
using namespace mlir;

/// Sites of the noise: behind those of the loss and of the blocks of the train block, which have 2^16 each.
static constexpr int64_t kNoiseSite = 3 << 16;

namespace {

class StepBuilder {
public:
  StepBuilder(ModuleOp module, DictionaryAttr train, func::FuncOp step)
      : module(module), train(train), step(step), b(step.getLoc(), step.getBody().front().getTerminator()), next(takeAssignments(step)),
        reads(uniqueReads(step)) {}

  /// Everything up to the optimiser and behind it.
  LogicalResult buildStep();
  /// Gradients are only added to those of the batches before, for a step that follows; states change as in a step.
  LogicalResult buildAccumulation();

private:
  LogicalResult differentiateLoss();
  void adjustGradients();
  void addNoise(DictionaryAttr noise);
  Value input(StringRef name, Type type);
  void averageWeights();
  void assignNext();
  double number(StringRef setting, double otherwise) {
    Attribute value = train.get(setting);
    auto real = dyn_cast_or_null<FloatAttr>(value);
    auto integer = dyn_cast_or_null<IntegerAttr>(value);
    return real ? real.getValueAsDouble() : integer ? double(integer.getInt()) : otherwise;
  }
  bool isListed(StringRef setting, StringAttr parameter) {
    auto list = train.getAs<ArrayAttr>(setting);
    return list && llvm::is_contained(list, parameter);
  }
  DictionaryAttr optionsOf(StringAttr parameter);
  /// A tensor beside the parameter, in the optimiser's name space.
  Value companion(StringRef kind, ParameterOp parameter);
  static std::string companionName(StringRef kind, ParameterOp parameter) {
    return ("optimizer." + kind + "." + parameter.getSymName()).str();
  }
  bool draws();
  void addScalars();
  LogicalResult optimize(ParameterOp parameter, Value value, Value gradient);
  void inlinePart(func::FuncOp part);
  Value current(StringAttr parameter);
  /// A block of the train block, taken out of the module by `run`; null when there is none.
  func::FuncOp part(StringRef name) {
    return module.lookupSymbol<func::FuncOp>((train.getAs<StringAttr>("function").getValue() + "." + name).str());
  }

  ModuleOp module;
  DictionaryAttr train;
  func::FuncOp step;
  ImplicitLocOpBuilder b;
  Assignments next; ///< what parameters and states become
  ParameterReads reads;
  Value rate, count;
  SmallVector<ParameterOp> parameters; ///< that are trained
  SmallVector<Value> trained;          ///< their values
  SmallVector<Value> gradients;
};

} // namespace

/// Whether random draws are made besides those of the loss.
bool StepBuilder::draws() {
  if (train.get("noise"))
    return true;
  for (StringRef name : {"update", "after_step"})
    if (func::FuncOp block = part(name))
      for (unsigned i = 0; i < block.getNumArguments(); ++i)
        if (block.getArgAttr(i, "nacre.implicit"))
          return true;
  return false;
}

/// Adds the scalars `rate` and `step` to the inputs, and before them what draws need.
void StepBuilder::addScalars() {
  auto scalar = RankedTensorType::get({}, b.getF32Type());
  for (StringRef name : {"rate", "step"}) {
    auto attributes = b.getDictionaryAttr(b.getNamedAttr("nacre.name", b.getStringAttr(name)));
    (void)step.insertArgument(step.getNumArguments(), scalar, attributes, step.getLoc());
  }
  rate = step.getArgument(step.getNumArguments() - 2);
  count = step.getArgument(step.getNumArguments() - 1);
  auto scalarInteger = RankedTensorType::get({}, b.getI32Type());
  if (draws())
    for (StringRef name : {kSeed, kDraw})
      (void)input(name, scalarInteger);
}

/// The parameter becomes what the optimiser makes of it.
LogicalResult StepBuilder::optimize(ParameterOp parameter, Value value, Value gradient) {
  DictionaryAttr options = optionsOf(parameter.getSymNameAttr()), base = train.getAs<DictionaryAttr>("optimizer");
  auto name = options ? options.getAs<StringAttr>("name") : StringAttr();
  const Optimizer *optimizer = findOptimizer(name ? name.getValue() : "");
  if (!optimizer)
    return module.emitError("train expects the optimizer ")
           << llvm::join(llvm::map_range(optimizers(), [](const Optimizer &known) { return known.name; }), ", ") << ", but got '"
           << (name ? name.getValue() : "") << "'";
  // The rate of the call is that of the whole block; a group's own keeps its ratio to it.
  Formula groupRate(b, rate);
  auto own = options.getAs<FloatAttr>("lr"), common = base.getAs<FloatAttr>("lr");
  if (own && common && own != common)
    groupRate = groupRate * (own.getValueAsDouble() / common.getValueAsDouble());
  ParameterUpdate update(b, parameter, optimizer->options, options, {b, value}, {b, gradient}, groupRate, {b, count});
  next[parameter.getSymNameAttr()] = optimizer->update(update);
  return success();
}

/// The value of a parameter or a state before the step.
Value StepBuilder::current(StringAttr parameter) {
  if (auto known = reads.find(parameter); known != reads.end())
    return known->second;
  auto type = cast<RankedTensorType>(module.lookupSymbol<ParameterOp>(parameter).getType());
  auto read = ReadOp::create(b, type, parameter.getValue());
  reads.insert({parameter, read});
  return read;
}

/// The step's input of that name. What random draws need is added before the last two, the rate and the step, when the loss has none.
Value StepBuilder::input(StringRef name, Type type) {
  for (unsigned i = 0; i < step.getNumArguments(); ++i)
    if (step.getArgAttrOfType<StringAttr>(i, "nacre.name") == name)
      return step.getArgument(i);
  unsigned position = step.getNumArguments() - 2;
  auto attributes = b.getDictionaryAttr(b.getNamedAttr("nacre.name", b.getStringAttr(name)));
  (void)step.insertArgument(position, type, attributes, step.getLoc());
  return step.getArgument(position);
}

/// Adds normal noise of the variance deviation^2 / step^decay.
void StepBuilder::addNoise(DictionaryAttr noise) {
  auto scalar = RankedTensorType::get({}, b.getI32Type());
  Value seed = input(kSeed, scalar), draw = input(kDraw, scalar);
  double decay = noise.getAs<FloatAttr>("decay").getValueAsDouble();
  Formula deviation = exp(log(Formula(b, count)) * (-0.5 * decay)) * noise.getAs<FloatAttr>("deviation").getValueAsDouble();
  int64_t site = kNoiseSite;
  for (Value &gradient : gradients)
    gradient = (Formula(b, gradient) + randomTensor(b, dimsOf(gradient), Distribution::Normal, seed, draw, site++) * deviation).value;
}

/// Copies a block of the train block into the step. Its inputs are those of the step of the same names; what was updated before has its
/// new value in it.
void StepBuilder::inlinePart(func::FuncOp part) {
  if (!part)
    return;
  removeTaps(part);
  IRMapping mapping;
  for (BlockArgument argument : part.getArguments())
    mapping.map(argument, input(part.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "nacre.name"), argument.getType()));
  Assignments assigned;
  for (Operation &op : part.getBody().front().without_terminator()) {
    if (auto read = dyn_cast<ReadOp>(op)) {
      StringAttr name = read.getParameterAttr().getAttr();
      Value updated = next.lookup(name);
      mapping.map(read.getResult(), updated ? updated : current(name));
    } else if (auto assign = dyn_cast<AssignOp>(op)) {
      assigned[assign.getParameterAttr().getAttr()] = mapping.lookup(assign.getValue());
    } else {
      b.clone(op, mapping);
    }
  }
  for (auto &[name, value] : assigned)
    next[name] = value;
}

/// The optimiser of the parameter's group, or that of the block.
DictionaryAttr StepBuilder::optionsOf(StringAttr parameter) {
  if (auto groups = train.getAs<ArrayAttr>("groups"))
    for (auto group : groups.getAsRange<DictionaryAttr>())
      if (llvm::is_contained(group.getAs<ArrayAttr>("parameters"), parameter))
        return group.getAs<DictionaryAttr>("optimizer");
  return train.getAs<DictionaryAttr>("optimizer");
}

Value StepBuilder::companion(StringRef kind, ParameterOp parameter) {
  auto type = cast<RankedTensorType>(parameter.getType());
  return ReadOp::create(b, type, optimizerTensor(module, companionName(kind, parameter), type).getSymName());
}

/// Nothing is computed for what is frozen: the derivative is taken with respect to the others alone. The gradient of an accumulated step
/// is the mean over its batches.
LogicalResult StepBuilder::differentiateLoss() {
  for (auto &[symbol, read] : reads) {
    auto parameter = module.lookupSymbol<ParameterOp>(symbol);
    if (parameter.getRole() != "param" || isListed("frozen", symbol))
      continue;
    parameters.push_back(parameter);
    trained.push_back(read);
  }
  auto found = differentiate(b, step.getBody().front().getTerminator()->getOperand(0), trained);
  if (failed(found))
    return failure();
  gradients = std::move(*found);
  double batches = number("accumulate", 1);
  if (batches > 1)
    for (auto [parameter, gradient] : llvm::zip(parameters, gradients))
      gradient = (Formula(b, companion("gradient", parameter)) + Formula(b, gradient) / batches).value;
  return success();
}

void StepBuilder::adjustGradients() {
  for (auto [parameter, value, gradient] : llvm::zip(parameters, trained, gradients))
    if (isListed("unit_rows", parameter.getSymNameAttr()))
      gradient = withoutRadialPart({b, value}, {b, gradient}).value;
  if (double norm = number("clip", 0); norm > 0)
    clipByGlobalNorm(b, gradients, norm);
  if (auto noise = train.getAs<DictionaryAttr>("noise"))
    addNoise(noise);
}

/// ema' = d * ema + (1 - d) * w', from w' itself on at the first step.
void StepBuilder::averageWeights() {
  double decay = number("ema", 0);
  if (decay == 0)
    return;
  for (ParameterOp parameter : parameters) {
    Formula average(b, companion("ema", parameter)), value(b, next[parameter.getSymNameAttr()]);
    Formula isFirst = Formula(b, count) == Formula(b, 1.0);
    Formula after = select(isFirst, value, average * decay + value * (1 - decay));
    next[b.getStringAttr(companionName("ema", parameter))] = after.value;
  }
}

void StepBuilder::assignNext() {
  for (auto &[name, value] : next)
    AssignOp::create(b, name, value);
}

LogicalResult StepBuilder::buildAccumulation() {
  addScalars();
  if (failed(differentiateLoss()))
    return failure();
  for (auto [parameter, gradient] : llvm::zip(parameters, gradients))
    next[b.getStringAttr(companionName("gradient", parameter))] = gradient;
  inlinePart(part("update"));
  assignNext();
  return success();
}

LogicalResult StepBuilder::buildStep() {
  addScalars();
  if (failed(differentiateLoss()))
    return failure();
  if (number("accumulate", 1) > 1)
    for (auto [parameter, gradient] : llvm::zip(parameters, gradients))
      next[b.getStringAttr(companionName("gradient", parameter))] = broadcastTo(Formula(b, 0.0), dimsOf(gradient)).value;
  adjustGradients();
  inlinePart(part("update"));
  for (auto [parameter, value, gradient] : llvm::zip(parameters, trained, gradients)) {
    if (failed(optimize(parameter, value, gradient)))
      return failure();
    Value &updated = next[parameter.getSymNameAttr()];
    if (isListed("unit_rows", parameter.getSymNameAttr()))
      updated = withUnitRows({b, updated}).value;
  }
  inlinePart(part("after_step"));
  averageWeights();
  assignNext();
  return success();
}

static StepBuilder makeBuilder(ModuleOp module, DictionaryAttr train, func::FuncOp loss, StringRef suffix) {
  func::FuncOp step = cloneAs(loss, loss.getName() + suffix);
  removeTaps(step); // interventions would change what is learnt
  step->setAttr("nacre.training", UnitAttr::get(module.getContext()));
  return StepBuilder(module, train, step);
}

LogicalResult nacre::addTrainingStep(ModuleOp module) {
  auto train = module->getAttrOfType<DictionaryAttr>("nacre.train");
  if (!train)
    return success();
  StringRef name = train.getAs<StringAttr>("function").getValue();
  auto loss = module.lookupSymbol<func::FuncOp>(name);
  if (!loss)
    return module.emitError("train names the function '") << name << "', which the model does not have";
  if (loss.getNumResults() != 1 || !dimsOf(loss.getResultTypes()[0]).empty())
    return loss.emitError("train expects a function that returns one number");
  bool accumulates = train.get("accumulate") && cast<IntegerAttr>(train.get("accumulate")).getInt() > 1;
  if (accumulates && failed(makeBuilder(module, train, loss, "_accumulate").buildAccumulation()))
    return failure();
  if (failed(makeBuilder(module, train, loss, "_step").buildStep()))
    return failure();
  // Called by themselves, the loss and the metric only measure.
  (void)takeAssignments(loss);
  if (auto metric = train.getAs<StringAttr>("metric"))
    if (auto function = module.lookupSymbol<func::FuncOp>(metric))
      (void)takeAssignments(function);
  for (func::FuncOp function : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
    if (function->hasAttr("nacre.part"))
      function.erase();
  return success();
}
