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

static llvm::Error readTensor(const llvm::json::Object &entry, llvm::StringRef data, GoldenTensor &tensor) {
  llvm::StringRef type = entry.getString("dtype").value_or("");
  const llvm::json::Array *shape = entry.getArray("shape"), *offsets = entry.getArray("data_offsets");
  if (!shape || !offsets || offsets->size() != 2)
    return wrong("expected a shape and two offsets");
  llvm::SmallVector<int64_t> extents;
  for (const llvm::json::Value &extent : *shape)
    extents.push_back(extent.getAsInteger().value_or(0));
  tensor.values = Array(extents);
  tensor.isInteger = type == "I32";
  size_t begin = (*offsets)[0].getAsInteger().value_or(0), size = (*offsets)[1].getAsInteger().value_or(0) - begin;
  size_t width = type == "F64" ? 8 : 4;
  if (begin + size > data.size() || size != tensor.values.data.size() * width)
    return wrong("expected as many bytes as the shape says");
  llvm::StringRef bytes = data.substr(begin, size);
  if (type == "F32")
    decode<float>(bytes, tensor.values.data);
  else if (type == "F64")
    decode<double>(bytes, tensor.values.data);
  else if (type == "I32")
    decode<int32_t>(bytes, tensor.values.data);
  else
    return wrong("expected F32, F64 or I32, but got " + type);
  return llvm::Error::success();
}

llvm::Expected<GoldenCase> test::readGoldenCase(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return wrong(path + ": " + buffer.getError().message());
  llvm::StringRef bytes = (*buffer)->getBuffer();
  uint64_t length = 0;
  if (bytes.size() >= 8)
    std::memcpy(&length, bytes.data(), 8);
  if (length == 0 || length > bytes.size() - 8)
    return wrong(path + ": expected a safetensors file");
  auto header = llvm::json::parse(bytes.substr(8, length));
  if (!header)
    return header.takeError();
  const llvm::json::Object *entries = header->getAsObject();
  const llvm::json::Object *metadata = entries ? entries->getObject("__metadata__") : nullptr;
  auto attributes = llvm::json::parse(metadata ? metadata->getString("attrs").value_or("null") : "null");
  if (!attributes)
    return attributes.takeError();
  if (!attributes->getAsObject())
    return wrong(path + ": expected metadata with op and attrs");
  GoldenCase result;
  result.name = llvm::sys::path::stem(path).str();
  result.op = metadata->getString("op").value_or("").str();
  result.attributes = *attributes->getAsObject();
  for (auto &[name, entry] : *entries)
    if (name != "__metadata__")
      if (llvm::Error error = readTensor(*entry.getAsObject(), bytes.substr(8 + length), result.tensors[name.str()]))
        return error;
  return result;
}
