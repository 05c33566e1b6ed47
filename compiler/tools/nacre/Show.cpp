// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre show: what a compiled model holds and what a call of it costs, from its manifest.
#include "compiler/Artifact/Failure.h"
#include "compiler/tools/nacre/Command.h"
#include "compiler/tools/nacre/CompileFile.h"
#include "compiler/tools/nacre/Cost.h"
#include "compiler/tools/nacre/ManifestFile.h"

#include "llvm/Support/FormatVariadic.h"

using namespace nacre;
using namespace nacre::tool;
using llvm::json::Object;

static std::string text(const Object &object, llvm::StringRef key) { return object.getString(key).value_or("").str(); }

static std::string shapeText(const Object &port) {
  std::string result = text(port, "type");
  const llvm::json::Array *shape = port.getArray("shape");
  for (size_t i = 0; shape && i < shape->size(); ++i) {
    result += i ? ", " : "[";
    auto number = (*shape)[i].getAsInteger();
    result += number ? std::to_string(*number) : (*shape)[i].getAsString().value_or("?").str();
  }
  return result + (shape && !shape->empty() ? "]" : "");
}

static std::string portsText(const Object &function, llvm::StringRef key, bool isNamed) {
  std::string result;
  if (const llvm::json::Array *ports = function.getArray(key))
    for (const llvm::json::Value &value : *ports)
      if (const Object *port = value.getAsObject()) {
        result += result.empty() ? "" : ", ";
        result += (isNamed ? text(*port, "name") + ": " : "") + shapeText(*port);
        if (const llvm::json::Array *widths = port->getArray("widths"))
          result += llvm::formatv(" (axis 0: widths {0})", llvm::json::Value(llvm::json::Array(*widths))).str();
      }
  return result;
}

static void printParameters(const Object &manifest) {
  const llvm::json::Array *parameters = manifest.getArray("parameters");
  if (!parameters || parameters->empty()) return;
  llvm::outs() << "parameters\n";
  size_t hidden = 0;
  for (const llvm::json::Value &value : *parameters) {
    const Object *parameter = value.getAsObject();
    if (!parameter || text(*parameter, "role") == "optimizer") {
      ++hidden;
      continue;
    }
    std::string source = text(*parameter, "source");
    llvm::outs() << llvm::formatv("  {0,-24} {1,-18} {2,-8}{3}{4}\n", text(*parameter, "name"), shapeText(*parameter),
                                  text(*parameter, "init"), text(*parameter, "role") == "state" ? "  state" : "",
                                  source.empty() ? "" : "  from " + source);
  }
  if (hidden) llvm::outs() << llvm::formatv("  and {0} tensors of the optimiser\n", hidden);
}

static void printFunction(const Object &function, const FunctionCost &cost) {
  llvm::outs() << llvm::formatv("  {0}({1}) -> {2}\n", text(function, "name"), portsText(function, "inputs", true),
                                portsText(function, "outputs", false));
  if (!text(function, "doc").empty()) llvm::outs() << "    " << text(function, "doc") << "\n";
  llvm::outs() << llvm::formatv("    {0} operations, {1} bytes moved, arena {2} bytes (buffers in sum {3})\n", shortNumber(cost.operations),
                                shortNumber(cost.bytes), shortNumber(cost.arenaBytes), shortNumber(cost.bufferBytes));
  llvm::outs() << llvm::formatv("    {0} launches:", cost.launches);
  for (const auto &[skeleton, count] : cost.skeletons)
    llvm::outs() << " " << count << " " << skeleton << (skeleton == "loops" ? " (plain loop)" : "");
  llvm::outs() << "\n";
}

static void printLoops(const Object &manifest) {
  std::vector<std::string> loops;
  const llvm::json::Array *kernels = manifest.getArray("kernels");
  for (size_t i = 0; kernels && i < kernels->size(); ++i)
    if (const Object *kernel = (*kernels)[i].getAsObject(); kernel && text(*kernel, "skeleton") == "loops")
      loops.push_back(text(*kernel, "name"));
  llvm::outs() << llvm::formatv("kernels: {0}, plain loops among them: {1}\n", kernels ? kernels->size() : 0, loops.size());
  for (const std::string &name : loops)
    llvm::outs() << "  plain loop: " << name << "\n";
}

static void printDims(const Object &manifest, const DimValues &dims) {
  llvm::outs() << "functions";
  const llvm::json::Array *entries = manifest.getArray("dims");
  llvm::StringRef separator = " at ";
  for (size_t i = 0; entries && i < entries->size(); ++i) {
    const Object *dim = (*entries)[i].getAsObject();
    if (!dim || dim->getBoolean("chosen").value_or(false)) continue;
    llvm::outs() << separator << text(*dim, "name") << "=" << dims.at(text(*dim, "name"));
    separator = ", ";
  }
  llvm::outs() << "\n";
}

static int print(const Object &manifest, const DimValues &dims, Console &console) {
  int64_t parameterBytes = manifest.getInteger("parameter_bytes").value_or(0);
  llvm::outs() << llvm::formatv("model {0}: parameter block of {1} bytes\n", text(manifest, "model"), shortNumber(parameterBytes));
  printParameters(manifest);
  printDims(manifest, dims);
  for (const llvm::json::Value &value : *manifest.getArray("functions")) {
    const Object *function = value.getAsObject();
    auto cost = function ? costOf(manifest, *function, dims) : llvm::Expected<FunctionCost>(userFailure("a function is no object"));
    if (!cost) return console.fail(cost.takeError());
    printFunction(*function, *cost);
  }
  printLoops(manifest);
  return Success;
}

/// The manifest itself, and the costs at the chosen dims.
static int printJson(const llvm::json::Value &manifest, const DimValues &dims, Console &console) {
  llvm::json::Array costs;
  for (const llvm::json::Value &value : *manifest.getAsObject()->getArray("functions")) {
    const Object *function = value.getAsObject();
    auto cost =
        function ? costOf(*manifest.getAsObject(), *function, dims) : llvm::Expected<FunctionCost>(userFailure("a function is no object"));
    if (!cost) return console.fail(cost.takeError());
    costs.push_back(Object{{"function", text(*function, "name")},
                           {"operations", cost->operations},
                           {"bytes", cost->bytes},
                           {"arena_bytes", cost->arenaBytes},
                           {"buffer_bytes", cost->bufferBytes},
                           {"launches", cost->launches}});
  }
  Object at;
  for (const auto &[name, value] : dims)
    at[name] = value;
  console.print({{"manifest", manifest}, {"dims", std::move(at)}, {"costs", std::move(costs)}});
  return Success;
}

static int runShow(const Arguments &arguments, Console &console) {
  int status = Success;
  auto manifest = readManifest(arguments.positional()[0], arguments, console, status);
  if (!manifest) return status;
  auto dims = chooseDims(*manifest->getAsObject(), arguments.get("dims", ""));
  if (!dims) return console.usage(llvm::toString(dims.takeError()));
  return console.json() ? printJson(*manifest, *dims, console) : print(*manifest->getAsObject(), *dims, console);
}

const Command &tool::showCommand() {
  static const Command command = {
      "show",
      "what a model holds and what a call costs: shapes, operations, bytes, memory",
      "MODEL",
      R"(MODEL is a model file, a compiled library or its manifest. Shows parameters, functions with their shapes, floating-point
operations, bytes moved, the arena of a call beside the sum of its buffers, and which kernels are plain loops. Sizes are
at the bounds of the dims unless --dims says otherwise.

  nacre show digits.nacre
  nacre show minilm.nacre --dims B=32,T=128
  nacre show --json digits.nacre      the whole manifest: every kernel, launch and buffer
)",
      1,
      1,
      {{"dims", "", "LIST", "sizes to compute at: B=128,T=64"}, modelOption},
      runShow};
  return command;
}
