// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre train: minimises the model's loss by its train block.
#include "compiler/tools/nacre/Checkpoint.h"
#include "compiler/tools/nacre/Command.h"
#include "compiler/tools/nacre/CompileFile.h"
#include "compiler/tools/nacre/DeviceOption.h"
#include "compiler/tools/nacre/MemoryOption.h"
#include "compiler/tools/nacre/StageTimes.h"
#include "compiler/tools/nacre/Trainer.h"

using namespace nacre;
using namespace nacre::tool;

static int runTrain(const Arguments &arguments, Console &console) {
  int status = Success;
  if (!arguments.has("data")) return console.usage("expected data to train on: --data FILE");
  if (arguments.has("resume") && arguments.has("weights")) return console.usage("expected --resume or --weights, but got both");
  if (arguments.has("epochs") && arguments.has("steps")) return console.usage("expected --epochs or --steps, but got both");
  if (auto out = arguments.get("out"))
    if (llvm::Error error = checkWritable(*out)) // before the work, not after it
      return console.fail(std::move(error));
  auto model = LoadedModel::open(arguments.positional()[0], arguments, console, status);
  if (!model) return status;
  console.enterStage("train");
  if (llvm::Error error = Trainer(*model, arguments, console).run()) return console.fail(std::move(error));
  if (auto out = arguments.get("out")) {
    if (!console.json()) llvm::outs() << "saved " << *out << "\n";
    console.print({{"saved", *out}});
  }
  return Success;
}

const Command &tool::trainCommand() {
  static const Command command = {
      "train",
      "learn a model's parameters from data by its train block",
      "MODEL --data FILE",
      R"(MODEL is a model file or a compiled library. Minimises the loss that the train block names. Inputs of the loss are taken
from the data by name (the block's `data = {...}` renames), first axis = rows. Batches are drawn without replacement, by
seed and epoch; equal seeds give equal bits. Prints the mean loss of each epoch, and the metric on the test rows. Nothing
is saved when the loss is not finite.

  nacre train digits.nacre --data digits.npz --out w.safetensors
  nacre train digits.nacre --data images=x.npy --data labels=y.npy --out w.safetensors --seed 1
  nacre train digits.nacre --data digits.npz --epochs 80 --resume w.safetensors --out w2.safetensors
  nacre train digits.nacre --data digits.npz --weights w.safetensors --rows new.npy --epochs 5 --out w3.safetensors

A saved file holds the parameters, and the optimiser's state so that --resume can go on as if there had been no pause.
)",
      1,
      1,
      {{"data", "d", "FILE", "npz or safetensors file, or NAME=FILE.npy", true},
       {"out", "o", "FILE", "safetensors file to save to; written whole or not at all"},
       {"model-only", "", "", "save the parameters without the optimiser's state"},
       {"resume", "", "FILE", "go on from a file that was saved with the optimiser's state"},
       {"weights", "w", "FILE", "begin with these parameters and a new optimiser; PART=FILE for an imported model", true},
       {"rows", "", "WHICH", "train on these rows in place of the train block's: all, A..B (without B) or an .npy file of row numbers"},
       {"seed", "", "N", "in place of the train block's"},
       {"epochs", "", "N", "in place of the train block's; also --steps"},
       {"steps", "", "N", "train for this many steps"},
       {"save-every", "", "N", "save to --out every N epochs as well"},
       {"pause-after", "", "N", "end after N epochs of the whole training and save; --resume goes on"},
       modelOption,
       memoryLimitOption,
       timingOption,
       threadsOption,
       deviceOption},
      runTrain};
  return command;
}
