// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre slice: the weights of one width, out of the file of a model that was trained for all.
#include "compiler/Pipelines/WidthProbe.h"
#include "compiler/tools/nacre/Array.h"
#include "compiler/tools/nacre/Checkpoint.h"
#include "compiler/tools/nacre/Command.h"
#include "compiler/tools/nacre/CompileFile.h"

#include "compiler/Artifact/Failure.h"
#include "dialects/Nacre/IR/Ops/Program.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"

#include <cstring>

using namespace nacre;
using namespace nacre::tool;

/// The leading entries of every axis.
static tool::Array cut(const tool::Array &whole, llvm::ArrayRef<int64_t> shape) {
  tool::Array part = tool::Array::zeros(whole.type, std::vector<int64_t>(shape.begin(), shape.end()));
  int64_t bytes = whole.count() ? int64_t(whole.bytes.size()) / whole.count() : 0;
  for (int64_t i = 0, count = part.count(); i < count; ++i) {
    int64_t from = 0, rest = i, stride = 1;
    for (size_t axis = shape.size(); axis-- > 0; rest /= shape[axis], stride *= whole.shape[axis])
      from += rest % shape[axis] * stride;
    std::memcpy(part.bytes.data() + i * bytes, whole.bytes.data() + from * bytes, bytes);
  }
  return part;
}

namespace {

class Slicer {
public:
  Slicer(const Arguments &arguments, Console &console) : arguments(arguments), console(console) {}
  int run();

private:
  llvm::Expected<std::string> chooseFunction(mlir::ModuleOp module) const;
  /// The size of every parameter at the width; parameters that it needs whole are not among them.
  llvm::Expected<std::map<std::string, std::vector<int64_t>>> sizesAtWidth(mlir::ModuleOp module, int64_t width);
  llvm::Error slice(mlir::ModuleOp module);

  const Arguments &arguments;
  Console &console;
};

} // namespace

llvm::Expected<std::string> Slicer::chooseFunction(mlir::ModuleOp module) const {
  std::string names;
  int count = 0;
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    if (function.getName() == arguments.get("fn", "")) return function.getName().str();
    names += (count++ ? ", " : "") + function.getName().str();
  }
  if (!arguments.has("fn") && count == 1) return names;
  return userFailure("expected --fn NAME, one of (" + llvm::Twine(names) + ")");
}

llvm::Expected<std::map<std::string, std::vector<int64_t>>> Slicer::sizesAtWidth(mlir::ModuleOp module, int64_t width) {
  auto name = chooseFunction(module);
  if (!name) return name.takeError();
  std::string message;
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic &diagnostic) { message = diagnostic.str(); });
  mlir::FailureOr<WidthProbe> probe = WidthProbe::create(module, *name);
  if (mlir::failed(probe)) return userFailure("'" + llvm::Twine(*name) + "' cannot be sliced: " + message);
  if (std::string problem = probe->problem(width); !problem.empty()) return userFailure("cannot slice at width " + llvm::Twine(width) + ": " + problem);
  mlir::FailureOr<Extents> all = probe->extents(0), some = probe->extents(width);
  if (mlir::failed(all) || mlir::failed(some)) return userFailure("'" + llvm::Twine(*name) + "' cannot be sliced: " + message);
  std::map<std::string, std::vector<int64_t>> sizes;
  for (auto parameter : module.getOps<ParameterOp>()) {
    std::string key = parameter.getSymName().str();
    auto shape = llvm::cast<mlir::RankedTensorType>(parameter.getType()).getShape();
    if (!all->count(key)) continue;
    std::vector<int64_t> size(shape.begin(), shape.end());
    // An axis that the whole function does not use up says nothing: rows of a table, units at rest.
    for (size_t axis = 0; axis < size.size(); ++axis)
      if ((*all)[key][axis] == size[axis] && (*some)[key][axis] > 0) size[axis] = (*some)[key][axis];
    if (llvm::ArrayRef<int64_t>(size) != shape) sizes[key] = size;
  }
  if (sizes.empty())
    return userFailure("expected parameters of which width " + llvm::Twine(width) + " of '" + *name +
                       "' needs a part, but it needs all of them whole");
  return sizes;
}

llvm::Error Slicer::slice(mlir::ModuleOp module) {
  auto width = parseInteger("--width", *arguments.get("width"), 1, INT32_MAX);
  if (!width) return width.takeError();
  auto sizes = sizesAtWidth(module, *width);
  if (!sizes) return sizes.takeError();
  auto arrays = readArrays(*arguments.get("checkpoint"));
  if (!arrays) return arrays.takeError();
  std::vector<NamedArray> written;
  llvm::json::Array listed;
  for (auto parameter : module.getOps<ParameterOp>()) {
    std::string name = parameter.getSymName().str();
    bool bySource = false;
    auto find = [&](llvm::StringRef wanted) { return llvm::find_if(*arrays, [&](const NamedArray &array) { return array.name == wanted; }); };
    auto found = find(name);
    if (found == arrays->end() && !parameter.getSource().empty()) {
      found = find(parameter.getSource());
      bySource = true;
    }
    if (found == arrays->end()) return userFailure("'" + *arguments.get("checkpoint") + "' lacks parameter '" + name + "'");
    auto shape = llvm::cast<mlir::RankedTensorType>(parameter.getType()).getShape();
    std::vector<int64_t> whole(shape.begin(), shape.end()), part = sizes->count(name) ? (*sizes)[name] : whole;
    if (bySource && parameter.getSourceTransposed()) {
      std::reverse(whole.begin(), whole.end());
      std::reverse(part.begin(), part.end());
    }
    if (found->array.shape != whole)
      return userFailure("'" + *arguments.get("checkpoint") + "': '" + found->name + "' is " + describe(found->array) + ", which is not the shape of parameter '" + name + "'");
    written.push_back({found->name, cut(found->array, part)});
    listed.push_back(llvm::json::Object{{"name", found->name}, {"shape", llvm::json::Array(part)}});
    if (!console.json()) llvm::outs() << found->name << " " << describe(found->array) << " -> " << describe(written.back().array) << "\n";
  }
  if (llvm::Error error = writeArrays(*arguments.get("out"), written)) return error;
  console.print({{"width", *width}, {"parameters", std::move(listed)}});
  return llvm::Error::success();
}

int Slicer::run() {
  for (llvm::StringRef needed : {"width", "checkpoint", "out"})
    if (!arguments.has(needed)) return console.usage("expected --" + needed);
  if (llvm::Error error = checkWritable(*arguments.get("out"))) return console.fail(std::move(error));
  ModelFile file;
  int status = Success;
  if (!parseModel(arguments.positional()[0], file, console, status)) return status;
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry);
  console.enterStage("check");
  mlir::OwningOpRef<mlir::ModuleOp> module =
      emitModel(context, file.source, file.program, arguments.get("model", ""), file.diagnostics);
  if (!module) return console.fail(file.diagnostics);
  console.enterStage("slice");
  if (llvm::Error error = slice(*module)) return console.fail(std::move(error));
  return Success;
}

static int runSlice(const Arguments &arguments, Console &console) { return Slicer(arguments, console).run(); }

const Command &tool::sliceCommand() {
  static const Command command = {
      "slice",
      "cut the weights of one width out of a checkpoint",
      "MODEL.nacre --fn NAME --width M --checkpoint FILE -o FILE",
      R"(Writes the parameters of a model cut down to what one function needs at one width: a run-time width of the function, a member of a
nested result, or a prefix of its result. Which axes that are is found out from the model by its derivative; an axis of which the
width needs all stays whole. The small file suits a model with the small sizes.

  nacre slice rec.nacre --fn encode --width 64 --checkpoint rec.safetensors -o rec64.safetensors
)",
      1,
      1,
      {{"fn", "f", "NAME", "the function; needless when the model has one"},
       {"width", "", "M", "the width"},
       {"checkpoint", "c", "FILE", "safetensors file with the parameters"},
       {"out", "o", "FILE", "the safetensors file to write"},
       modelOption},
      runSlice};
  return command;
}
