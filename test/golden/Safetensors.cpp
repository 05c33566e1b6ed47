// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/golden/Safetensors.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <cstring>

using namespace nacre;
using namespace nacre::test;

static llvm::Error wrong(const llvm::Twine &message) { return llvm::createStringError(llvm::inconvertibleErrorCode(), message); }

template <typename T>
static void decode(llvm::StringRef bytes, std::vector<double> &values) {
  for (size_t i = 0; i < values.size(); ++i) {
    T value; // the bytes may be unaligned
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = double(value);
  }
}

/// How many elements a tensor of these extents has; nothing for negative or absurd ones.
static std::optional<uint64_t> countOf(const llvm::json::Array &shape, llvm::SmallVectorImpl<int64_t> &extents) {
  constexpr int64_t kMost = int64_t(1) << 40;
  uint64_t count = 1;
  for (const llvm::json::Value &extent : shape) {
    extents.push_back(extent.getAsInteger().value_or(-1));
    if (extents.back() < 0 || extents.back() > kMost || count > uint64_t(kMost))
      return std::nullopt;
    count *= uint64_t(extents.back());
    if (count > uint64_t(kMost))
      return std::nullopt;
  }
  return count;
}

static llvm::Error readTensor(const llvm::json::Object *entry, llvm::StringRef data, GoldenTensor &tensor) {
  llvm::StringRef type = entry ? entry->getString("dtype").value_or("") : "";
  const llvm::json::Array *shape = entry ? entry->getArray("shape") : nullptr, *offsets = entry ? entry->getArray("data_offsets") : nullptr;
  if (!shape || !offsets || offsets->size() != 2)
    return wrong("expected a dtype, a shape and two offsets");
  if (type != "F32" && type != "F64" && type != "I32")
    return wrong("expected F32, F64 or I32, but got '" + type + "'");
  llvm::SmallVector<int64_t> extents;
  std::optional<uint64_t> count = countOf(*shape, extents);
  int64_t begin = (*offsets)[0].getAsInteger().value_or(-1), end = (*offsets)[1].getAsInteger().value_or(-1);
  if (begin < 0 || end < begin || uint64_t(end) > data.size())
    return wrong("expected its bytes inside the file");
  if (!count || uint64_t(end - begin) != *count * (type == "F64" ? 8 : 4))
    return wrong("expected as many bytes as the shape says");
  tensor.values = Array(extents);
  tensor.isInteger = type == "I32";
  llvm::StringRef bytes = data.slice(begin, end);
  if (type == "F32")
    decode<float>(bytes, tensor.values.data);
  else if (type == "F64")
    decode<double>(bytes, tensor.values.data);
  else
    decode<int32_t>(bytes, tensor.values.data);
  return llvm::Error::success();
}

/// Everything but the tensors. Fails with a sentence that does not name the file.
static llvm::Error readMetadata(const llvm::json::Object *entries, GoldenCase &result) {
  const llvm::json::Object *metadata = entries ? entries->getObject("__metadata__") : nullptr;
  std::optional<llvm::StringRef> op = metadata ? metadata->getString("op") : std::nullopt;
  auto attributes = llvm::json::parse(metadata ? metadata->getString("attrs").value_or("null") : "null");
  if (!attributes)
    return attributes.takeError();
  if (!op || !attributes->getAsObject())
    return wrong("expected metadata with op and attrs");
  result.op = op->str();
  result.attributes = *attributes->getAsObject();
  return llvm::Error::success();
}

static llvm::Error readBytes(llvm::StringRef bytes, GoldenCase &result) {
  uint64_t length = 0;
  if (bytes.size() >= 8)
    std::memcpy(&length, bytes.data(), 8);
  if (length == 0 || length > bytes.size() - 8)
    return wrong("expected a safetensors file");
  auto header = llvm::json::parse(bytes.substr(8, length));
  if (!header)
    return header.takeError();
  if (llvm::Error error = readMetadata(header->getAsObject(), result))
    return error;
  for (auto &[name, entry] : *header->getAsObject()) {
    if (name == "__metadata__")
      continue;
    if (llvm::Error error = readTensor(entry.getAsObject(), bytes.substr(8 + length), result.tensors[name.str()]))
      return wrong(name.str() + ": " + llvm::toString(std::move(error)));
  }
  return llvm::Error::success();
}

llvm::Expected<GoldenCase> test::readGoldenCase(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return wrong(path + ": " + buffer.getError().message());
  GoldenCase result;
  result.name = llvm::sys::path::stem(path).str();
  if (llvm::Error error = readBytes((*buffer)->getBuffer(), result))
    return wrong(path + ": " + llvm::toString(std::move(error)));
  return result;
}
