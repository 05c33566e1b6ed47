// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Training checkpoints: a safetensors file of the parameters, the optimiser's tensors, and how far the training was.
#pragma once

#include "compiler/tools/nacre/LoadedModel.h"

namespace nacre::tool {

struct Progress {
  int64_t step = 0; ///< steps done
  int64_t totalSteps = 0;
  uint64_t seed = 0;
};

/// Writes a new file and renames it. Without the optimiser's tensors when `withOptimizer` is false.
llvm::Error saveCheckpoint(const LoadedModel &model, nacre_parameters *parameters, const std::string &path, const Progress &progress,
                           bool withOptimizer);

/// Fills every parameter and the optimiser's tensors. Fails, changing nothing, on a file that was saved without them.
llvm::Expected<Progress> loadCheckpoint(const LoadedModel &model, nacre_parameters *parameters, const std::string &path);

/// Fills the parameters as --weights and --seed say: `--weights FILE` all, `--weights PART=FILE` those of an imported model from its
/// own file; with parts alone the others are drawn from --seed. With NACRE_LOAD_OPTIMIZER in `flags` one file must have all.
llvm::Error loadWeights(const LoadedModel &model, nacre_parameters *parameters, const Arguments &arguments,
                        uint32_t flags = NACRE_LOAD_STRICT);
/// What a training begins with where --weights says it: the files of all or of parts, as above; what none gives stays as it is.
llvm::Error loadStart(const LoadedModel &model, nacre_parameters *parameters, const Arguments &arguments);

/// Fails when the folder of `path` is missing or cannot be written: told before a long training, not after it.
llvm::Error checkWritable(llvm::StringRef path);

} // namespace nacre::tool
