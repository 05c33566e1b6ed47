// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre run: one function of a model on arrays from files.
#include "compiler/tools/nacre/Checkpoint.h"
#include "compiler/tools/nacre/Command.h"
#include "compiler/tools/nacre/CompileFile.h"
#include "compiler/tools/nacre/DeviceOption.h"
#include "compiler/tools/nacre/StageTimes.h"
#include "compiler/tools/nacre/Runner.h"

using namespace nacre;
using namespace nacre::tool;

static int runRun(const Arguments &arguments, Console &console) {
  int status = Success;
  for (llvm::StringRef option : {"out", "save"})
    if (auto path = arguments.get(option))
      if (llvm::Error error = checkWritable(*path)) return console.fail(std::move(error));
  auto model = LoadedModel::open(arguments.positional()[0], arguments, console, status);
  if (!model) return status;
  console.enterStage("run");
  if (llvm::Error error = Runner(*model, arguments, console).run()) return console.fail(std::move(error));
  return Success;
}

const Command &tool::runCommand() {
  static const Command command = {
      "run",
      "call one function of a model on arrays from files",
      "MODEL --fn NAME --weights FILE --in FILE --out FILE",
      R"(MODEL is a model file or a compiled library (lib<model>.so). Inputs are .npy, .npz or .safetensors files, by name or in
order; a number may stand for an input without axes. More rows than the model's bound are computed in parts, where each
row of the result belongs to one row of the input.

  nacre run digits.nacre --fn encode --weights w.safetensors --in x.npy --out z.npy
  nacre run digits.nacre --fn encode --weights w.safetensors --in x.npy --out z16.npy --width 16
  nacre run out/libminilm.so --fn encode --weights model.safetensors --in ids=ids.npy --in n=lengths.npy --out e.npy
  nacre run digits.nacre --fn predict --weights w.safetensors --in x=x.npy --in m=8 --out digit.npy

--width picks one width: it feeds a run-time width of the function, or takes that member of a nested result, or cuts the last axis.
Without --out the values are printed.

--tap acts on a value that the model names by `tap h = ...`, before anything after it reads it; NAME[:,7] picks entries by index:

  nacre run sae.nacre --fn encode --seed 1 --in x.npy --tap z=read:z.npy            export it
  nacre run sae.nacre --fn encode --seed 1 --in x.npy --tap z[:,7]=set:4            one latent set to 4
  nacre run sae.nacre --fn encode --seed 1 --in x.npy --tap z=clamp:0:1 --tap z=scale:mask.npy
  nacre run sae.nacre --fn encode --seed 1 --in x.npy --tap blocks.3.mlp=ablate     as set:0; patch:FILE sets an array
A library takes --tap when it was compiled with --taps.
)",
      1,
      1,
      {{"fn", "f", "NAME", "the function; needless when the model has one"},
       {"weights", "w", "FILE", "safetensors file with the parameters; PART=FILE for an imported model", true},
       {"seed", "", "N", "draw the parameters that no file gives at random"},
       {"in", "i", "FILE", "NAME=FILE, or NAME=NUMBER, or FILE for the next input", true},
       {"out", "o", "FILE", ".npy for one output; .npz or .safetensors for several"},
       {"save", "", "FILE", "safetensors file for the parameters and states as the call leaves them"},
       {"width", "", "M", "one width of a nested result"},
       {"tap", "", "NAME=ACTION", "read, set, add, scale, clamp, mask or ablate a tapped value", true},
       {"batch", "", "N", "rows at once; default: as many as the model's bound allows"},
       modelOption,
       timingOption,
       threadsOption,
       deviceOption},
      runRun};
  return command;
}
