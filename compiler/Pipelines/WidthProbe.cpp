// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Pipelines/WidthProbe.h"

#include "compiler/Pipelines/Describe.h"
#include "dialects/Nacre/IR/Ops/Program.h"
#include "dialects/Nacre/Reference/Evaluate.h"
#include "dialects/Nacre/Transforms/Transforms.h"

#include <random>

using namespace nacre;
using namespace mlir;

/// 3: rows enough that no unit rests on all of them by chance alone, few enough for the reference.
constexpr int64_t kProbeSize = 3;

FailureOr<WidthProbe> WidthProbe::create(ModuleOp surface, StringRef name) {
  WidthProbe probe;
  probe.model = describeInterface(surface);
  for (const FunctionDescription &function : probe.model.functions)
    if (function.name == name)
      probe.function = function;
  probe.module = surface.clone();
  for (auto function : llvm::make_early_inc_range(probe.module->getOps<func::FuncOp>()))
    if (function.getName() != name)
      function.erase();
  removeTaps(*probe.module);
  auto function = probe.module->lookupSymbol<func::FuncOp>(name);
  if (!function || failed(decompose(*probe.module, /*keepDifferentiable=*/true)) || failed(expandNested(function)) ||
      failed(expandSparse(function)) || failed(addGradientFunction(function)))
    return failure();
  return probe;
}

int WidthProbe::chosenInput(int64_t width) const {
  int found = -1, count = 0;
  for (auto [i, port] : llvm::enumerate(function.inputs)) {
    if (!llvm::is_contained(port.choices, width))
      continue;
    if (port.name == "width")
      return int(i);
    found = int(i);
    ++count;
  }
  return count == 1 ? found : -1;
}

std::string WidthProbe::problem(int64_t width) const {
  const PortDescription &result = function.outputs.front();
  if (chosenInput(width) >= 0)
    return "";
  if (!result.stackedWidths.empty())
    return llvm::is_contained(result.stackedWidths, width) ? "" : "the result of '" + function.name + "' has no such width";
  std::optional<int64_t> columns = result.shape.empty() ? std::nullopt : result.shape.back().asConstant();
  if (columns && width < *columns)
    return "";
  return "'" + function.name + "' has no run-time width that may be " + std::to_string(width) + ", and its result no more columns than that";
}

FailureOr<Extents> WidthProbe::extents(int64_t width) const {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  auto filled = [&](ArrayRef<int64_t> shape) {
    Array array(shape);
    for (double &value : array.data)
      value = normal(random);
    return array;
  };
  llvm::StringMap<int64_t> sizes;
  for (const DimDescription &dim : model.dims)
    sizes[dim.name] = std::min(dim.bound, kProbeSize);
  int chosen = width ? chosenInput(width) : -1;
  for (auto [i, port] : llvm::enumerate(function.inputs))
    if (!port.choices.empty())
      sizes[model.dims[port.choiceDim].name] = int(i) == chosen ? width : port.choices.back();
  auto shapeOf = [&](const Dims &dims) {
    SmallVector<int64_t> shape;
    for (const Dim &dim : dims)
      shape.push_back(dim.evaluate(sizes).value_or(1));
    return shape;
  };
  std::vector<Array> inputs;
  for (const PortDescription &port : function.inputs) {
    inputs.push_back(filled(shapeOf(port.shape)));
    for (auto [i, value] : llvm::enumerate(inputs.back().data))
      if (!port.choices.empty())
        value = double(sizes[model.dims[port.choiceDim].name]);
      else if (port.isInteger) // positions below their bound; else lengths or counts, which are at least 1
        value = double(port.valueBound > 0 ? int64_t(i * 7 + 1) % port.valueBound : 1 + int64_t(i) % kProbeSize);
  }
  const PortDescription &result = function.outputs.front();
  Array cotangent = filled(shapeOf(result.shape));
  auto member = llvm::find(result.stackedWidths, width);
  size_t inner = cotangent.shape.empty() ? 1 : cotangent.shape.back(), block = cotangent.data.size() / std::max<size_t>(result.stackedWidths.size(), 1);
  for (size_t i = 0; width && chosen < 0 && i < cotangent.data.size(); ++i) {
    bool isAsked = result.stackedWidths.empty() ? int64_t(i % inner) < width : i / block == size_t(member - result.stackedWidths.begin());
    cotangent.data[i] = isAsked ? cotangent.data[i] : 0;
  }
  inputs.push_back(cotangent);
  ParameterValues parameters;
  SmallVector<std::string> read;
  ModuleOp whole = *module;
  auto gradient = whole.lookupSymbol<func::FuncOp>(function.name + "_gradient");
  for (auto parameter : whole.getOps<ParameterOp>()) {
    auto type = cast<RankedTensorType>(parameter.getType());
    bool isReal = type.getElementType().isF32(); // counts and positions stay 0: they have no derivative
    parameters[parameter.getSymName().str()] = isReal ? filled(type.getShape()) : Array(type.getShape());
    for (auto use : gradient.getOps<ReadOp>())
      if (use.getParameter() == parameter.getSymName()) {
        read.push_back(parameter.getSymName().str());
        break;
      }
  }
  FailureOr<std::vector<Members>> values = evaluate(gradient, inputs, parameters);
  if (failed(values))
    return failure();
  Extents extents;
  size_t first = values->size() - read.size(); // the parameters' gradients are the last results
  for (auto [i, name] : llvm::enumerate(read)) {
    const Array &array = (*values)[first + i][0];
    std::vector<int64_t> &extent = extents[name];
    extent.assign(array.rank(), 0);
    forEach(array.shape, [&](ArrayRef<int64_t> index) {
      for (size_t axis = 0; axis < index.size(); ++axis)
        if (array.at(index) != 0)
          extent[axis] = std::max(extent[axis], index[axis] + 1);
    });
  }
  return extents;
}
