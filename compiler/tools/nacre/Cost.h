// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one call of a function costs at given dims, from the polynomials of a manifest.
#pragma once

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <map>
#include <string>
#include <vector>

namespace nacre::tool {

using DimValues = std::map<std::string, int64_t>;

/// The bound of every dim of the manifest, or what `list` ("B=128,T=64") says. Fails on a name or a value that the model lacks.
llvm::Expected<DimValues> chooseDims(const llvm::json::Object &manifest, llvm::StringRef list);

/// One launch, with what the manifest says of its kernel.
struct LaunchCost {
  std::string kernel, skeleton, place; ///< place: "digits.nacre:19", or empty
  std::vector<std::string> operators;
  int64_t operations = 0, bytes = 0;
};

/// The launches of a function in order. Fails on a manifest that holds something else than sizes.
llvm::Expected<std::vector<LaunchCost>> launchCosts(const llvm::json::Object &manifest, const llvm::json::Object &function,
                                                    const DimValues &dims);

struct FunctionCost {
  int64_t operations = 0, bytes = 0, arenaBytes = 0, bufferBytes = 0, launches = 0;
  std::map<std::string, int64_t> skeletons; ///< launches by the skeleton of their kernel
};

/// Fails on a manifest that holds something else than sizes.
llvm::Expected<FunctionCost> costOf(const llvm::json::Object &manifest, const llvm::json::Object &function, const DimValues &dims);

/// "512", "8.4 K", "1.25 G": powers of 1000.
std::string shortNumber(int64_t value);

/// The entry of a function in the manifest, or null.
const llvm::json::Object *functionEntry(const llvm::json::Object &manifest, llvm::StringRef name);

} // namespace nacre::tool
