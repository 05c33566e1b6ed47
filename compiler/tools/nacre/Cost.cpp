// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Cost.h"

#include "compiler/Artifact/Failure.h"
#include "compiler/tools/nacre/Options.h"
#include "dialects/Nacre/IR/Dims.h"

#include "llvm/Support/FormatVariadic.h"

using namespace nacre;
using namespace nacre::tool;
using llvm::json::Object;

llvm::Expected<DimValues> tool::chooseDims(const Object &manifest, llvm::StringRef list) {
  DimValues bounds;
  std::string names;
  if (const llvm::json::Array *dims = manifest.getArray("dims"))
    for (const llvm::json::Value &value : *dims)
      if (const Object *dim = value.getAsObject()) {
        std::string name = dim->getString("name").value_or("").str();
        bounds[name] = dim->getInteger("bound").value_or(0);
        names += (names.empty() ? "" : ", ") + name;
      }
  DimValues chosen = bounds;
  llvm::SmallVector<llvm::StringRef> entries;
  list.split(entries, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef entry : entries) {
    auto [name, value] = entry.split('=');
    if (!bounds.count(name.str())) return userFailure("expected a dim of the model (" + llvm::Twine(names) + "), but got '" + name + "'");
    auto number = parseInteger("--dims " + name.str(), value, 0, bounds[name.str()]);
    if (!number) return number.takeError();
    chosen[name.str()] = *number;
  }
  return chosen;
}

static llvm::Error addSize(const Object &object, llvm::StringRef key, const llvm::StringMap<int64_t> &binding, int64_t &sum) {
  auto text = object.getString(key);
  auto size = text ? Dim::parse(*text) : std::nullopt;
  auto value = size ? size->evaluate(binding) : std::nullopt;
  if (!value) return userFailure("expected a size in '" + key + "' of the manifest");
  sum += *value;
  return llvm::Error::success();
}

/// The entries of a list of objects by their "name".
static llvm::StringMap<const Object *> byName(const Object &manifest, llvm::StringRef list) {
  llvm::StringMap<const Object *> entries;
  if (const llvm::json::Array *values = manifest.getArray(list))
    for (const llvm::json::Value &value : *values)
      if (const Object *entry = value.getAsObject()) entries[entry->getString("name").value_or("")] = entry;
  return entries;
}

const Object *tool::functionEntry(const Object &manifest, llvm::StringRef name) { return byName(manifest, "functions").lookup(name); }

static llvm::StringMap<int64_t> bindingOf(const DimValues &dims) {
  llvm::StringMap<int64_t> binding;
  for (const auto &[name, value] : dims)
    binding[name] = value;
  return binding;
}

llvm::Expected<std::vector<LaunchCost>> tool::launchCosts(const Object &manifest, const Object &function, const DimValues &dims) {
  llvm::StringMap<int64_t> binding = bindingOf(dims);
  llvm::StringMap<const Object *> kernels = byName(manifest, "kernels");
  std::vector<LaunchCost> costs;
  const llvm::json::Array *launches = function.getArray("launches");
  for (size_t i = 0; launches && i < launches->size(); ++i) {
    const Object *launch = (*launches)[i].getAsObject();
    if (!launch) return userFailure("expected a launch in the manifest to be an object");
    LaunchCost cost;
    cost.kernel = launch->getString("kernel").value_or("?").str();
    cost.place = launch->getString("place").value_or("").str();
    if (const Object *kernel = kernels.lookup(cost.kernel)) {
      cost.skeleton = kernel->getString("skeleton").value_or("?").str();
      if (const llvm::json::Array *operators = kernel->getArray("operators"))
        for (const llvm::json::Value &name : *operators)
          cost.operators.push_back(name.getAsString().value_or("?").str());
    }
    if (llvm::Error error = addSize(*launch, "operations", binding, cost.operations)) return error;
    if (llvm::Error error = addSize(*launch, "bytes", binding, cost.bytes)) return error;
    costs.push_back(std::move(cost));
  }
  return costs;
}

llvm::Expected<FunctionCost> tool::costOf(const Object &manifest, const Object &function, const DimValues &dims) {
  llvm::StringMap<int64_t> binding = bindingOf(dims);
  FunctionCost cost;
  if (llvm::Error error = addSize(function, "arena_bytes", binding, cost.arenaBytes)) return error;
  if (llvm::Error error = addSize(function, "buffer_bytes", binding, cost.bufferBytes)) return error;
  auto launches = launchCosts(manifest, function, dims);
  if (!launches) return launches.takeError();
  for (const LaunchCost &launch : *launches) {
    cost.operations += launch.operations;
    cost.bytes += launch.bytes;
    ++cost.launches;
    ++cost.skeletons[launch.skeleton.empty() ? "?" : launch.skeleton];
  }
  return cost;
}

std::string tool::shortNumber(int64_t value) {
  static const char *const units[] = {"", " K", " M", " G", " T", " P"};
  double scaled = double(value);
  size_t unit = 0;
  for (; scaled >= 1000 && unit + 1 < std::size(units); ++unit)
    scaled /= 1000;
  if (unit == 0) return std::to_string(value);
  return llvm::formatv("{0:f2}{1}", scaled, units[unit]).str();
}
