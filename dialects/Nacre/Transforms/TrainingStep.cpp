// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Forward, backward and optimiser as one function; and the gradient function that tests call.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Optimizer.h"
#include "dialects/Nacre/IR/Ops/Program.h"
#include "dialects/Nacre/Transforms/Transforms.h"

#include "llvm/ADT/MapVector.h"

using namespace nacre;
using namespace mlir;

/// The one read of every parameter that a function uses, in order of first use; later reads are folded into it.
static llvm::MapVector<StringAttr, ReadOp> uniqueReads(func::FuncOp function) {
  llvm::MapVector<StringAttr, ReadOp> reads;
  SmallVector<ReadOp> all(function.getOps<ReadOp>());
  for (ReadOp read : all) {
    auto [slot, isNew] = reads.insert({read.getParameterAttr().getAttr(), read});
    if (isNew) {
      read->moveBefore(&function.getBody().front(), function.getBody().front().begin());
      continue;
    }
    read.replaceAllUsesWith(slot->second.getResult());
    read.erase();
  }
  return reads;
}

static func::FuncOp cloneAs(func::FuncOp function, const Twine &name) {
  func::FuncOp copy = function.clone();
  copy.setName(name.str());
  OpBuilder builder(function);
  builder.setInsertionPointAfter(function);
  builder.insert(copy);
  return copy;
}

namespace {

/// Builds the optimiser's part of the step.
class UpdateBuilder {
public:
  UpdateBuilder(ModuleOp module, ImplicitLocOpBuilder &b, DictionaryAttr options, Value rate, Value step)
      : module(module), b(b), options(options), rate(rate), step(step) {}

  LogicalResult update(ParameterOp parameter, Value value, Value gradient);

private:
  FloatAttr option(StringRef name, double fallback) {
    Attribute given = options.get(name);
    if (auto integer = dyn_cast_or_null<IntegerAttr>(given))
      return b.getF64FloatAttr(double(integer.getInt()));
    auto real = dyn_cast_or_null<FloatAttr>(given);
    return b.getF64FloatAttr(real ? real.getValueAsDouble() : fallback);
  }
  /// A zeroed tensor of the parameter's shape in the optimiser's own name space.
  Value moment(ParameterOp parameter, StringRef kind) {
    std::string name = ("optimizer." + kind + "." + parameter.getSymName()).str();
    OpBuilder atModule(parameter);
    atModule.setInsertionPointAfter(parameter);
    if (!module.lookupSymbol(name))
      ParameterOp::create(atModule, parameter.getLoc(), name, parameter.getType(), "optimizer", "zeros", APFloat(0.0), "", false);
    return ReadOp::create(b, cast<RankedTensorType>(parameter.getType()), name);
  }
  void assign(StringRef name, Value value) { AssignOp::create(b, name, value); }

  ModuleOp module;
  ImplicitLocOpBuilder &b;
  DictionaryAttr options;
  Value rate, step;
};

} // namespace

LogicalResult UpdateBuilder::update(ParameterOp parameter, Value value, Value gradient) {
  StringRef name = parameter.getSymName();
  auto optimizer = options.getAs<StringAttr>("name");
  std::string text = optimizer ? optimizer.getValue().str() : "";
  if (text == "adam" || text == "adamw") {
    Value m = moment(parameter, "m"), v = moment(parameter, "v");
    FloatAttr decay = text == "adam" ? b.getF64FloatAttr(0) : option("weight_decay", 0.01);
    auto op = AdamOp::create(b, value, gradient, m, v, rate, step, option("beta1", 0.9), option("beta2", 0.999), option("eps", 1e-8), decay);
    assign(name, op.getWNext());
    assign(("optimizer.m." + name).str(), op.getMNext());
    assign(("optimizer.v." + name).str(), op.getVNext());
    return success();
  }
  if (text == "sgd") {
    auto nesterov = options.getAs<BoolAttr>("nesterov");
    auto op = SgdOp::create(b, value, gradient, moment(parameter, "u"), rate, step, option("momentum", 0), option("weight_decay", 0),
                            b.getBoolAttr(nesterov && nesterov.getValue()));
    assign(name, op.getWNext());
    assign(("optimizer.u." + name).str(), op.getUNext());
    return success();
  }
  return module.emitError("train expects the optimizer adam, adamw or sgd, but got '") << text << "'";
}

/// Adds the scalars `rate` and `step` to the inputs.
static std::pair<Value, Value> addScalars(func::FuncOp step, ImplicitLocOpBuilder &b) {
  auto scalar = RankedTensorType::get({}, b.getF32Type());
  for (StringRef name : {"rate", "step"}) {
    auto attributes = b.getDictionaryAttr(b.getNamedAttr("nacre.name", b.getStringAttr(name)));
    (void)step.insertArgument(step.getNumArguments(), scalar, attributes, step.getLoc());
  }
  return {step.getArgument(step.getNumArguments() - 2), step.getArgument(step.getNumArguments() - 1)};
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
  func::FuncOp step = cloneAs(loss, name + "_step");
  removeTaps(step); // interventions would change what is learnt
  step->setAttr("nacre.training", UnitAttr::get(module.getContext()));
  auto reads = uniqueReads(step);
  Operation *terminator = step.getBody().front().getTerminator();
  ImplicitLocOpBuilder b(step.getLoc(), terminator);
  auto [rate, count] = addScalars(step, b);
  SmallVector<Value> trained;
  SmallVector<ParameterOp> parameters;
  for (auto &[symbol, read] : reads) {
    auto parameter = module.lookupSymbol<ParameterOp>(symbol);
    if (parameter.getRole() != "param")
      continue;
    parameters.push_back(parameter);
    trained.push_back(read);
  }
  FailureOr<SmallVector<Value>> gradients = differentiate(b, terminator->getOperand(0), trained);
  if (failed(gradients))
    return failure();
  auto options = train.getAs<DictionaryAttr>("optimizer");
  UpdateBuilder updates(module, b, options ? options : b.getDictionaryAttr({}), rate, count);
  for (auto [parameter, value, gradient] : llvm::zip(parameters, trained, *gradients))
    if (failed(updates.update(parameter, value, gradient)))
      return failure();
  return success();
}

LogicalResult nacre::addGradientFunction(func::FuncOp function) {
  func::FuncOp gradient = cloneAs(function, function.getName() + "_gradient");
  auto module = function->getParentOfType<ModuleOp>();
  auto reads = uniqueReads(gradient);
  Operation *terminator = gradient.getBody().front().getTerminator();
  ImplicitLocOpBuilder b(gradient.getLoc(), terminator);
  SmallVector<Value> sources, of, seeds;
  for (BlockArgument argument : gradient.getArguments())
    if (plainType(argument).getElementType().isF32())
      sources.push_back(argument);
  for (ParameterOp parameter : module.getOps<ParameterOp>())
    if (auto found = reads.find(parameter.getSymNameAttr()); found != reads.end())
      sources.push_back(found->second);
  for (Value result : terminator->getOperands()) {
    if (!plainType(result).getElementType().isF32())
      continue;
    auto name = b.getNamedAttr("nacre.name", b.getStringAttr("cotangent" + Twine(of.size())));
    (void)gradient.insertArgument(gradient.getNumArguments(), result.getType(), b.getDictionaryAttr(name), gradient.getLoc());
    of.push_back(result);
    seeds.push_back(gradient.getArguments().back());
  }
  FailureOr<SmallVector<Value>> gradients = differentiate(b, of, seeds, sources);
  if (failed(gradients))
    return failure();
  SmallVector<Value> results(terminator->getOperands());
  results.append(gradients->begin(), gradients->end());
  terminator->setOperands(results);
  gradient.setType(FunctionType::get(gradient.getContext(), gradient.getArgumentTypes(), ValueRange(results).getTypes()));
  return success();
}
