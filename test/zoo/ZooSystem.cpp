// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/zoo/ZooSystem.h"

#include "dialects/Nacre/IR/Infer.h"
#include "dialects/Nacre/IR/Ops/Program.h"
#include "test/harness/Judge.h"

#include <cmath>

using namespace nacre;
using namespace nacre::test;

static constexpr uint64_t kCheckKey = 1, kTrainingKey = 2, kTestKey = 3; // rows of one are never rows of another
static constexpr int64_t kDefaultSize = 7;                               // of a dim: odd, so that no block size divides it
static constexpr uint64_t kCallStride = 1 << 20, kKindStride = uint64_t(1) << 40;

std::unique_ptr<ZooSystem> ZooSystem::make(const ZooFile &file, std::string &messages) {
  std::unique_ptr<ZooSystem> system(new ZooSystem(file));
  system->program = TestProgram::parse(file.name, file.program, messages);
  if (!system->program)
    return nullptr;
  // One level: what differs between levels is not what the zoo shows, and compiling is what it spends its time on.
  std::string level = __builtin_cpu_supports("x86-64-v4") ? "v4" : "v3";
  mlir::OwningOpRef<mlir::ModuleOp> copy(system->program->surface().clone());
  system->compiled = CompiledProgram::compile(*copy, messages, level);
  messages += system->program->takeMessages();
  return system->compiled ? std::move(system) : nullptr;
}

//===-- inputs ---------------------------------------------------------------------------------------------------------------===//

static llvm::StringRef nameOf(mlir::func::FuncOp function, unsigned index) {
  return function.getArgAttrOfType<mlir::StringAttr>(index, "nacre.name").getValue();
}

static llvm::ArrayRef<int64_t> choicesOf(mlir::func::FuncOp function, unsigned index) {
  auto choices = function.getArgAttrOfType<mlir::DenseI64ArrayAttr>(index, "nacre.choices");
  return choices ? choices.asArrayRef() : llvm::ArrayRef<int64_t>();
}

/// What sizes call the run-time width that an argument carries.
static llvm::StringRef choiceDim(mlir::func::FuncOp function, unsigned index) {
  auto own = function.getArgAttrOfType<mlir::StringAttr>(index, "nacre.dim");
  return own ? own.getValue() : nameOf(function, index);
}

/// The value that the train block's data gives to an input that is one number.
static std::optional<double> valueInData(mlir::ModuleOp module, llvm::StringRef name) {
  auto train = module->getAttrOfType<mlir::DictionaryAttr>("nacre.train");
  auto data = train ? train.getAs<mlir::DictionaryAttr>("data") : mlir::DictionaryAttr();
  auto value = data ? data.getAs<mlir::FloatAttr>(name) : mlir::FloatAttr();
  return value ? std::optional<double>(value.getValueAsDouble()) : std::nullopt;
}

/// Standard normal numbers (Box and Muller 1958); a uniform draw that was rounded up to 1 would be infinitely far out.
static Array normal(llvm::ArrayRef<int64_t> shape, uint64_t key) {
  Array radius = uniform(shape, 0, 1, key), angle = uniform(shape, 0, 2 * M_PI, key + kCallStride / 2);
  for (int64_t i = 0; i < radius.size(); ++i)
    radius.data[i] = float(std::sqrt(-2 * std::log1p(-std::min(radius.data[i], 1 - 0x1p-24))) * std::cos(angle.data[i]));
  return radius;
}

/// The dim that the rows of a batch have: the first axis of the first input that has one.
static std::string rowDim(mlir::func::FuncOp function) {
  for (mlir::BlockArgument argument : function.getArguments())
    if (Dims dims = dimsOf(argument); !dims.empty())
      return dims[0].str();
  return "";
}

/// Dims by the file or by default, in training by the batch; run-time widths by turns.
llvm::StringMap<int64_t> ZooSystem::sizes(mlir::func::FuncOp function, uint64_t key, int64_t call) {
  llvm::StringMap<int64_t> sizes;
  if (auto dims = program->surface()->getAttrOfType<mlir::DictionaryAttr>("nacre.dims"))
    for (mlir::NamedAttribute dim : dims) {
      int64_t bound = mlir::cast<mlir::IntegerAttr>(dim.getValue()).getInt();
      auto given = file.sizes.find(dim.getName());
      sizes[dim.getName()] = given == file.sizes.end() ? std::min(kDefaultSize, bound) : given->second;
    }
  if (std::string rows = rowDim(function); key == kTrainingKey * kKindStride && sizes.count(rows))
    sizes[rows] = compiled->table().training.batch;
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (llvm::ArrayRef<int64_t> choices = choicesOf(function, i); !choices.empty())
      sizes[choiceDim(function, i)] = choices[call % choices.size()];
  return sizes;
}

std::optional<Array> ZooSystem::input(mlir::func::FuncOp function, unsigned index, uint64_t key, int64_t call, std::string &messages) {
  llvm::StringRef name = nameOf(function, index);
  llvm::StringMap<int64_t> bound = sizes(function, key, call);
  if (std::optional<double> value = valueInData(program->surface(), name); value && key == kTrainingKey * kKindStride)
    return Array({}, *value);
  if (!choicesOf(function, index).empty())
    return Array({}, double(bound[choiceDim(function, index)]));
  if (function.getArgAttr(index, "nacre.implicit")) // of random draws: one seed, another draw in every call
    return Array({}, name == "seed" ? double(key / kKindStride) : double(call));
  auto type = mlir::dyn_cast<mlir::RankedTensorType>(function.getArgument(index).getType());
  auto range = file.inputs.find(name);
  bool isReal = type && type.getElementType().isF32();
  if (!type || (!isReal && (range == file.inputs.end() || !range->second.isInteger))) {
    messages += (function.getName() + ": expected `// input " + name + " in LOW..HIGH`").str();
    return std::nullopt;
  }
  llvm::SmallVector<int64_t> shape;
  for (const Dim &dim : dimsOf(function.getArgument(index)))
    shape.push_back(dim.evaluate(bound).value_or(kDefaultSize));
  uint64_t own = key + uint64_t(call) * kCallStride + index;
  if (range == file.inputs.end())
    return normal(shape, own);
  const ZooInput &from = range->second;
  return from.isInteger ? integers(shape, int64_t(from.low), int64_t(from.high), own) : uniform(shape, from.low, from.high, own);
}

std::optional<std::vector<Array>> ZooSystem::inputs(llvm::StringRef name, uint64_t key, int64_t call, std::string &messages) {
  auto function = program->surface().lookupSymbol<mlir::func::FuncOp>(name);
  if (!function) {
    messages += ("no entry point " + name).str();
    return std::nullopt;
  }
  std::vector<Array> result;
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    std::optional<Array> made = input(function, i, key, call, messages);
    if (!made)
      return std::nullopt;
    result.push_back(std::move(*made));
  }
  return result;
}

//===-- training -------------------------------------------------------------------------------------------------------------===//

bool ZooSystem::restart(std::string &messages) {
  trainedSteps = 0;
  return compiled->initialize(0, messages) && (!compiled->has("reset_streams") || compiled->call("reset_streams", {}, {}, messages));
}

bool ZooSystem::takeStep(int64_t step, int64_t steps, std::string &messages) {
  const nacre_model &model = compiled->table();
  std::optional<std::vector<Array>> given = inputs(model.training.loss, kTrainingKey * kKindStride, step, messages);
  if (!given)
    return false;
  given->push_back(Array({}, model.api->training_rate(&model, step, steps)));
  given->push_back(Array({}, double(step)));
  return compiled->call(model.training.function, *given, {}, messages).has_value();
}

bool ZooSystem::train(int64_t steps, std::string &messages) {
  if (trainedSteps == steps)
    return true;
  if (!compiled->table().training.function) {
    messages += "expected a train block";
    return false;
  }
  if (!restart(messages))
    return false;
  for (int64_t step = 1; step <= steps; ++step)
    if (!takeStep(step, steps, messages))
      return false;
  trainedSteps = steps;
  return true;
}

//===-- checks ---------------------------------------------------------------------------------------------------------------===//

/// The number that is nearest to breaking the check, or does; not a number where there is one.
static double worst(const ZooCheck &check, llvm::ArrayRef<Array> results, double before) {
  for (const Array &result : results)
    for (double value : result.data)
      if (std::isnan(value) || (check.isUpper ? value > before : value < before))
        before = value;
  return before;
}

static double best(const ZooCheck &check) { return check.isUpper ? -INFINITY : INFINITY; }

int64_t ZooSystem::calls(const ZooCheck &check) {
  int64_t count = std::max<int64_t>(check.calls, 1);
  auto function = program->surface().lookupSymbol<mlir::func::FuncOp>(check.function);
  for (unsigned i = 0; check.calls == 0 && function && i < function.getNumArguments(); ++i)
    count = std::max<int64_t>(count, choicesOf(function, i).size());
  return count;
}

std::optional<double> ZooSystem::worstOfCompiled(const ZooCheck &check, uint64_t key, std::string &messages) {
  double value = best(check);
  for (int64_t call = 0; call < calls(check) && !std::isnan(value); ++call) {
    auto given = inputs(check.function, key, call, messages);
    auto results = given ? compiled->call(check.function, *given, {}, messages) : std::nullopt;
    if (!results)
      return std::nullopt;
    value = worst(check, *results, value);
  }
  return value;
}

std::optional<double> ZooSystem::worstOfReference(const ZooCheck &check, uint64_t key, std::string &messages) {
  ParameterValues parameters;
  for (auto parameter : program->surface().getOps<ParameterOp>())
    parameters[parameter.getSymName().str()] = Array(mlir::cast<mlir::RankedTensorType>(parameter.getType()).getShape());
  for (const std::string &name : compiled->parameterNames())
    parameters[name] = compiled->parameter(name);
  double value = best(check);
  for (int64_t call = 0; call < calls(check) && !std::isnan(value); ++call) {
    auto given = inputs(check.function, key, call, messages);
    if (!given)
      return std::nullopt;
    auto results = evaluate(program->surface().lookupSymbol<mlir::func::FuncOp>(check.function), *given, parameters);
    if (mlir::failed(results)) {
      messages += program->takeMessages();
      return std::nullopt;
    }
    for (const Members &members : *results)
      value = worst(check, members, value);
  }
  return value;
}

std::optional<ZooMeasure> ZooSystem::measure(const ZooCheck &check, std::string &messages) {
  ZooMeasure measure;
  bool isTrained = check.steps > 0;
  uint64_t key = (isTrained ? kTestKey : kCheckKey) * kKindStride;
  if (!(isTrained ? train(check.steps, messages) : restart(messages)))
    return std::nullopt;
  if (!isTrained) {
    measure.reference = worstOfReference(check, key, messages);
    if (!measure.reference)
      return std::nullopt;
  }
  std::optional<double> value = worstOfCompiled(check, key, messages);
  if (!value)
    return std::nullopt;
  measure.compiled = *value;
  return measure;
}
