// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Interventions.h"

#include "compiler/Artifact/Failure.h"
#include "compiler/tools/nacre/Binding.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/bit.h"

#include <cstring>

extern "C" {
#include "runtime/src/size.h"
}

using namespace nacre;
using namespace nacre::tool;

namespace nacre::tool {

/// One word of --tap.
class InterventionParser {
public:
  InterventionParser(const LoadedModel &model, const nacre_function &function, llvm::ArrayRef<int64_t> dims, std::optional<int32_t> rowDim,
                     Interventions &result)
      : model(model), function(function), dims(dims), rowDim(rowDim), result(result) {}
  llvm::Error parse(llvm::StringRef word);

private:
  llvm::Error findTap(llvm::StringRef name);
  llvm::Error pick(llvm::StringRef indices);
  llvm::Error action(llvm::StringRef text);
  llvm::Error clamp(llvm::StringRef limits);
  llvm::Error read(llvm::StringRef path);
  llvm::Error operand(llvm::StringRef text);
  void take(Array array);
  llvm::Error checkRowwise(llvm::StringRef word, int32_t rowDim) const;
  std::vector<int64_t> shape() const;

  const LoadedModel &model;
  const nacre_function &function;
  llvm::ArrayRef<int64_t> dims;
  std::optional<int32_t> rowDim;
  Interventions &result;
  const nacre_tap *tap = nullptr;
  nacre_intervention item = {};
};

} // namespace nacre::tool

llvm::Error InterventionParser::findTap(llvm::StringRef name) {
  const nacre_model &table = model.table();
  std::string names;
  for (uint32_t i = 0; i < table.tap_count; ++i) {
    if (table.taps[i].function != model.indexOf(function)) continue;
    if (name == table.taps[i].name) {
      tap = &table.taps[i];
      item.tap = tap->index;
      return llvm::Error::success();
    }
    names += (names.empty() ? "" : ", ") + std::string(table.taps[i].name);
  }
  if (!names.empty()) return userFailure("expected a tap of '" + llvm::Twine(function.name) + "' (" + names + "), but got '" + name + "'");
  if (table.tap_count > 0) return userFailure("expected a function with taps for --tap, but '" + llvm::Twine(function.name) + "' has none");
  return userFailure("expected a model with taps, but " + llvm::Twine(table.name) +
                     " has none: 'tap x = ...' makes one, and a library keeps them with 'nacre compile --taps'");
}

std::vector<int64_t> InterventionParser::shape() const {
  std::vector<int64_t> sizes(tap->rank);
  for (int32_t axis = 0; axis < tap->rank; ++axis)
    (void)nacre_size_evaluate(&tap->shape[axis], dims.data(), model.table().dim_count, &sizes[axis]);
  return sizes;
}

/// ":,7": a number picks one index, from the end when negative; ":" and missing axes stay whole.
llvm::Error InterventionParser::pick(llvm::StringRef indices) {
  llvm::SmallVector<llvm::StringRef> words;
  indices.split(words, ',');
  std::vector<int64_t> sizes = shape();
  if (words.size() > sizes.size())
    return userFailure("expected at most " + llvm::Twine(sizes.size()) + " indices for the tap '" + tap->name + "', but got [" + indices + "]");
  for (size_t axis = 0; axis < words.size(); ++axis) {
    llvm::StringRef text = words[axis].trim();
    if (text == ":") continue;
    auto index = parseInteger("an index of the tap '" + std::string(tap->name) + "'", text, -sizes[axis], sizes[axis] - 1);
    if (!index) return index.takeError();
    item.picked |= 1u << axis;
    item.at[axis] = *index < 0 ? *index + sizes[axis] : *index;
  }
  return llvm::Error::success();
}

void InterventionParser::take(Array array) {
  result.operands.push_back(std::move(array));
  item.operand = result.operands.back().tensor();
  result.items.push_back(item);
}

static Array numbers(std::vector<int64_t> shape, std::initializer_list<float> values) {
  Array array = Array::zeros(NACRE_F32, std::move(shape));
  std::memcpy(array.bytes.data(), values.begin(), values.size() * sizeof(float));
  return array;
}

llvm::Error InterventionParser::clamp(llvm::StringRef limits) {
  auto [low, high] = limits.split(':');
  double least, most;
  if (low.getAsDouble(least) || high.getAsDouble(most))
    return userFailure("expected two numbers, clamp:LO:HI, but got 'clamp:" + limits + "'");
  take(numbers({2}, {float(least), float(most)}));
  return llvm::Error::success();
}

llvm::Error InterventionParser::read(llvm::StringRef path) {
  if (path.empty()) return userFailure("expected a file, read:FILE, for the tap '" + llvm::Twine(tap->name) + "'");
  std::vector<int64_t> sizes;
  for (auto [axis, size] : llvm::enumerate(shape()))
    if ((item.picked >> axis & 1) == 0) sizes.push_back(size);
  take(Array::zeros(tap->dtype, sizes));
  result.readings.push_back({path.str(), tap->name, &result.operands.back()});
  return llvm::Error::success();
}

llvm::Error InterventionParser::operand(llvm::StringRef text) {
  double number;
  if (!text.getAsDouble(number)) {
    take(numbers({}, {float(number)}));
    return llvm::Error::success();
  }
  auto arrays = readArrays(text);
  if (!arrays) return arrays.takeError();
  auto chosen = llvm::find_if(*arrays, [&](const NamedArray &array) { return arrays->size() == 1 || array.name == tap->name; });
  if (chosen == arrays->end())
    return userFailure("expected an array '" + llvm::Twine(tap->name) + "' in '" + text + "', but it has none of that name");
  auto converted = convert(std::move(chosen->array), NACRE_F32, "'" + text.str() + "'");
  if (!converted) return converted.takeError();
  take(std::move(*converted));
  return llvm::Error::success();
}

llvm::Error InterventionParser::action(llvm::StringRef text) {
  auto [name, rest] = text.split(':');
  item.action = llvm::StringSwitch<int32_t>(name)
                    .Case("read", NACRE_TAP_READ)
                    .Cases({"set", "ablate", "patch", "replace"}, NACRE_TAP_SET)
                    .Case("add", NACRE_TAP_ADD)
                    .Case("scale", NACRE_TAP_SCALE)
                    .Case("clamp", NACRE_TAP_CLAMP)
                    .Case("mask", NACRE_TAP_MASK)
                    .Default(-1);
  if (item.action < 0)
    return userFailure("expected an action of (read, set, add, scale, clamp, mask, ablate, patch) at the tap '" + llvm::Twine(tap->name) +
                       "', but got '" + name + "'");
  if (item.action == NACRE_TAP_READ) return read(rest);
  if (item.action == NACRE_TAP_CLAMP) return clamp(rest);
  if (name == "ablate") return operand("0");
  if (rest.empty()) return userFailure("expected a number or a file, " + name + ":OPERAND, for the tap '" + llvm::Twine(tap->name) + "'");
  return operand(rest);
}

llvm::Error InterventionParser::parse(llvm::StringRef word) {
  auto [place, what] = word.split('=');
  if (what.empty()) return userFailure("expected NAME=ACTION or NAME[:,7]=ACTION for --tap, but got '" + word + "'");
  auto [name, indices] = place.split('[');
  if (llvm::Error error = findTap(name)) return error;
  if (name.size() != place.size()) {
    if (!indices.consume_back("]")) return userFailure("expected ']' after the indices of the tap, but got '" + place + "'");
    if (llvm::Error error = pick(indices)) return error;
  }
  if (llvm::Error error = action(what)) return error;
  return rowDim ? checkRowwise(word, *rowDim) : llvm::Error::success();
}

/// Fails where the rows of a part would be taken for other rows: one picked by its number, an operand with a row of its own for each,
/// a value whose first axis is not the rows.
llvm::Error InterventionParser::checkRowwise(llvm::StringRef word, int32_t rowDim) const {
  bool hasRows = startsWith({.rank = tap->rank, .shape = tap->shape}, rowDim), picksRow = item.picked & 1;
  for (int32_t axis = 1; hasRows && axis < tap->rank; ++axis)
    hasRows = (nacre_size_dims(&tap->shape[axis], model.table().dim_count) >> rowDim & 1) == 0;
  int32_t rank = tap->rank - llvm::popcount(item.picked);
  bool isArray = item.action != NACRE_TAP_READ && item.action != NACRE_TAP_CLAMP && item.operand.rank == rank;
  if (hasRows && !picksRow && !(isArray && result.operands.back().shape[0] != 1)) return llvm::Error::success();
  return userFailure("expected at most " + llvm::Twine(model.table().dims[rowDim].bound) + " rows and no --batch with --tap " + word +
                     ", which does not do the same to every row");
}

void Interventions::appendRead(const Interventions &next) {
  for (auto [reading, more] : llvm::zip_equal(readings, next.readings)) {
    reading.array->shape[0] += more.array->shape[0];
    llvm::append_range(reading.array->bytes, more.array->bytes);
  }
}

llvm::Expected<Interventions> Interventions::parse(const LoadedModel &model, const nacre_function &function,
                                                   llvm::ArrayRef<llvm::StringRef> words, llvm::ArrayRef<int64_t> dims,
                                                   std::optional<int32_t> rowDim) {
  Interventions result;
  for (llvm::StringRef word : words)
    if (llvm::Error error = InterventionParser(model, function, dims, rowDim, result).parse(word)) return error;
  return result;
}

llvm::Error Interventions::writeRead() const {
  for (const Reading &reading : readings)
    if (llvm::Error error = writeArrays(reading.path, {{reading.tap, *reading.array}})) return error;
  return llvm::Error::success();
}
