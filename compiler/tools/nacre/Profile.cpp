// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre profile: where the time of a function goes, kernel by kernel, beside what the machine allows.
#include "compiler/Artifact/Failure.h"
#include "compiler/tools/nacre/Binding.h"
#include "compiler/tools/nacre/Checkpoint.h"
#include "compiler/tools/nacre/Command.h"
#include "compiler/tools/nacre/CompileFile.h"
#include "compiler/tools/nacre/StageTimes.h"
#include "compiler/tools/nacre/Inputs.h"
#include "compiler/tools/nacre/ProfileReport.h"

using namespace nacre;
using namespace nacre::tool;

static llvm::Error writeTrace(llvm::StringRef path, const Profile &profile) {
  std::error_code code;
  llvm::raw_fd_ostream out(path, code);
  if (code) return userFailure("cannot write '" + path + "': " + code.message());
  out << llvm::json::Value(traceJson(profile)) << "\n";
  out.close();
  code = out.error();
  out.clear_error();
  return code ? userFailure("cannot write '" + path + "': " + code.message()) : llvm::Error::success();
}

/// The step of the train block with --train, else the function of --fn.
static llvm::Expected<const nacre_function *> functionToProfile(const LoadedModel &model, const Arguments &arguments) {
  if (!arguments.has("train")) return chooseFunction(model, arguments);
  if (!model.table().training.function)
    return userFailure("expected a model with a train block for --train, but " + llvm::Twine(model.table().name) + " has none");
  return model.function(model.table().training.function);
}

/// Sizes that --dims does not give: the batch of the train block for what its step has on the first axis, else the bounds.
static llvm::Expected<DimValues> sizesFor(const LoadedModel &model, const nacre_function &function, const Arguments &arguments) {
  std::string list;
  const nacre_training &training = model.table().training;
  if (training.function && llvm::StringRef(training.function) == function.name && function.input_count > 0)
    for (int32_t dim = 0; dim < model.table().dim_count; ++dim)
      if (function.inputs[0].rank > 0 && startsWith(function.inputs[0], dim))
        list = (llvm::Twine(model.table().dims[dim].name) + "=" + llvm::Twine(std::min(training.batch, model.table().dims[dim].bound)) + ",").str();
  return chooseDims(model.description(), list + arguments.get("dims", "").str());
}

static llvm::Error profile(const LoadedModel &model, const Arguments &arguments, Console &console) {
  auto function = functionToProfile(model, arguments);
  if (!function) return function.takeError();
  auto given = readInputs(**function, arguments.all("in"));
  if (!given) return given.takeError();
  auto dims = sizesFor(model, **function, arguments);
  if (!dims) return dims.takeError();
  auto inputs = drawInputs(model, **function, std::move(*given), *dims);
  if (!inputs) return inputs.takeError();
  auto parameters = createParameters(model);
  if (!parameters) return parameters.takeError();
  auto seed = parseInteger("--seed", arguments.get("seed", "0"), 0, INT64_MAX);
  if (!seed) return seed.takeError();
  nacre_error error = {};
  if (model.api().parameters_init(parameters->get(), uint64_t(*seed), &error) != NACRE_OK) return runtimeError(error);
  if (llvm::Error failed = loadStart(model, parameters->get(), arguments)) return failed;
  auto rounds = parseInteger("--rounds", arguments.get("rounds", "10"), 1, 100000);
  if (!rounds) return rounds.takeError();
  auto measured = profileFunction(model, **function, *inputs, parameters->get(), arguments, int32_t(*rounds));
  if (!measured) return measured.takeError();
  if (auto path = arguments.get("trace"))
    if (llvm::Error failed = writeTrace(*path, *measured)) return failed;
  if (!console.json()) printProfile(*measured, llvm::outs());
  console.print(profileJson(*measured));
  return llvm::Error::success();
}

static int runProfile(const Arguments &arguments, Console &console) {
  int status = Success;
  if (arguments.has("train") && arguments.has("fn")) return console.usage("expected --fn or --train, but got both");
  if (auto path = arguments.get("trace"))
    if (llvm::Error error = checkWritable(*path)) return console.fail(std::move(error));
  auto model = LoadedModel::open(arguments.positional()[0], arguments, console, status, /*traced=*/true);
  if (!model) return status;
  console.enterStage("profile");
  if (llvm::Error error = profile(*model, arguments, console)) return console.fail(std::move(error));
  return Success;
}

const Command &tool::profileCommand() {
  static const Command command = {
      "profile",
      "where the time of a function goes: each kernel beside what the machine allows",
      "MODEL --fn NAME",
      R"(Runs one function several times and prints for each kernel its launches, their time, operations and bytes a second, the
fraction of the roofline (what the machine's multiply-adds and its memory allow, measured in the same command), the line of the
model that asks for it, and the operators that it carries out. --trace writes one call for Perfetto or chrome://tracing: a track of
launches and one a thread.

  nacre profile digits.nacre --fn encode --dims B=1024
  nacre profile minilm.nacre --fn encode --weights model.safetensors --in ids=ids.npy --in n=lengths.npy --trace trace.json
  nacre profile digits.nacre --train                       the training step, at the batch of the train block
  nacre profile digits.nacre --train --json > profile.json   for machines, and for `nacre explain --profile`

Inputs that are not given are drawn, at the sizes of --dims or else at the bounds: real numbers from the normal distribution,
integers evenly below their bound, 1 where there is none. MODEL may be a library that `nacre compile --trace` made.
NACRE_CPU=v3 in the environment chooses a CPU level.
)",
      1,
      1,
      {{"fn", "f", "NAME", "the function; needless when the model has one"},
       {"train", "", "", "the training step of the train block"},
       {"weights", "w", "FILE", "safetensors file with the parameters; without it they are drawn", true},
       {"seed", "", "N", "draw the parameters from this seed; default 0"},
       {"in", "i", "FILE", "NAME=FILE, or NAME=NUMBER, or FILE for the next input; others are drawn", true},
       {"dims", "", "LIST", "sizes of what is drawn: B=128,T=64"},
       {"rounds", "", "N", "calls to take the median of; default 10"},
       {"trace", "", "FILE", "write a trace of one call in JSON"},
       modelOption,
       timingOption,
       threadsOption},
      runProfile};
  return command;
}
