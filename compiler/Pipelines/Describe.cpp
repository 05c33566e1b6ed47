// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Pipelines/Describe.h"

#include "compiler/Transforms/Groups.h"
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Program.h"
#include "dialects/Nacre/Transforms/Transforms.h"
#include "dialects/Plan/IR/Packing.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/Support/Path.h"

using namespace nacre;
using namespace mlir;

std::string nacre::symbolPrefix(StringRef model) { return model.lower(); }

static std::string textOf(Attribute attribute) {
  auto text = dyn_cast_or_null<StringAttr>(attribute);
  return text ? text.getValue().str() : std::string();
}

//===-- ports ----------------------------------------------------------------------------------------------------------------===//

static int dimPosition(const ModelDescription &model, StringRef name) {
  for (auto [i, dim] : llvm::enumerate(model.dims))
    if (dim.name == name)
      return int(i);
  return -1;
}

/// What sizes call the run-time width that an argument carries.
static std::string choiceName(func::FuncOp function, unsigned index) {
  Attribute own = function.getArgAttr(index, "nacre.dim");
  return textOf(own ? own : function.getArgAttr(index, "nacre.name"));
}

/// The tightest bound that any operator sets on the values of an integer input.
static int64_t valueBound(BlockArgument argument) {
  if (auto code = dyn_cast<CodeType>(argument.getType()))
    return code.getCount();
  int64_t bound = 0;
  for (Operation *user : argument.getUsers())
    if (auto indexing = dyn_cast<Indexing>(user); indexing && indexing.positions() == argument)
      if (std::optional<int64_t> limit = indexing.positionBound())
        bound = bound == 0 ? *limit : std::min(bound, *limit);
  return bound;
}

static PortDescription describeInput(func::FuncOp function, BlockArgument argument, const ModelDescription &model) {
  PortDescription port;
  unsigned index = argument.getArgNumber();
  port.name = textOf(function.getArgAttr(index, "nacre.name"));
  port.doc = textOf(function.getArgAttr(index, "nacre.doc"));
  port.shape = dimsOf(argument);
  port.isInteger = plainType(argument).getElementType().isInteger(32);
  port.valueBound = port.isInteger ? valueBound(argument) : 0;
  if (auto choices = function.getArgAttrOfType<DenseI64ArrayAttr>(index, "nacre.choices")) {
    port.choices.assign(choices.asArrayRef().begin(), choices.asArrayRef().end());
    port.choiceDim = dimPosition(model, choiceName(function, index));
    port.choiceIndexDim = dimPosition(model, choiceName(function, index) + ".index");
  }
  return port;
}

/// One port for each tensor that holds the entries of a sparse value.
static void describeEntries(SparseType type, const PortDescription &whole, std::vector<PortDescription> &ports) {
  SmallVector<Type> types = entryTypes(type);
  for (auto [i, name] : llvm::enumerate(entryNames(type))) {
    PortDescription port = whole;
    port.name += ("_" + name).str();
    port.shape = dimsOf(types[i]);
    port.isInteger = i > 0;
    ports.push_back(port);
  }
}

static void describeOutput(Type type, StringRef name, std::vector<PortDescription> &ports) {
  PortDescription port;
  port.name = name.str();
  port.shape = dimsOf(type);
  if (auto sparse = dyn_cast<SparseType>(type))
    return describeEntries(sparse, port, ports);
  if (auto nested = dyn_cast<NestedType>(type)) {
    port.stackedWidths.assign(nested.getWidths().begin(), nested.getWidths().end());
    port.shape.insert(port.shape.begin(), Dim::constant(port.stackedWidths.size()));
    type = nested.getElement();
  }
  auto tensor = dyn_cast<RankedTensorType>(type);
  port.isInteger = !tensor || !tensor.getElementType().isF32();
  ports.push_back(port);
}

static FunctionDescription describeFunction(func::FuncOp function, const ModelDescription &model) {
  FunctionDescription result;
  result.name = function.getName().str();
  result.doc = textOf(function->getAttr("nacre.doc"));
  for (BlockArgument argument : function.getArguments()) {
    PortDescription port = describeInput(function, argument, model);
    if (auto sparse = dyn_cast<SparseType>(argument.getType()))
      describeEntries(sparse, port, result.inputs);
    else
      result.inputs.push_back(port);
  }
  if (auto least = function->getAttrOfType<DictionaryAttr>("nacre.least"))
    for (NamedAttribute dim : least)
      result.leastDims[dim.getName().str()] = cast<IntegerAttr>(dim.getValue()).getInt();
  std::string name = textOf(function->getAttr("nacre.result_name"));
  for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
    describeOutput(type, !name.empty() ? name : i == 0 ? "result" : "result" + std::to_string(i), result.outputs);
  result.program = symbolPrefix(model.name) + "_program_" + result.name;
  return result;
}

/// Named dims with their bounds, then for every run-time width its value and its position in the list.
static void describeDims(ModuleOp module, ModelDescription &model) {
  if (auto dims = module->getAttrOfType<DictionaryAttr>("nacre.dims"))
    for (NamedAttribute dim : dims)
      model.dims.push_back({dim.getName().str(), cast<IntegerAttr>(dim.getValue()).getInt()});
  for (auto function : module.getOps<func::FuncOp>())
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      auto choices = function.getArgAttrOfType<DenseI64ArrayAttr>(i, "nacre.choices");
      if (!choices || choices.empty())
        continue;
      std::string name = choiceName(function, i);
      int known = dimPosition(model, name);
      if (known >= 0) {
        model.dims[known].bound = std::max(model.dims[known].bound, choices.asArrayRef().back());
        model.dims[dimPosition(model, name + ".index")].bound = std::max<int64_t>(model.dims[dimPosition(model, name + ".index")].bound, choices.size());
        continue;
      }
      model.dims.push_back({name, choices.asArrayRef().back()});
      model.dims.push_back({name + ".index", int64_t(choices.size())});
    }
}

//===-- train block ----------------------------------------------------------------------------------------------------------===//

static double numberOf(Attribute attribute, double fallback) {
  if (auto real = dyn_cast_or_null<FloatAttr>(attribute))
    return real.getValueAsDouble();
  if (auto integer = dyn_cast_or_null<IntegerAttr>(attribute))
    return double(integer.getInt());
  return fallback;
}

static TrainingDescription::Rows rowsOf(Attribute attribute) {
  TrainingDescription::Rows rows;
  if (auto file = dyn_cast_or_null<StringAttr>(attribute))
    rows.file = file.getValue().str();
  if (auto range = dyn_cast_or_null<DenseI64ArrayAttr>(attribute); range && range.size() == 2) {
    rows.begin = range[0];
    rows.end = range[1];
  }
  return rows;
}

static void describeTraining(DictionaryAttr train, ModelDescription &model) {
  TrainingDescription &training = model.training;
  training.loss = textOf(train.get("function"));
  training.step = training.loss + "_step";
  training.metric = textOf(train.get("metric"));
  if (auto optimizer = train.getAs<DictionaryAttr>("optimizer")) {
    training.optimizer = textOf(optimizer.get("name"));
    training.rate = numberOf(optimizer.get("lr"), 1e-3);
  }
  if (auto schedule = train.getAs<DictionaryAttr>("schedule")) {
    training.schedule = textOf(schedule.get("name"));
    training.warmupSteps = int64_t(numberOf(schedule.get("warmup"), 0));
  }
  training.batch = int64_t(numberOf(train.get("batch"), 32));
  training.epochs = int64_t(numberOf(train.get("epochs"), 0));
  training.steps = int64_t(numberOf(train.get("steps"), 0));
  training.accumulate = int64_t(numberOf(train.get("accumulate"), 1));
  if (training.accumulate > 1)
    training.accumulation = training.loss + "_accumulate";
  training.averages = numberOf(train.get("ema"), 0) > 0;
  training.seed = uint64_t(numberOf(train.get("seed"), 0));
  training.train = rowsOf(train.get("train"));
  training.test = rowsOf(train.get("test"));
  if (auto data = train.getAs<DictionaryAttr>("data"))
    for (NamedAttribute entry : data) {
      if (isa<StringAttr>(entry.getValue()))
        training.data[entry.getName().str()] = textOf(entry.getValue());
      else
        training.values[entry.getName().str()] = numberOf(entry.getValue(), 0);
    }
}

ModelDescription nacre::describeInterface(ModuleOp module) {
  ModelDescription model;
  model.name = module.getName().value_or("model").str();
  describeDims(module, model);
  for (auto function : module.getOps<func::FuncOp>())
    if (!function->hasAttr("nacre.part")) // of the training step
      model.functions.push_back(describeFunction(function, model));
  auto train = module->getAttrOfType<DictionaryAttr>("nacre.train");
  if (train)
    describeTraining(train, model);
  model.training.draws = train && train.get("noise");
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr("nacre.part"))
      for (unsigned i = 0; i < function.getNumArguments(); ++i)
        model.training.draws |= bool(function.getArgAttr(i, "nacre.implicit"));
  return model;
}

//===-- parameters, programs -------------------------------------------------------------------------------------------------===//

void nacre::describeParameters(ModuleOp module, ModelDescription &model) {
  constexpr int64_t kAlignmentBytes = 64;
  int64_t offset = 0;
  for (auto op : module.getOps<ParameterOp>()) {
    if (op.getRole() == "stream") // in the contexts' arenas
      continue;
    ParameterDescription parameter;
    auto type = cast<RankedTensorType>(op.getType());
    parameter.name = op.getSymName().str();
    parameter.source = op.getSource().str();
    parameter.isInteger = !type.getElementType().isF32();
    parameter.shape.assign(type.getShape().begin(), type.getShape().end());
    parameter.offsetBytes = offset;
    parameter.role = op.getRole().str();
    parameter.init = op.getInit().str();
    parameter.initValue = op.getInitValue().convertToDouble();
    if (StringRef from = op.getInit(); from.consume_front("transpose:")) {
      // The position of the parameter whose values it starts with.
      parameter.init = "transpose";
      auto known = llvm::find_if(model.parameters, [&](const ParameterDescription &other) { return other.name == from; });
      parameter.initValue = double(known - model.parameters.begin());
    }
    parameter.sourceTransposed = op.getSourceTransposed();
    offset += (type.getNumElements() * 4 + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
    model.parameters.push_back(std::move(parameter));
  }
  model.parameterBytes = offset;
}

/// Bytes of the elements that a view touches: axes of stride 0 are read once, and a packed buffer whole.
static Dim bytesOf(plan::LaunchOp launch, plan::ViewAttr view) {
  if (view.getBuffer() >= 0)
    if (auto buffer = launch.getBuffers()[view.getBuffer()].getDefiningOp<plan::BufferOp>(); buffer.getSpace() == plan::kPackedSpace)
      return product(dimsFrom(buffer.getShape())) * Dim::constant(4);
  Layout layout = plan::layoutOf(view);
  Dim elements = Dim::constant(view.getBuffer() < 0 ? 0 : 4);
  for (auto [size, stride] : llvm::zip(layout.sizes, layout.strides))
    if (!stride.isZero())
      elements = elements * size;
  return elements;
}

/// The first line of a model file that a location names; without its folder, for artefacts must not tell where they were made.
static std::string placeOf(Location location) {
  std::string place;
  location->walk([&](Location inner) {
    auto line = dyn_cast<FileLineColLoc>(inner);
    if (!line)
      return WalkResult::advance();
    place = (llvm::sys::path::filename(line.getFilename().strref()) + ":" + Twine(line.getLine())).str();
    return WalkResult::interrupt();
  });
  return place;
}

/// Each buffer of the views once, in their order.
static std::vector<MemoryDescription> memoryOf(plan::LaunchOp launch, ArrayRef<Attribute> views, const llvm::DenseMap<Value, int64_t> &arena) {
  llvm::SetVector<Value> buffers;
  for (Attribute view : views)
    if (int64_t buffer = cast<plan::ViewAttr>(view).getBuffer(); buffer >= 0)
      buffers.insert(launch.getBuffers()[buffer]);
  std::vector<MemoryDescription> result;
  for (Value buffer : buffers) {
    auto op = buffer.getDefiningOp<plan::BufferOp>();
    auto known = arena.find(buffer);
    result.push_back(known != arena.end() ? MemoryDescription{known->second, ""}
                                          : MemoryDescription{-1, (op.getSpace() + " " + op.getName()).str()});
  }
  return result;
}

KernelDescription nacre::describeKernel(plan::KernelOp kernel) {
  KernelDescription result{kernel.getSymName().str(), kernel.getSkeleton().str(), {}};
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (op.getNumResults() != 1 || !isFree(op.getResult(0))) // constants and views are no work
      result.operators.push_back(op.getName().stripDialect().str());
  if (result.operators.empty()) // element-wise without work: it moves what it reads, or writes a number
    result.operators.push_back(result.skeleton != "rows" ? result.skeleton : kernel.getBody().getNumArguments() > 0 ? "copy" : "fill");
  return result;
}

void nacre::describeProgram(plan::ProgramOp program, FunctionDescription &function) {
  function.arenaBytes = Dim::parse(program.getArena().value_or("0")).value_or(Dim());
  llvm::DenseMap<Value, int64_t> arena;
  for (auto buffer : program.getOps<plan::BufferOp>()) {
    function.readsPacked |= buffer.getSpace() == plan::kPackedSpace;
    if (buffer.getSpace() != "arena")
      continue;
    arena[buffer] = int64_t(function.buffers.size());
    Dims shape = dimsFrom(buffer.getShape());
    function.buffers.push_back({buffer.getName().str(), shape, Dim::parse(buffer.getOffset().value_or("0")).value_or(Dim()),
                                product(shape) * Dim::constant(4)});
  }
  for (auto tap : program.getOps<plan::TapOp>()) {
    auto buffer = tap.getBuffer().getDefiningOp<plan::BufferOp>();
    function.taps.push_back({tap.getName().str(), !buffer.getElement().isF32(), dimsFrom(buffer.getShape())});
  }
  for (auto launch : program.getOps<plan::LaunchOp>()) {
    Dim bytes;
    for (Attribute view : launch.getViews())
      bytes = bytes + bytesOf(launch, cast<plan::ViewAttr>(view));
    ArrayRef<Attribute> views = launch.getViews().getValue();
    function.launches.push_back({launch.getKernel().str(), Dim::parse(launch.getOperations()).value_or(Dim()), bytes, placeOf(launch.getLoc()),
                                 memoryOf(launch, views.drop_back(launch.getWrites()), arena),
                                 memoryOf(launch, views.take_back(launch.getWrites()), arena)});
    for (Attribute view : views.take_back(launch.getWrites())) {
      Value buffer = launch.getBuffers()[cast<plan::ViewAttr>(view).getBuffer()];
      function.writesParameters |= buffer.getDefiningOp<plan::BufferOp>().getSpace() == "parameter";
    }
  }
}
