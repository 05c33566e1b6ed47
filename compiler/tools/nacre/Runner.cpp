// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Runner.h"

#include "compiler/Artifact/Failure.h"
#include "compiler/tools/nacre/Binding.h"
#include "compiler/tools/nacre/Checkpoint.h"
#include "compiler/tools/nacre/DeviceOption.h"
#include "compiler/tools/nacre/Inputs.h"
#include "compiler/tools/nacre/Interventions.h"
#include "compiler/tools/nacre/Select.h"

#include <cstring>

using namespace nacre;
using namespace nacre::tool;

llvm::Error Runner::chooseFunction() {
  auto found = tool::chooseFunction(model, arguments);
  if (!found) return found.takeError();
  function = *found;
  const char *step = model.table().training.function;
  if (step && llvm::StringRef(step) == function->name)
    return userFailure("'" + llvm::Twine(function->name) + "' is the training step; 'nacre train' runs it");
  return llvm::Error::success();
}

llvm::Error Runner::readInputs() {
  auto read = tool::readInputs(*function, arguments.all("in"));
  if (!read) return read.takeError();
  std::vector<std::optional<Array>> given = std::move(*read);
  if (auto text = arguments.get("width")) {
    auto number = parseInteger("--width", *text, 1, INT32_MAX);
    if (!number) return number.takeError();
    width = *number;
  }
  for (int32_t i = 0; i < function->input_count; ++i) {
    const nacre_port &port = function->inputs[i];
    if (!given[i] && port.choice_count > 0 && width) { // a run-time width: the function itself takes it
      given[i] = cantFail(numberFor(port, std::to_string(*width)));
      width.reset();
    }
    if (!given[i])
      return userFailure("expected a value for input '" + llvm::Twine(port.name) + "', " + portText(model.table(), port) + ": --in " +
                         port.name + "=" + (port.rank == 0 ? "NUMBER" : "FILE.npy"));
    inputs.push_back(std::move(*given[i]));
  }
  return llvm::Error::success();
}

llvm::Error Runner::prepare() {
  auto made = createParameters(model);
  if (!made) return made.takeError();
  parameters = std::move(*made);
  return loadWeights(model, parameters.get(), arguments);
}

llvm::Error Runner::callWhole() {
  auto dims = bindDims(model.table(), *function, inputs);
  if (!dims) return dims.takeError();
  auto made = outputsAt(model.table(), *function, *dims);
  if (!made) return made.takeError();
  auto context = createContext(model, parameters.get(), *dims, arguments);
  if (!context) return context.takeError();
  reportDevice(model, context->get(), console);
  outputs = std::move(*made);
  auto interventions = Interventions::parse(model, *function, arguments.all("tap"), *dims);
  if (!interventions) return interventions.takeError();
  if (llvm::Error error = callFunction(model, context->get(), *function, inputs, outputs, interventions->list())) return error;
  return interventions->writeRead();
}

/// Rows [begin, end) of every input that has rows, and the others whole.
std::vector<Array> Runner::part(int32_t dim, int64_t begin, int64_t end) const {
  std::vector<Array> result;
  for (int32_t i = 0; i < function->input_count; ++i) {
    const Array &whole = inputs[i];
    if (!startsWith(function->inputs[i], dim)) {
      result.push_back(whole);
      continue;
    }
    std::vector<int64_t> shape = whole.shape;
    shape[0] = end - begin;
    Array rowsOfPart = Array::zeros(whole.type, shape);
    std::memcpy(rowsOfPart.bytes.data(), whole.bytes.data() + begin * whole.rowBytes(), rowsOfPart.bytes.size());
    result.push_back(std::move(rowsOfPart));
  }
  return result;
}

llvm::Error Runner::callInParts(int32_t dim) {
  auto size =
      parseInteger("--batch", arguments.get("batch", std::to_string(model.table().dims[dim].bound)), 1, model.table().dims[dim].bound);
  if (!size) return size.takeError();
  ContextPtr context{nullptr, {nullptr}};
  std::optional<Interventions> done;
  for (int64_t begin = 0; begin < rows; begin += *size) {
    std::vector<Array> some = part(dim, begin, std::min(rows, begin + *size));
    auto dims = bindDims(model.table(), *function, some);
    if (!dims) return dims.takeError();
    auto results = outputsAt(model.table(), *function, *dims);
    if (!results) return results.takeError();
    if (!context) { // the first part is the largest
      auto made = createContext(model, parameters.get(), *dims, arguments);
      if (!made) return made.takeError();
      context = std::move(*made);
      reportDevice(model, context.get(), console);
    }
    auto interventions = Interventions::parse(model, *function, arguments.all("tap"), *dims, dim);
    if (!interventions) return interventions.takeError();
    if (llvm::Error error = callFunction(model, context.get(), *function, some, *results, interventions->list())) return error;
    if (done)
      done->appendRead(*interventions);
    else
      done = std::move(*interventions);
    for (size_t i = 0; i < results->size(); ++i) {
      if (begin == 0) {
        outputs.push_back(std::move((*results)[i]));
        continue;
      }
      outputs[i].shape[0] += (*results)[i].shape[0];
      outputs[i].bytes.insert(outputs[i].bytes.end(), (*results)[i].bytes.begin(), (*results)[i].bytes.end());
    }
  }
  return done->writeRead();
}

llvm::Error Runner::write() {
  std::vector<NamedArray> named;
  llvm::json::Array listed;
  for (int32_t i = 0; i < function->output_count; ++i) {
    auto chosen = width ? selectWidth(std::move(outputs[i]), model.stackedWidths(*function, i), *width, function->outputs[i].name)
                        : llvm::Expected<Array>(std::move(outputs[i]));
    if (!chosen) return chosen.takeError();
    named.push_back({function->outputs[i].name, std::move(*chosen)});
    listed.push_back(llvm::json::Object{{"name", named.back().name}, {"shape", llvm::json::Array(named.back().array.shape)}});
  }
  auto path = arguments.get("out");
  if (path)
    if (llvm::Error error = writeArrays(*path, named)) return error;
  if (!console.json())
    for (const NamedArray &array : named)
      llvm::outs() << array.name << " " << describe(array.array) << (path ? " -> " + path->str() : " = " + valuesText(array.array)) << "\n";
  console.print({{"function", function->name}, {"outputs", std::move(listed)}});
  return llvm::Error::success();
}

/// What the call left in parameters and states.
llvm::Error Runner::save() {
  auto path = arguments.get("save");
  if (path)
    if (llvm::Error error = saveCheckpoint(model, parameters.get(), path->str(), Progress(), /*withOptimizer=*/false)) return error;
  if (!console.json() && path) llvm::outs() << "saved " << *path << "\n";
  if (!console.json() && !path && function->writes_parameters)
    llvm::outs() << "'" << function->name << "' changed states of " << model.table().name << "; --save FILE keeps them\n";
  return llvm::Error::success();
}

llvm::Error Runner::run() {
  for (auto stage : {&Runner::chooseFunction, &Runner::readInputs, &Runner::prepare})
    if (llvm::Error error = (this->*stage)()) return error;
  std::optional<int32_t> dim = rowDim(model.table(), *function);
  for (int32_t i = 0; dim && i < function->input_count; ++i)
    if (startsWith(function->inputs[i], *dim) && !inputs[i].shape.empty()) {
      if (rows != 0 && rows != inputs[i].shape[0])
        dim.reset(); // the call as a whole says which input disagrees
      else
        rows = inputs[i].shape[0];
    }
  bool isSplit = dim && (rows > model.table().dims[*dim].bound || arguments.has("batch")) && rows > 0;
  if (!isSplit && arguments.has("batch") && !dim)
    return userFailure("expected a function whose rows are independent for --batch, but '" + llvm::Twine(function->name) + "' is not one");
  if (llvm::Error error = isSplit ? callInParts(*dim) : callWhole()) return error;
  if (llvm::Error error = write()) return error;
  return save();
}
