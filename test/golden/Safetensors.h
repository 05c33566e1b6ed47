// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads a golden case. Written for these files alone and apart from the runtime's loader, which must not judge itself.
#pragma once

#include "dialects/Nacre/Reference/Array.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <map>
#include <string>

namespace nacre::test {

struct GoldenTensor {
  Array values;
  bool isInteger = false;
};

struct GoldenCase {
  std::string name, op;
  llvm::json::Object attributes;
  std::map<std::string, GoldenTensor> tensors; ///< by their whole name: "in.x"

  const GoldenTensor *find(llvm::StringRef tensor) const {
    auto found = tensors.find(tensor.str());
    return found == tensors.end() ? nullptr : &found->second;
  }
};

/// F32, F64 and I32 tensors, aligned or not. Fails with a sentence on anything else.
llvm::Expected<GoldenCase> readGoldenCase(llvm::StringRef path);

} // namespace nacre::test
