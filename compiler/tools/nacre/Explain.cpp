// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre explain: launch by launch what a function does and what it costs, as text or as one page.
#include "compiler/Artifact/Failure.h"
#include "compiler/tools/nacre/Checkpoint.h"
#include "compiler/tools/nacre/Command.h"
#include "compiler/tools/nacre/CompileFile.h"
#include "compiler/tools/nacre/Cost.h"
#include "compiler/tools/nacre/ExplainPage.h"
#include "compiler/tools/nacre/MachineLimits.h"
#include "compiler/tools/nacre/ManifestFile.h"
#include "compiler/tools/nacre/ProfileReport.h"

#include "dialects/Nacre/IR/Dims.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace nacre;
using namespace nacre::tool;
namespace json = llvm::json;
using json::Object;

static std::string text(const Object &object, llvm::StringRef key) { return object.getString(key).value_or("").str(); }

/// A size of the manifest at the chosen dims; 0 where there is none.
static int64_t sizeAt(const Object &object, llvm::StringRef key, const DimValues &dims) {
  llvm::StringMap<int64_t> binding;
  for (const auto &[name, value] : dims)
    binding[name] = value;
  auto size = Dim::parse(object.getString(key).value_or("0"));
  return size ? size->evaluate(binding).value_or(0) : 0;
}

//===-- what is told ---------------------------------------------------------------------------------------------------------===//

static json::Array buffersJson(const Object &function, const DimValues &dims) {
  json::Array buffers;
  if (const json::Array *list = function.getArray("buffers"))
    for (const json::Value &value : *list)
      if (const Object *buffer = value.getAsObject()) {
        const json::Array *shape = buffer->getArray("shape");
        buffers.push_back(Object{{"name", text(*buffer, "name")},
                                 {"shape", shape ? json::Array(*shape) : json::Array()},
                                 {"offset", sizeAt(*buffer, "offset_bytes", dims)},
                                 {"size", sizeAt(*buffer, "size_bytes", dims)}});
      }
  return buffers;
}

/// Everything about a function with numbers in place of sizes; times where `profile` (or null) has them.
static llvm::Expected<Object> functionJson(const Object &manifest, const Object &function, const DimValues &dims, const Object *profile) {
  auto costs = launchCosts(manifest, function, dims);
  if (!costs) return costs.takeError();
  const json::Array *measured = profile && text(*profile, "function") == text(function, "name") ? profile->getArray("launches") : nullptr;
  if (measured && measured->size() != costs->size())
    return userFailure("expected a profile of this model, but '" + text(function, "name") + "' has " + llvm::Twine(costs->size()) +
                       " launches here and " + llvm::Twine(measured->size()) + " there");
  json::Array launches;
  for (size_t i = 0; i < costs->size(); ++i) {
    const LaunchCost &cost = (*costs)[i];
    Object launch = *(*function.getArray("launches"))[i].getAsObject(); // reads and writes as they are
    launch["operations"] = cost.operations;
    launch["bytes"] = cost.bytes;
    launch["skeleton"] = cost.skeleton;
    launch["operators"] = json::Array(cost.operators);
    const Object *times = measured ? (*measured)[i].getAsObject() : nullptr;
    if (auto seconds = times ? times->getNumber("seconds") : std::nullopt) launch["seconds"] = *seconds;
    launches.push_back(std::move(launch));
  }
  return Object{{"name", text(function, "name")},
                {"doc", text(function, "doc")},
                {"arena", text(function, "arena_bytes")},
                {"arena_bytes", sizeAt(function, "arena_bytes", dims)},
                {"buffers", buffersJson(function, dims)},
                {"launches", std::move(launches)}};
}

/// The limits that the profile was measured beside, else those of this machine now.
static Object machineJson(const Object *profile, int32_t threads) {
  const Object *known = profile ? profile->getObject("machine") : nullptr;
  if (known && known->getNumber("operations_per_second").value_or(0) > 0 && known->getNumber("bytes_per_second").value_or(0) > 0) {
    Object machine = *known;
    machine["threads"] = profile->getInteger("threads").value_or(1);
    return machine;
  }
  MachineLimits limits = measureMachine(threads);
  return Object{{"operations_per_second", limits.operationsPerSecond}, {"bytes_per_second", limits.bytesPerSecond}, {"threads", threads}};
}

static Object dimsJson(const Object &manifest, const DimValues &dims) {
  Object result;
  if (const json::Array *list = manifest.getArray("dims"))
    for (const json::Value &value : *list)
      if (const Object *dim = value.getAsObject(); dim && !dim->getBoolean("chosen").value_or(false))
        result[text(*dim, "name")] = dims.at(text(*dim, "name"));
  return result;
}

//===-- text -----------------------------------------------------------------------------------------------------------------===//

static std::string memoryText(const Object &function, const Object &launch, llvm::StringRef key) {
  const json::Array *list = launch.getArray(key), *buffers = function.getArray("buffers");
  std::string result;
  for (size_t i = 0; list && i < list->size(); ++i) {
    std::string name = (*list)[i].getAsString().value_or("").str();
    auto buffer = (*list)[i].getAsInteger();
    if (buffer && buffers && size_t(*buffer) < buffers->size())
      name = "%" + std::to_string(*buffer) + " " + text(*(*buffers)[*buffer].getAsObject(), "name");
    result += (i ? ", " : "") + name;
  }
  return result;
}

static void printFunction(const Object &function, const std::string &prefix) {
  llvm::outs() << llvm::formatv("{0}: arena {1} bytes ({2})\n", text(function, "name"), shortNumber(*function.getInteger("arena_bytes")),
                                text(function, "arena"));
  const json::Array &launches = *function.getArray("launches");
  llvm::outs() << "    #  kernel        operations     bytes  line                  operators: reads -> writes\n";
  for (size_t i = 0; i < launches.size(); ++i) {
    const Object &launch = *launches[i].getAsObject();
    llvm::StringRef kernel = *launch.getString("kernel");
    kernel.consume_front(prefix + "_");
    std::vector<std::string> operators;
    for (const json::Value &name : *launch.getArray("operators"))
      operators.push_back(name.getAsString()->str());
    llvm::outs() << llvm::formatv("  {0,3}  {1,-13} {2,10} {3,9}  {4,-20}  {5}: {6} -> {7}\n", i, kernel, shortNumber(*launch.getInteger("operations")),
                                  shortNumber(*launch.getInteger("bytes")), text(launch, "place"), operatorsText(operators, 60),
                                  memoryText(function, launch, "reads"), memoryText(function, launch, "writes"));
  }
}

//===-- command --------------------------------------------------------------------------------------------------------------===//

/// The object that `nacre profile --json` printed.
static llvm::Expected<Object> readProfile(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer) return userFailure("'" + path + "': " + buffer.getError().message());
  auto parsed = json::parse((*buffer)->getBuffer().trim());
  if (parsed && parsed->getAsObject() && parsed->getAsObject()->getArray("launches") && parsed->getAsObject()->getObject("dims"))
    return std::move(*parsed->getAsObject());
  llvm::consumeError(parsed.takeError());
  return userFailure("expected what `nacre profile --json` prints in '" + path + "', but it is something else");
}

/// --dims, where there is no profile; its sizes otherwise, but for dims that its function does not have.
static llvm::Expected<DimValues> sizesOf(const Object &manifest, const Arguments &arguments, const Object *profile) {
  std::string list;
  if (profile)
    for (const auto &[name, value] : *profile->getObject("dims"))
      if (value.getAsInteger().value_or(0) > 0) list += name.str() + "=" + std::to_string(*value.getAsInteger()) + ",";
  return chooseDims(manifest, list + arguments.get("dims", "").str());
}

static llvm::Error writePage(llvm::StringRef path, const std::string &page) {
  std::error_code code;
  llvm::raw_fd_ostream out(path, code);
  if (!code) {
    out << page;
    out.close();
    code = out.error();
    out.clear_error();
  }
  return code ? userFailure("cannot write '" + path + "': " + code.message()) : llvm::Error::success();
}

static llvm::Error explain(const Object &manifest, const Arguments &arguments, Console &console) {
  std::optional<Object> profile;
  if (auto path = arguments.get("profile")) {
    auto read = readProfile(*path);
    if (!read) return read.takeError();
    profile = std::move(*read);
    if (text(*profile, "model") != text(manifest, "model"))
      return userFailure("expected a profile of " + text(manifest, "model") + ", but '" + *path + "' is one of " + text(*profile, "model"));
  }
  const Object *measured = profile ? &*profile : nullptr;
  auto dims = sizesOf(manifest, arguments, measured);
  if (!dims) return dims.takeError();
  auto wanted = arguments.get("fn");
  json::Array functions;
  std::string names;
  for (const json::Value &value : *manifest.getArray("functions")) {
    const Object *function = value.getAsObject();
    if (!function) return userFailure("expected a function of the manifest to be an object");
    names += (names.empty() ? "" : ", ") + text(*function, "name");
    if (wanted && *wanted != text(*function, "name")) continue;
    auto told = functionJson(manifest, *function, *dims, measured);
    if (!told) return told.takeError();
    functions.push_back(std::move(*told));
  }
  if (functions.empty()) return userFailure("expected a function of " + text(manifest, "model") + " (" + names + "), but got '" + *wanted + "'");
  auto path = arguments.get("html");
  if (!path && !console.json())
    for (const json::Value &function : functions)
      printFunction(*function.getAsObject(), text(manifest, "prefix"));
  Object data{{"model", text(manifest, "model")},
              {"prefix", text(manifest, "prefix")},
              {"parameter_bytes", manifest.getInteger("parameter_bytes").value_or(0)},
              {"dims", dimsJson(manifest, *dims)},
              {"shown", measured ? text(*measured, "function") : text(*functions.back().getAsObject(), "name")},
              {"functions", std::move(functions)}};
  if (!path) {
    console.print(std::move(data));
    return llvm::Error::success();
  }
  auto threads = parseInteger("--threads", arguments.get("threads", "1"), 1, 1024);
  if (!threads) return threads.takeError();
  data["machine"] = machineJson(measured, int32_t(*threads));
  if (llvm::Error error = writePage(*path, explainPage(std::move(data)))) return error;
  if (!console.json()) llvm::outs() << "wrote " << *path << "\n";
  console.print({{"html", *path}});
  return llvm::Error::success();
}

static int runExplain(const Arguments &arguments, Console &console) {
  int status = Success;
  if (auto path = arguments.get("html"))
    if (llvm::Error error = checkWritable(*path)) return console.fail(std::move(error));
  auto manifest = readManifest(arguments.positional()[0], arguments, console, status);
  if (!manifest) return status;
  if (llvm::Error error = explain(*manifest->getAsObject(), arguments, console)) return console.fail(std::move(error));
  return Success;
}

const Command &tool::explainCommand() {
  static const Command command = {
      "explain",
      "launch by launch what a function does: operators, costs, memory; --html draws it",
      "MODEL",
      R"(MODEL is a model file, a compiled library or its manifest. Prints for each function its launches in order: kernel, operations, bytes,
the line of the model that asks for it, the operators that it carries out, what it reads and writes; %N is a buffer of the arena. --html
writes one page that needs no network: the dataflow, the arena over time, the roofline, a table. With a profile its times are shown, else
the least times that the machine allows. Sizes are at the bounds of the dims unless --dims or the profile says otherwise.

  nacre explain digits.nacre --fn encode
  nacre explain minilm.nacre --dims B=32,T=128 --html minilm.html
  nacre profile digits.nacre --train --json > profile.json
  nacre explain digits.nacre --profile profile.json --html digits.html
)",
      1,
      1,
      {{"fn", "f", "NAME", "this function alone"},
       {"html", "", "FILE", "write a page in place of text"},
       {"profile", "", "FILE", "what `nacre profile --json` printed"},
       {"dims", "", "LIST", "sizes to compute at: B=128,T=64"},
       {"threads", "t", "N", "threads that the machine's limits are measured with, without a profile; default 1"},
       modelOption},
      runExplain};
  return command;
}
