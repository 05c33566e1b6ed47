// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/RowData.h"

#include "compiler/Artifact/Failure.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"

#include <cstring>
#include <numeric>

extern "C" {
#include "runtime/src/philox.h"
}

using namespace nacre;
using namespace nacre::tool;

llvm::Expected<std::vector<NamedArray>> tool::readDataFiles(llvm::ArrayRef<llvm::StringRef> given) {
  std::vector<NamedArray> all;
  for (llvm::StringRef word : given) {
    auto [name, path] = word.contains('=') ? word.split('=') : std::pair(llvm::StringRef(), word);
    auto arrays = readArrays(path);
    if (!arrays) return arrays.takeError();
    if (!name.empty() && arrays->size() != 1)
      return userFailure("expected one array in '" + path + "' for the name '" + name + "', but got " + llvm::Twine(arrays->size()));
    for (NamedArray &array : *arrays) {
      if (!name.empty()) array.name = name.str();
      if (array.name.empty()) return userFailure("expected a name for the array of '" + path + "': --data NAME=" + path);
      all.push_back(std::move(array));
    }
  }
  return all;
}

static bool isDrawPort(const nacre_port &port, llvm::StringRef name) {
  return port.rank == 0 && port.dtype == NACRE_I32 && !port.choices && name == port.name;
}

int32_t tool::drawInputs(const nacre_function &function, int32_t count) {
  bool ends = count >= 2 && isDrawPort(function.inputs[count - 2], "seed") && isDrawPort(function.inputs[count - 1], "draw");
  return ends ? 2 : 0;
}

void tool::appendDraw(const nacre_function &function, int32_t count, uint64_t seed, int64_t draw, std::vector<Array> &inputs) {
  if (drawInputs(function, count) == 0) return;
  for (int32_t value : {int32_t(uint32_t(seed)), int32_t(uint32_t(draw))})
    inputs.push_back(Array::number(NACRE_I32, value));
}

/// The name of an input in the data files.
static llvm::StringRef nameInData(const LoadedModel &model, llvm::StringRef input) {
  const llvm::json::Object *training = model.training();
  const llvm::json::Object *names = training ? training->getObject("data") : nullptr;
  return names ? names->getString(input).value_or(input) : input;
}

/// A number that the model's `data` entry gives, an open width at its largest choice, or a failure.
static llvm::Expected<Array> numberInput(const LoadedModel &model, const nacre_function &function, int32_t index, RowData &data) {
  const nacre_port &port = function.inputs[index];
  const llvm::json::Object *training = model.training();
  const llvm::json::Object *values = training ? training->getObject("values") : nullptr;
  std::optional<double> value = values ? values->getNumber(port.name) : std::nullopt;
  if (!value && port.choice_count == 0)
    return userFailure("expected a value for '" + llvm::Twine(port.name) + "' of '" + function.name +
                       "', which is one number: data = { " + port.name + ": 0.5 } in the train block");
  if (!value) data.open.push_back(index);
  return Array::number(port.dtype, value ? *value : double(port.choices[port.choice_count - 1]));
}

llvm::Expected<RowData> tool::rowsFor(const LoadedModel &model, const nacre_function &function, int32_t inputCount,
                                      llvm::ArrayRef<NamedArray> arrays) {
  RowData data;
  bool hasRows = false;
  for (int32_t i = 0; i < inputCount; ++i) {
    const nacre_port &port = function.inputs[i];
    if (port.rank == 0) {
      auto number = numberInput(model, function, i, data);
      if (!number) return number.takeError();
      data.inputs.push_back(std::move(*number));
      continue;
    }
    llvm::StringRef name = nameInData(model, port.name);
    auto found = llvm::find_if(arrays, [&](const NamedArray &array) { return array.name == name; });
    if (found == arrays.end()) {
      std::string names;
      for (const NamedArray &array : arrays)
        names += (names.empty() ? "" : ", ") + array.name;
      return userFailure("expected an array '" + name + "' in the data for input '" + port.name + "' of '" + function.name + "', but got " +
                         (names.empty() ? "no data (--data FILE)" : "(" + names + ")"));
    }
    auto array = convert(found->array, port.dtype, "'" + name.str() + "'");
    if (!array) return array.takeError();
    if (array->shape.empty()) return userFailure("expected rows in '" + name + "', but got a single number");
    if (hasRows && array->shape[0] != data.rows)
      return userFailure("expected " + llvm::Twine(data.rows) + " rows in '" + name + "' as in the input before it, but got " +
                         llvm::Twine(array->shape[0]));
    data.rows = array->shape[0];
    hasRows = true;
    data.inputs.push_back(std::move(*array));
  }
  return data;
}

std::vector<Array> RowData::gather(llvm::ArrayRef<int64_t> numbers) const {
  std::vector<Array> batch;
  for (const Array &input : inputs) {
    if (input.shape.empty()) {
      batch.push_back(input);
      continue;
    }
    std::vector<int64_t> shape = input.shape;
    shape[0] = int64_t(numbers.size());
    Array rowsOfInput = Array::zeros(input.type, shape);
    int64_t bytes = input.rowBytes();
    for (size_t i = 0; i < numbers.size(); ++i)
      std::memcpy(rowsOfInput.bytes.data() + i * bytes, input.bytes.data() + numbers[i] * bytes, bytes);
    batch.push_back(std::move(rowsOfInput));
  }
  return batch;
}

static llvm::Expected<std::vector<int64_t>> rowsOfFile(const std::string &path, int64_t rows) {
  auto arrays = readArrays(path);
  if (!arrays) return arrays.takeError();
  if (arrays->size() != 1 || (*arrays)[0].array.shape.size() != 1) return userFailure("expected one list of row numbers in '" + path + "'");
  auto list = convert(std::move((*arrays)[0].array), NACRE_I32, "'" + path + "'");
  if (!list) return list.takeError();
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < list->count(); ++i) {
    int32_t number;
    std::memcpy(&number, list->bytes.data() + i * sizeof number, sizeof number);
    if (number < 0 || number >= rows)
      return userFailure("expected row numbers from 0 to " + llvm::Twine(rows - 1) + " in '" + path + "', but got " + llvm::Twine(number));
    numbers.push_back(number);
  }
  return numbers;
}

static std::vector<int64_t> range(int64_t begin, int64_t end) {
  std::vector<int64_t> numbers(std::max<int64_t>(end - begin, 0));
  std::iota(numbers.begin(), numbers.end(), begin);
  return numbers;
}

/// What the train block says of "train" or "test".
static llvm::Expected<std::vector<int64_t>> rowsOfBlock(const LoadedModel &model, llvm::StringRef which, int64_t rows) {
  const llvm::json::Object *training = model.training();
  const llvm::json::Object *entry = training ? training->getObject(which) : nullptr;
  if (!entry) return range(0, rows);
  if (auto file = entry->getString("file")) {
    std::string path = model.besideModel(*file);
    if (llvm::sys::fs::exists(path)) return rowsOfFile(path, rows);
    return userFailure("expected the list of rows that the train block names beside the model, but there is no '" + path + "'");
  }
  int64_t begin = entry->getInteger("begin").value_or(0), end = entry->getInteger("end").value_or(rows);
  if (begin < 0 || begin > end || end > rows)
    return userFailure("the model's " + which + " rows are " + llvm::Twine(begin) + ".." + llvm::Twine(end) + ", but the data has " +
                       llvm::Twine(rows));
  return range(begin, end);
}

llvm::Expected<std::vector<int64_t>> tool::selectRows(const LoadedModel &model, llvm::StringRef which, int64_t rows) {
  if (which == "train" || which == "test") return rowsOfBlock(model, which, rows);
  if (which == "all") return range(0, rows);
  auto [first, last] = which.split("..");
  int64_t begin, end;
  if (!first.getAsInteger(10, begin) && !last.getAsInteger(10, end)) {
    if (begin >= 0 && begin <= end && end <= rows) return range(begin, end);
    return userFailure("expected rows inside 0.." + llvm::Twine(rows) + ", but got " + which);
  }
  if (llvm::sys::fs::exists(which)) return rowsOfFile(which.str(), rows);
  return userFailure("expected rows of (train, test, all), A..B or a file of row numbers, but got '" + which + "'");
}

// Sites that no parameter has.
static constexpr uint32_t kShuffleSite = 0x73687566, kWidthSite = 0x77696474; // "shuf", "widt"

/// A number in [0, bound), from 64 random bits: the high half of their product.
static uint64_t draw(uint32_t site, uint64_t seed, uint32_t epoch, uint64_t index, uint64_t bound) {
  uint32_t counter[4] = {uint32_t(index), uint32_t(index >> 32), epoch, site};
  uint32_t key[2] = {uint32_t(seed), uint32_t(seed >> 32)};
  uint32_t block[4];
  nacre_philox(counter, key, block);
  uint64_t bits = uint64_t(block[1]) << 32 | block[0];
  return uint64_t((static_cast<unsigned __int128>(bits) * bound) >> 64);
}

std::vector<int64_t> tool::shuffled(std::vector<int64_t> rows, uint64_t seed, uint32_t epoch) {
  for (size_t i = rows.size(); i > 1; --i)
    std::swap(rows[i - 1], rows[draw(kShuffleSite, seed, epoch, i, i)]);
  return rows;
}

void tool::drawOpen(const nacre_function &function, const RowData &data, uint64_t seed, int64_t batch, std::vector<Array> &inputs) {
  for (int32_t index : data.open) {
    const nacre_port &port = function.inputs[index];
    int64_t chosen = port.choices[draw(kWidthSite, seed, uint32_t(index), uint64_t(batch), port.choice_count)];
    inputs[index] = Array::number(port.dtype, double(chosen));
  }
}
