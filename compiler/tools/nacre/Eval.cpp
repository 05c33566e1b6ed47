// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre eval: a loss or a metric over the rows of a data file.
#include "compiler/tools/nacre/Binding.h"
#include "compiler/tools/nacre/Checkpoint.h"
#include "compiler/tools/nacre/Command.h"
#include "compiler/tools/nacre/CompileFile.h"
#include "compiler/tools/nacre/DeviceOption.h"
#include "compiler/tools/nacre/StageTimes.h"
#include "compiler/tools/nacre/Measure.h"

#include "compiler/Artifact/Failure.h"

#include "llvm/Support/FormatVariadic.h"

using namespace nacre;
using namespace nacre::tool;

/// The function that --fn names, else the model's metric, else its loss.
static llvm::Expected<const nacre_function *> chooseFunction(const LoadedModel &model, const Arguments &arguments) {
  if (auto name = arguments.get("fn")) return model.function(*name);
  const nacre_training &training = model.table().training;
  if (!training.function)
    return userFailure("expected --fn NAME, for " + llvm::Twine(model.table().name) + " has no train block with a metric or a loss");
  return model.function(training.metric ? training.metric : training.loss);
}

/// The bound of the dim that is the batch in every input, or the number of rows.
static int64_t largestBatch(const nacre_model &model, const nacre_function &function, int64_t rows) {
  for (int32_t dim = 0; dim < model.dim_count; ++dim)
    if (function.input_count > 0 && startsWith(function.inputs[0], dim)) return std::min(rows, model.dims[dim].bound);
  return rows;
}

/// Puts the running mean of each trained parameter in its place.
static llvm::Error useAverages(const LoadedModel &model, nacre_parameters *parameters) {
  const std::string prefix = "optimizer.ema.";
  bool found = false;
  for (int32_t i = 0; i < model.table().parameter_count; ++i) {
    llvm::StringRef name = model.table().parameters[i].name;
    if (!name.consume_front(prefix)) continue;
    nacre_tensor average;
    nacre_error error = {};
    if (model.api().parameters_get(parameters, model.table().parameters[i].name, &average, &error) != NACRE_OK ||
        model.api().parameters_set(parameters, name.str().c_str(), &average, &error) != NACRE_OK)
      return runtimeError(error);
    found = true;
  }
  if (found) return llvm::Error::success();
  return userFailure("expected a train block with ema for --ema, but " + llvm::Twine(model.table().name) + " keeps no averages");
}

static llvm::Expected<Measurement> evaluate(const LoadedModel &model, const Arguments &arguments, Console &console, size_t &rowCount) {
  auto function = chooseFunction(model, arguments);
  if (!function) return function.takeError();
  if (llvm::Error error = checkMeasurable(model, **function)) return error;
  auto arrays = readDataFiles(arguments.all("data"));
  if (!arrays) return arrays.takeError();
  auto data = rowsFor(model, **function, (*function)->input_count - drawInputs(**function, (*function)->input_count), *arrays);
  if (!data) return data.takeError();
  auto rows = selectRows(model, arguments.get("rows", "test"), data->rows);
  if (!rows) return rows.takeError();
  rowCount = rows->size();
  auto batch = parseInteger("--batch", arguments.get("batch", "512"), 1, INT32_MAX);
  if (!batch) return batch.takeError();
  *batch = std::max<int64_t>(1, std::min(*batch, largestBatch(model.table(), **function, rows->size())));
  std::vector<Array> largest = data->gather(std::vector<int64_t>(data->rows ? *batch : 0, 0));
  appendDraw(**function, (*function)->input_count, 0, 0, largest);
  auto dims = bindDims(model.table(), **function, largest);
  if (!dims) return dims.takeError();
  auto parameters = createParameters(model);
  if (!parameters) return parameters.takeError();
  bool averaged = arguments.has("ema");
  if (llvm::Error error = loadWeights(model, parameters->get(), arguments, averaged ? NACRE_LOAD_OPTIMIZER : NACRE_LOAD_STRICT)) return error;
  if (averaged)
    if (llvm::Error error = useAverages(model, parameters->get())) return error;
  auto context = createContext(model, parameters->get(), *dims, arguments);
  if (!context) return context.takeError();
  reportDevice(model, context->get(), console);
  return measure(model, context->get(), **function, *data, *rows, *batch);
}

static int runEval(const Arguments &arguments, Console &console) {
  int status = Success;
  for (llvm::StringRef needed : {"weights", "data"})
    if (!arguments.has(needed)) return console.usage("expected --" + needed + " FILE");
  auto model = LoadedModel::open(arguments.positional()[0], arguments, console, status);
  if (!model) return status;
  console.enterStage("evaluate");
  size_t rows = 0;
  auto result = evaluate(*model, arguments, console, rows);
  if (!result) return console.fail(result.takeError());
  if (console.json()) {
    llvm::json::Object object{{"function", result->name}, {"rows", int64_t(rows)}, {"metric", llvm::json::Array(result->values)}};
    if (!result->widths.empty())
      object["widths"] = llvm::json::Array(result->widths);
    console.print(std::move(object));
    return Success;
  }
  llvm::outs() << result->name << " of " << rows << " rows\n";
  for (size_t i = 0; i < result->values.size(); ++i)
    if (result->widths.empty())
      llvm::outs() << llvm::formatv("  {0:f6}\n", result->values[i]);
    else
      llvm::outs() << llvm::formatv("  width {0,4}: {1:f6}\n", result->widths[i], result->values[i]);
  return Success;
}

const Command &tool::evalCommand() {
  static const Command command = {
      "eval",
      "the value of a metric or a loss over the rows of a data file",
      "MODEL --weights FILE --data FILE",
      R"(MODEL is a model file or a compiled library. Evaluates the train block's metric, else its loss, or the function that
--fn names: any that returns one number, or one for each width. Rows are the model's test rows unless --rows says
otherwise; the result is the mean over them.

  nacre eval digits.nacre --weights w.safetensors --data digits.npz
  nacre eval out/libdigits.so --weights w.safetensors --data digits.npz --fn loss --rows train
  nacre eval --json ...     {"function":"accuracy","metric":[0.93,0.96],"rows":360,"widths":[4,8]}
)",
      1,
      1,
      {{"weights", "w", "FILE", "safetensors file with the parameters; PART=FILE for an imported model", true},
       {"data", "d", "FILE", "npz or safetensors file, or NAME=FILE.npy", true},
       {"fn", "f", "NAME", "the function to evaluate"},
       {"ema", "", "", "use the running means of the weights, of a train block with ema"},
       {"rows", "", "WHICH", "train, test, all, A..B (without B) or an .npy file of row numbers; default test"},
       {"batch", "", "N", "rows at once; default 512"},
       modelOption,
       timingOption,
       threadsOption,
       deviceOption},
      runEval};
  return command;
}
