// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Inputs.h"

#include "compiler/Artifact/Failure.h"

#include "llvm/ADT/STLExtras.h"

#include <cstring>
#include <random>

extern "C" {
#include "runtime/src/bind.h"
}

using namespace nacre;
using namespace nacre::tool;

llvm::Expected<const nacre_function *> tool::chooseFunction(const LoadedModel &model, const Arguments &arguments) {
  auto name = arguments.get("fn");
  if (!name && model.table().function_count != 1)
    return userFailure("expected --fn NAME, for " + llvm::Twine(model.table().name) + " has several functions; 'nacre show' lists them");
  return model.function(name ? *name : llvm::StringRef(model.table().functions[0].name));
}

llvm::Expected<Array> tool::numberFor(const nacre_port &port, llvm::StringRef text) {
  double real;
  int32_t whole;
  if (port.dtype == NACRE_I32 && !text.getAsInteger(10, whole)) return Array::number(port.dtype, whole);
  if (port.dtype == NACRE_F32 && !text.getAsDouble(real)) return Array::number(port.dtype, real);
  return userFailure("expected a number for '" + llvm::Twine(port.name) + "', but got '" + text + "'");
}

/// `name=value`, or a bare file for the first input that is still without one.
static llvm::Expected<int32_t> portOf(const nacre_function &function, llvm::ArrayRef<std::optional<Array>> given, llvm::StringRef word,
                                      llvm::StringRef &value) {
  auto [name, rest] = word.split('=');
  bool isNamed = name.size() != word.size();
  value = isNamed ? rest : word;
  std::string names;
  for (int32_t i = 0; i < function.input_count; ++i) {
    if (isNamed ? name == function.inputs[i].name : !given[i] && function.inputs[i].choice_count == 0) return i;
    names += (i ? ", " : "") + std::string(function.inputs[i].name);
  }
  return userFailure("expected an input of '" + llvm::Twine(function.name) + "' (" + names + "), but got '" + (isNamed ? name : word) +
                     "'");
}

/// A number, or the array of a file: its only one, or the one with the name of the port.
static llvm::Expected<Array> readInput(const nacre_port &port, llvm::StringRef value) {
  if (port.rank == 0 && !value.ends_with(".npy")) return numberFor(port, value);
  auto arrays = readArrays(value);
  if (!arrays) return arrays.takeError();
  auto chosen = llvm::find_if(*arrays, [&](const NamedArray &array) { return arrays->size() == 1 || array.name == port.name; });
  if (chosen == arrays->end())
    return userFailure("expected an array '" + llvm::Twine(port.name) + "' in '" + value + "', but it has none of that name");
  return convert(std::move(chosen->array), port.dtype, "'" + value.str() + "'");
}

llvm::Expected<std::vector<std::optional<Array>>> tool::readInputs(const nacre_function &function, llvm::ArrayRef<llvm::StringRef> words) {
  std::vector<std::optional<Array>> given(function.input_count);
  for (llvm::StringRef word : words) {
    llvm::StringRef value;
    auto index = portOf(function, given, word, value);
    if (!index) return index.takeError();
    const nacre_port &port = function.inputs[*index];
    if (given[*index]) return userFailure("'" + llvm::Twine(port.name) + "' is given twice");
    auto read = readInput(port, value);
    if (!read) return read.takeError();
    given[*index] = std::move(*read);
  }
  return given;
}

//===-- draws ----------------------------------------------------------------------------------------------------------------===//

/// The dim that is the size of an axis by itself, or -1.
static int32_t plainDim(const nacre_size &size) {
  if (size.count != 1 || size.terms[0].coefficient != 1) return -1;
  int32_t found = -1;
  for (int32_t i = 0; i < NACRE_MAX_DIMS; ++i)
    if (uint8_t power = size.terms[0].power[i]) {
      if (power > 1 || found >= 0) return -1;
      found = i;
    }
  return found;
}

/// `dims` by position, those that a given array decides taken from it.
static std::vector<int64_t> sizesOf(const nacre_model &model, const nacre_function &function,
                                    llvm::ArrayRef<std::optional<Array>> given, const DimValues &dims) {
  std::vector<int64_t> sizes(NACRE_MAX_DIMS, 0);
  for (int32_t i = 0; i < model.dim_count; ++i)
    if (auto known = dims.find(model.dims[i].name); known != dims.end()) sizes[i] = known->second;
  for (int32_t i = 0; i < function.input_count; ++i)
    for (int32_t axis = 0; given[i] && axis < function.inputs[i].rank && axis < int32_t(given[i]->shape.size()); ++axis)
      if (int32_t dim = plainDim(function.inputs[i].shape[axis]); dim >= 0) sizes[dim] = given[i]->shape[axis];
  return sizes;
}

template <typename T> static void fill(Array &array, llvm::function_ref<T()> draw) {
  for (size_t at = 0; at + sizeof(T) <= array.bytes.size(); at += sizeof(T)) {
    T value = draw();
    std::memcpy(array.bytes.data() + at, &value, sizeof value);
  }
}

/// The rate and the number of a training step are its last two inputs; both are what a first step has.
static std::optional<Array> stepInput(const nacre_model &model, const nacre_function &function, int32_t index) {
  const char *step = model.training.function;
  if (!step || llvm::StringRef(step) != function.name || index < function.input_count - 2) return std::nullopt;
  return Array::number(NACRE_F32, index == function.input_count - 2 ? model.training.rate : 1);
}

static Array drawn(const nacre_port &port, const nacre_tensor &shape, std::mt19937 &random) {
  Array array = Array::zeros(port.dtype, std::vector<int64_t>(shape.shape, shape.shape + shape.rank));
  std::normal_distribution<float> normal;
  std::uniform_int_distribution<int32_t> below(0, int32_t(std::max<int64_t>(port.value_bound, 1) - 1));
  if (port.choice_count > 0)
    fill<int32_t>(array, [&] { return int32_t(port.choices[port.choice_count - 1]); });
  else if (port.dtype == NACRE_F32)
    fill<float>(array, [&] { return normal(random); });
  else
    fill<int32_t>(array, [&] { return port.value_bound > 0 ? below(random) : 1; });
  return array;
}

llvm::Expected<std::vector<Array>> tool::drawInputs(const LoadedModel &model, const nacre_function &function,
                                                    std::vector<std::optional<Array>> given, const DimValues &dims) {
  std::vector<int64_t> sizes = sizesOf(model.table(), function, given, dims);
  std::vector<Array> inputs;
  std::mt19937 random(0); // any seed; the same draws in every run
  nacre_error error = {};
  nacre_binding call = {&model.table(), &function, nullptr, &error};
  for (int32_t i = 0; i < function.input_count; ++i) {
    nacre_tensor shape;
    if (!given[i]) given[i] = stepInput(model.table(), function, i);
    if (!given[i]) {
      if (nacre_port_shape(&call, &function.inputs[i], sizes.data(), &shape) != NACRE_OK) return runtimeError(error);
      given[i] = drawn(function.inputs[i], shape, random);
    }
    inputs.push_back(std::move(*given[i]));
  }
  return inputs;
}
