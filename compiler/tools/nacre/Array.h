// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arrays that the tool owns, and the files they come from and go to: npy, npz and safetensors.
#pragma once

#include "nacre/abi.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace nacre::tool {

/// Dense, row-major. Invariant: `bytes` has the bytes that type and shape need.
struct Array {
  nacre_dtype type = NACRE_F32;
  std::vector<int64_t> shape;
  std::vector<char> bytes;

  /// Zeroed.
  static Array zeros(nacre_dtype type, std::vector<int64_t> shape);
  /// One number, f32 or i32.
  static Array number(nacre_dtype type, double value);
  int64_t count() const;
  /// A view; the array must outlive it and keep its size.
  nacre_tensor tensor() const;
  /// Elements along all axes but the first, in bytes. Requires rank >= 1.
  int64_t rowBytes() const;
};

struct NamedArray {
  std::string name; ///< empty for the one array of an npy file
  Array array;
};

/// Every array of a file, the kind told by its ending. Errors name the file and what is wrong with it.
llvm::Expected<std::vector<NamedArray>> readArrays(llvm::StringRef path);

/// Writes .npy (exactly one array) or .safetensors: a new file that appears when it is complete.
llvm::Error writeArrays(llvm::StringRef path, llvm::ArrayRef<NamedArray> arrays);

/// The same values as `to` (f32 or i32). Fails, naming `what`, when they cannot be: fractions to i32, integers that do not fit.
llvm::Expected<Array> convert(Array array, nacre_dtype to, llvm::StringRef what);

/// "f32[3, 64]"
std::string describe(const Array &array);

} // namespace nacre::tool
