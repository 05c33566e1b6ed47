// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Measure.h"

#include "compiler/Artifact/Failure.h"
#include "compiler/tools/nacre/Binding.h"

#include "llvm/Support/FormatVariadic.h"

#include <cstring>

using namespace nacre;
using namespace nacre::tool;

std::string Measurement::text() const {
  if (widths.empty()) return llvm::formatv("{0} {1:f4}", name, values[0]).str();
  std::string line = name;
  for (size_t i = 0; i < widths.size(); ++i)
    line += llvm::formatv("  {0}: {1:f4}", widths[i], values[i]).str();
  return line;
}

llvm::json::Object Measurement::json() const {
  llvm::json::Object object{{"name", name}, {"values", llvm::json::Array(values)}};
  if (!widths.empty())
    object["widths"] = llvm::json::Array(widths);
  return object;
}

llvm::Error tool::checkMeasurable(const LoadedModel &model, const nacre_function &function) {
  const nacre_port &output = function.outputs[0];
  bool isStacked = !model.stackedWidths(function, 0).empty();
  if (function.output_count == 1 && output.dtype == NACRE_F32 && output.rank == (isStacked ? 1 : 0)) return llvm::Error::success();
  return userFailure("expected a function that returns a number (f32, or one a width), but '" + llvm::Twine(function.name) + "' returns " +
                     portText(model.table(), output));
}

/// One measurement a choice of the width that the model leaves open.
static llvm::Expected<Measurement> measureChoices(const LoadedModel &model, nacre_context *context, const nacre_function &function,
                                                  RowData data, llvm::ArrayRef<int64_t> rows, int64_t batch) {
  const nacre_port &port = function.inputs[data.open[0]];
  Measurement result{function.name, {}, {}};
  Array &width = data.inputs[data.open[0]];
  if (data.open.size() > 1 || !model.stackedWidths(function, 0).empty())
    return userFailure("expected one width to measure '" + llvm::Twine(function.name) + "' at, but it has several; data = { " + port.name +
                       ": " + llvm::Twine(port.choices[port.choice_count - 1]) + " } in the train block fixes one");
  data.open.clear();
  for (int32_t i = 0; i < port.choice_count; ++i) {
    width = Array::number(port.dtype, double(port.choices[i]));
    auto one = measure(model, context, function, data, rows, batch);
    if (!one) return one.takeError();
    result.widths.push_back(port.choices[i]);
    result.values.push_back(one->values[0]);
  }
  return result;
}

llvm::Expected<Measurement> tool::measure(const LoadedModel &model, nacre_context *context, const nacre_function &function,
                                          const RowData &data, llvm::ArrayRef<int64_t> rows, int64_t batch) {
  if (!data.open.empty()) return measureChoices(model, context, function, data, rows, batch);
  Measurement result{function.name, model.stackedWidths(function, 0), {}};
  result.values.assign(std::max<size_t>(result.widths.size(), 1), 0.0);
  if (rows.empty()) return userFailure("expected rows to evaluate '" + llvm::Twine(function.name) + "' on, but got none");
  std::vector<Array> outputs = {
      Array::zeros(NACRE_F32, std::vector<int64_t>(result.widths.empty() ? 0 : 1, int64_t(result.values.size())))};
  for (size_t begin = 0; begin < rows.size(); begin += batch) {
    llvm::ArrayRef<int64_t> chosen = rows.slice(begin, std::min<size_t>(batch, rows.size() - begin));
    std::vector<Array> inputs = data.gather(chosen);
    appendDraw(function, function.input_count, /*seed=*/0, int64_t(begin / batch), inputs);
    if (llvm::Error error = callFunction(model, context, function, inputs, outputs)) return error;
    for (size_t i = 0; i < result.values.size(); ++i) {
      float value;
      std::memcpy(&value, outputs[0].bytes.data() + i * sizeof value, sizeof value);
      result.values[i] += double(value) * double(chosen.size());
    }
  }
  for (double &value : result.values)
    value /= double(rows.size());
  return result;
}
