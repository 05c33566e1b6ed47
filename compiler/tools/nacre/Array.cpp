// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Array.h"

#include "compiler/Artifact/Failure.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Path.h"

#include <cmath>
#include <cstring>

extern "C" {
#include "runtime/src/npy.h"
#include "runtime/src/npz.h"
#include "runtime/src/safetensors.h"
#include "runtime/src/tensor.h"
}

using namespace nacre;
using namespace nacre::tool;

static llvm::Error failed(const nacre_error &error) { return userFailure(error.message); }

Array Array::zeros(nacre_dtype type, std::vector<int64_t> shape) {
  Array array;
  array.type = type;
  array.shape = std::move(shape);
  array.bytes.resize(size_t(array.count() * nacre_dtype_bytes(type)));
  return array;
}

Array Array::number(nacre_dtype type, double value) {
  Array array = zeros(type, {});
  float real = float(value);
  int32_t whole = int32_t(value);
  std::memcpy(array.bytes.data(), type == NACRE_F32 ? static_cast<const void *>(&real) : &whole, sizeof real);
  return array;
}

int64_t Array::count() const {
  int64_t product = 1;
  for (int64_t size : shape)
    product *= size;
  return product;
}

nacre_tensor Array::tensor() const {
  nacre_tensor tensor = {const_cast<char *>(bytes.data()), type, int32_t(shape.size()), {}};
  std::copy(shape.begin(), shape.end(), tensor.shape);
  return tensor;
}

int64_t Array::rowBytes() const {
  int64_t bytes = nacre_dtype_bytes(type);
  for (size_t axis = 1; axis < shape.size(); ++axis)
    bytes *= shape[axis];
  return bytes;
}

std::string tool::describe(const Array &array) {
  char text[256];
  std::string type = nacre_dtype_name(array.type);
  return array.shape.empty() ? type : type + nacre_shape_text(int32_t(array.shape.size()), array.shape.data(), text, sizeof text);
}

/// Takes over what a reader allocated.
static Array take(nacre_tensor &tensor) {
  Array array = Array::zeros(tensor.dtype, std::vector<int64_t>(tensor.shape, tensor.shape + tensor.rank));
  if (!array.bytes.empty()) std::memcpy(array.bytes.data(), tensor.data, array.bytes.size());
  nacre_array_free(&tensor);
  return array;
}

static llvm::Expected<std::vector<NamedArray>> readNpy(const std::string &path) {
  nacre_error error = {};
  nacre_tensor tensor;
  if (nacre_npy_read(path.c_str(), &tensor, &error) != NACRE_OK) return failed(error);
  return std::vector<NamedArray>{{"", take(tensor)}};
}

static llvm::Expected<std::vector<NamedArray>> readNpz(const std::string &path) {
  nacre_error error = {};
  std::unique_ptr<nacre_npz, void (*)(nacre_npz *)> file(nacre_npz_open(path.c_str(), &error), nacre_npz_close);
  if (!file) return failed(error);
  std::vector<NamedArray> arrays;
  for (int64_t i = 0; i < nacre_npz_count(file.get()); ++i) {
    nacre_tensor tensor;
    if (nacre_npz_read(file.get(), i, &tensor, &error) != NACRE_OK) return failed(error);
    arrays.push_back({nacre_npz_name(file.get(), i), take(tensor)});
  }
  return arrays;
}

static llvm::Expected<std::vector<NamedArray>> readSafetensors(const std::string &path) {
  nacre_error error = {};
  std::unique_ptr<nacre_safetensors, void (*)(nacre_safetensors *)> file(nacre_safetensors_open(path.c_str(), &error),
                                                                         nacre_safetensors_close);
  if (!file) return failed(error);
  std::vector<NamedArray> arrays;
  for (int64_t i = 0; i < nacre_safetensors_count(file.get()); ++i) {
    const nacre_entry *entry = nacre_safetensors_entry(file.get(), i);
    if (!entry->readable) continue; // a type that no input can have; asking for it by name says that it is not there
    Array array = Array::zeros(entry->dtype, std::vector<int64_t>(entry->shape, entry->shape + entry->rank));
    if (nacre_safetensors_read(file.get(), entry, 0, int64_t(array.bytes.size()), array.bytes.data(), &error) != NACRE_OK)
      return failed(error);
    arrays.push_back({entry->name, std::move(array)});
  }
  return arrays;
}

llvm::Expected<std::vector<NamedArray>> tool::readArrays(llvm::StringRef path) {
  llvm::StringRef ending = llvm::sys::path::extension(path);
  if (ending == ".npy") return readNpy(path.str());
  if (ending == ".npz") return readNpz(path.str());
  if (ending == ".safetensors") return readSafetensors(path.str());
  return userFailure("expected a file that ends in .npy, .npz or .safetensors, but got '" + path + "'");
}

static llvm::Error writeSafetensors(const std::string &path, llvm::ArrayRef<NamedArray> arrays) {
  std::vector<nacre_named_tensor> tensors;
  for (const NamedArray &array : arrays)
    tensors.push_back({array.name.c_str(), array.array.tensor()});
  nacre_error error = {};
  if (nacre_safetensors_write(path.c_str(), tensors.data(), int64_t(tensors.size()), nullptr, 0, &error) != NACRE_OK) return failed(error);
  return llvm::Error::success();
}

static llvm::Error writeNpz(const std::string &path, llvm::ArrayRef<NamedArray> arrays) {
  std::vector<const char *> names;
  std::vector<nacre_tensor> tensors;
  for (const NamedArray &array : arrays) {
    names.push_back(array.name.c_str());
    tensors.push_back(array.array.tensor());
  }
  nacre_error error = {};
  if (nacre_npz_write(path.c_str(), names.data(), tensors.data(), int64_t(tensors.size()), &error) != NACRE_OK) return failed(error);
  return llvm::Error::success();
}

llvm::Error tool::writeArrays(llvm::StringRef path, llvm::ArrayRef<NamedArray> arrays) {
  llvm::StringRef ending = llvm::sys::path::extension(path);
  if (ending == ".safetensors") return writeSafetensors(path.str(), arrays);
  if (ending == ".npz") return writeNpz(path.str(), arrays);
  if (ending != ".npy") return userFailure("expected a file that ends in .npy, .npz or .safetensors, but got '" + path + "'");
  if (arrays.size() != 1)
    return userFailure("expected one array for '" + path + "', but got " + llvm::Twine(arrays.size()) +
                       "; write them to .npz or .safetensors");
  nacre_error error = {};
  nacre_tensor tensor = arrays[0].array.tensor();
  if (nacre_npy_write(path.str().c_str(), &tensor, &error) != NACRE_OK) return failed(error);
  return llvm::Error::success();
}

llvm::Expected<Array> tool::convert(Array array, nacre_dtype to, llvm::StringRef what) {
  if (array.type == to) return array;
  if (!nacre_can_convert(array.type, to))
    return userFailure("expected " + what + " to hold " + nacre_dtype_name(to) + ", but got " + describe(array));
  Array result = Array::zeros(to, array.shape);
  int64_t at = nacre_convert(array.type, array.bytes.data(), array.count(), to, result.bytes.data());
  if (at >= 0)
    return userFailure("expected " + what + " to hold values that fit into i32, but the value at position " + llvm::Twine(at) +
                       " does not");
  return result;
}
