// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Trainer.h"

#include "compiler/Artifact/Failure.h"
#include "compiler/tools/nacre/Binding.h"
#include "compiler/tools/nacre/Checkpoint.h"
#include "compiler/tools/nacre/DeviceOption.h"
#include "compiler/tools/nacre/Measure.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>
#include <cstring>

using namespace nacre;
using namespace nacre::tool;

static llvm::Expected<int64_t> integerOption(const Arguments &arguments, llvm::StringRef name, int64_t otherwise, int64_t least) {
  auto given = arguments.get(name);
  if (!given) return otherwise;
  return parseInteger("--" + name.str(), *given, least, INT32_MAX);
}

llvm::Error Trainer::readPlan() {
  const nacre_training &training = model.table().training;
  if (!training.function) return userFailure("expected a model with a train block, but " + llvm::Twine(model.table().name) + " has none");
  auto step = model.function(training.function);
  if (!step) return step.takeError();
  plan.step = *step;
  if (training.metric) {
    auto metric = model.function(training.metric);
    if (!metric) return metric.takeError();
    plan.metric = *metric;
  }
  auto seed = integerOption(arguments, "seed", model.training()->getInteger("seed").value_or(0), 0);
  if (!seed) return seed.takeError();
  plan.seed = uint64_t(*seed);
  plan.batch = training.batch;
  if (auto name = model.training()->getString("accumulation")) {
    auto accumulation = model.function(*name);
    if (!accumulation) return accumulation.takeError();
    plan.accumulation = *accumulation;
    plan.batchesPerStep = model.training()->getInteger("accumulate").value_or(1);
  }
  return plan.metric ? checkMeasurable(model, *plan.metric) : llvm::Error::success();
}

llvm::Error Trainer::readData() {
  auto arrays = readDataFiles(arguments.all("data"));
  if (!arrays) return arrays.takeError();
  int32_t inputs = plan.step->input_count - 2; // the last two are the rate and the step
  auto rows = rowsFor(model, *plan.step, inputs - drawInputs(*plan.step, inputs), *arrays);
  if (!rows) return rows.takeError();
  data = std::move(*rows);
  auto chosen = selectRows(model, arguments.get("rows", "train"), data.rows);
  if (!chosen) return chosen.takeError();
  trainRows = std::move(*chosen);
  if (!plan.metric) return llvm::Error::success();
  auto metricRows = rowsFor(model, *plan.metric, plan.metric->input_count - drawInputs(*plan.metric, plan.metric->input_count), *arrays);
  if (!metricRows) return metricRows.takeError();
  metricData = std::move(*metricRows);
  auto test = selectRows(model, "test", metricData.rows);
  if (!test) return test.takeError();
  testRows = std::move(*test);
  return llvm::Error::success();
}

llvm::Error Trainer::countSteps() {
  plan.stepsPerEpoch = int64_t(trainRows.size()) / (plan.batch * plan.batchesPerStep);
  if (plan.stepsPerEpoch == 0)
    return userFailure("expected at least " + (plan.batchesPerStep == 1 ? "one batch" : llvm::Twine(plan.batchesPerStep) + " batches") +
                       " of " + llvm::Twine(plan.batch) + " rows to train on, but got " + llvm::Twine(trainRows.size()));
  const nacre_training &training = model.table().training;
  auto epochs = integerOption(arguments, "epochs", training.epochs, 1), steps = integerOption(arguments, "steps", training.steps, 1);
  if (!epochs) return llvm::joinErrors(epochs.takeError(), steps ? llvm::Error::success() : steps.takeError());
  if (!steps) return steps.takeError();
  plan.countsEpochs = arguments.has("epochs") || (training.epochs > 0 && !arguments.has("steps"));
  plan.totalSteps = plan.countsEpochs ? *epochs * plan.stepsPerEpoch : *steps;
  plan.reportEvery = plan.countsEpochs ? plan.stepsPerEpoch : std::max<int64_t>(1, plan.totalSteps / 50);
  return llvm::Error::success();
}

/// The rate and the step as the last two inputs of the step function.
static Array scalar(float value) { return Array::number(NACRE_F32, value); }

/// The largest sizes that training and measuring will see: those of one full batch.
static llvm::Expected<std::vector<int64_t>> largestDims(const LoadedModel &model, const nacre_function &function, const RowData &data,
                                                        int64_t batch, size_t scalars) {
  std::vector<int64_t> rows(batch, 0);
  std::vector<Array> inputs = data.gather(rows);
  appendDraw(function, function.input_count - int32_t(scalars), 0, 0, inputs);
  for (size_t i = 0; i < scalars; ++i)
    inputs.push_back(scalar(0));
  return bindDims(model.table(), function, inputs);
}

llvm::Error Trainer::prepare() {
  auto made = createParameters(model);
  if (!made) return made.takeError();
  parameters = std::move(*made);
  nacre_error error = {};
  if (auto path = arguments.get("resume")) {
    auto progress = loadCheckpoint(model, parameters.get(), path->str());
    if (!progress) return progress.takeError();
    firstStep = progress->step + 1;
    plan.seed = arguments.has("seed") ? plan.seed : progress->seed;
    if (firstStep > lastStep)
      return userFailure("'" + *path + "' has done " + llvm::Twine(progress->step) + " steps, and the training ends at " +
                         llvm::Twine(lastStep) + "; give more with --epochs or --steps");
  } else if (model.api().parameters_init(parameters.get(), plan.seed, &error) != NACRE_OK) {
    return runtimeError(error);
  } else if (llvm::Error error = loadStart(model, parameters.get(), arguments)) {
    return error;
  }
  auto dims = largestDims(model, *plan.step, data, plan.batch, 2);
  if (!dims) return dims.takeError();
  if (plan.metric) {
    auto others = largestDims(model, *plan.metric, metricData, plan.batch, 0);
    if (!others) return others.takeError();
    for (size_t i = 0; i < dims->size(); ++i)
      (*dims)[i] = std::max((*dims)[i], (*others)[i]);
  }
  auto created = createContext(model, parameters.get(), *dims, arguments);
  if (!created) return created.takeError();
  context = std::move(*created);
  reportDevice(model, context.get(), console);
  return llvm::Error::success();
}

llvm::ArrayRef<int64_t> Trainer::rowsOfBatch(int64_t step, int64_t index) {
  int64_t epoch = (step - 1) / plan.stepsPerEpoch, position = (step - 1) % plan.stepsPerEpoch * plan.batchesPerStep + index;
  if (epoch != orderEpoch) order = shuffled(trainRows, plan.seed, uint32_t(epoch));
  orderEpoch = epoch;
  return llvm::ArrayRef<int64_t>(order).slice(position * plan.batch, plan.batch);
}

llvm::Error Trainer::runBatch(int64_t step, int64_t index, float &loss) {
  bool isLast = index + 1 == plan.batchesPerStep;
  std::vector<Array> inputs = data.gather(rowsOfBatch(step, index));
  int64_t batch = (step - 1) * plan.batchesPerStep + index;
  drawOpen(*plan.step, data, plan.seed, batch, inputs);
  appendDraw(*plan.step, plan.step->input_count - 2, plan.seed, batch, inputs);
  inputs.push_back(scalar(float(model.api().training_rate(&model.table(), step, plan.totalSteps))));
  inputs.push_back(scalar(float(step)));
  std::vector<Array> outputs = {Array::zeros(NACRE_F32, {})};
  nacre_error error = {};
  nacre_status status = callFunction(model, context.get(), isLast ? *plan.step : *plan.accumulation, inputs, outputs, error);
  std::memcpy(&loss, outputs[0].bytes.data(), sizeof loss);
  if (status == NACRE_ERR_NONFINITE || (status == NACRE_OK && !std::isfinite(loss)))
    return userFailure("the loss is not finite at step " + llvm::Twine(step) + " (epoch " +
                       llvm::Twine((step - 1) / plan.stepsPerEpoch + 1) +
                       "); nothing was saved; a smaller learning rate may help, or the data holds NaN");
  return status == NACRE_OK ? llvm::Error::success() : runtimeError(error);
}

/// The mean loss of the step's batches.
llvm::Error Trainer::takeStep(int64_t step, float &loss) {
  double sum = 0;
  for (int64_t index = 0; index < plan.batchesPerStep; ++index) {
    if (llvm::Error error = runBatch(step, index, loss)) return error;
    sum += loss;
  }
  loss = float(sum / double(plan.batchesPerStep));
  return llvm::Error::success();
}

llvm::Error Trainer::report(int64_t step, double meanLoss) {
  int64_t epoch = (step - 1) / plan.stepsPerEpoch + 1;
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  llvm::json::Object line{{"epoch", epoch}, {"step", step}, {"steps", plan.totalSteps}, {"loss", meanLoss}, {"seconds", seconds}};
  std::string text = plan.countsEpochs ? llvm::formatv("epoch {0,3} of {1}", epoch, plan.totalSteps / plan.stepsPerEpoch).str()
                                       : llvm::formatv("step {0,6} of {1}", step, plan.totalSteps).str();
  text += llvm::formatv("   loss {0:f5}", meanLoss).str();
  if (plan.metric) {
    auto measured = measure(model, context.get(), *plan.metric, metricData, testRows, plan.batch);
    if (!measured) return measured.takeError();
    text += "   test " + measured->text();
    line["metric"] = measured->json();
  }
  if (!console.json()) llvm::outs() << text << llvm::formatv("   {0:f1} s\n", seconds);
  console.print(std::move(line));
  llvm::outs().flush();
  return llvm::Error::success();
}

llvm::Error Trainer::save(int64_t step) {
  auto path = arguments.get("out");
  if (!path) return llvm::Error::success();
  Progress progress{step, plan.totalSteps, plan.seed};
  return saveCheckpoint(model, parameters.get(), path->str(), progress, !arguments.has("model-only"));
}

llvm::Error Trainer::readPauses() {
  auto every = integerOption(arguments, "save-every", 0, 1);
  if (!every) return every.takeError();
  saveEvery = *every * plan.stepsPerEpoch;
  auto pause = integerOption(arguments, "pause-after", 0, 1);
  if (!pause) return pause.takeError();
  lastStep = *pause > 0 ? std::min(plan.totalSteps, *pause * plan.stepsPerEpoch) : plan.totalSteps;
  return llvm::Error::success();
}

llvm::Error Trainer::run() {
  for (auto stage : {&Trainer::readPlan, &Trainer::readData, &Trainer::countSteps, &Trainer::readPauses, &Trainer::prepare})
    if (llvm::Error error = (this->*stage)()) return error;
  start = std::chrono::steady_clock::now();
  double sum = 0;
  int64_t count = 0;
  for (int64_t step = firstStep; step <= lastStep; ++step) {
    float loss = 0;
    if (llvm::Error error = takeStep(step, loss)) return error;
    sum += loss;
    ++count;
    if (step % plan.reportEvery == 0 || step == lastStep) {
      if (llvm::Error error = report(step, sum / double(count))) return error;
      sum = count = 0;
    }
    if (saveEvery > 0 && step % saveEvery == 0 && step != lastStep)
      if (llvm::Error error = save(step)) return error;
  }
  return save(lastStep);
}
