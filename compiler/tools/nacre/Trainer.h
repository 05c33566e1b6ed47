// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One training run: data, parameters, steps, reports, checkpoints.
//
// Determinism: parameters are drawn from the seed, batches from (seed, epoch), so equal seeds give equal bits on one CPU level.
#pragma once

#include "compiler/tools/nacre/LoadedModel.h"
#include "compiler/tools/nacre/RowData.h"

#include <chrono>

namespace nacre::tool {

/// What the train block and the command line together ask for.
struct TrainingPlan {
  const nacre_function *step = nullptr, *metric = nullptr;
  const nacre_function *accumulation = nullptr; ///< all batches of a step but the last; null when a step has one
  uint64_t seed = 0;
  int64_t batch = 0, batchesPerStep = 1, stepsPerEpoch = 0, totalSteps = 0, reportEvery = 0;
  bool countsEpochs = false;
};

/// `nacre train`; all borrowed.
class Trainer {
public:
  Trainer(const LoadedModel &model, const Arguments &arguments, Console &console) : model(model), arguments(arguments), console(console) {}
  /// Trains, prints as it goes, saves at the end. Fails, saving nothing more, on wrong data and on a loss that is not finite.
  llvm::Error run();

private:
  llvm::Error readPlan();
  llvm::Error readData();
  llvm::Error countSteps();
  llvm::Error readPauses();
  llvm::Error prepare();
  llvm::Error takeStep(int64_t step, float &loss);
  llvm::Error report(int64_t step, double meanLoss);
  llvm::Error save(int64_t step);
  llvm::Error runBatch(int64_t step, int64_t index, float &loss);
  llvm::ArrayRef<int64_t> rowsOfBatch(int64_t step, int64_t index);

  const LoadedModel &model;
  const Arguments &arguments;
  Console &console;
  TrainingPlan plan;
  RowData data, metricData;
  std::vector<int64_t> trainRows, testRows, order;
  int64_t orderEpoch = -1, firstStep = 1, lastStep = 0, saveEvery = 0;
  ParametersPtr parameters{nullptr, {nullptr}};
  ContextPtr context{nullptr, {nullptr}};
  std::chrono::steady_clock::time_point start;
};

} // namespace nacre::tool
