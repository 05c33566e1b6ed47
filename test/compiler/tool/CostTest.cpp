// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Cost.h"

#include <gtest/gtest.h>

using namespace nacre::tool;

namespace {

llvm::json::Value manifest(llvm::StringRef operations) {
  return llvm::cantFail(llvm::json::parse(R"({"dims": [{"name": "B", "bound": 8}, {"name": "T", "bound": 4}],
    "kernels": [{"name": "k", "skeleton": "contract"}],
    "functions": [{"arena_bytes": "64*B", "buffer_bytes": "64*B*T", "launches": [
      {"kernel": "k", "operations": ")" + operations.str() +
                                          R"(", "bytes": "12"}, {"kernel": "k", "operations": "T", "bytes": "B"}]}]})"));
}

llvm::Expected<FunctionCost> costAt(const llvm::json::Value &value, llvm::StringRef dims) {
  const llvm::json::Object &object = *value.getAsObject();
  auto chosen = chooseDims(object, dims);
  if (!chosen) return chosen.takeError();
  return costOf(object, *(*object.getArray("functions"))[0].getAsObject(), *chosen);
}

TEST(Cost, EvaluatesAtTheBoundsOrAtChosenDims) {
  FunctionCost bounds = llvm::cantFail(costAt(manifest("2*B*T"), ""));
  EXPECT_EQ(bounds.operations, 2 * 8 * 4 + 4);
  EXPECT_EQ(bounds.bytes, 12 + 8);
  EXPECT_EQ(bounds.arenaBytes, 64 * 8);
  EXPECT_EQ(bounds.skeletons.at("contract"), 2);
  FunctionCost chosen = llvm::cantFail(costAt(manifest("2*B*T"), "B=3"));
  EXPECT_EQ(chosen.operations, 2 * 3 * 4 + 4);
  EXPECT_EQ(chosen.bufferBytes, 64 * 3 * 4);
}

TEST(Cost, RefusesWhatIsNoSize) {
  for (const char *text : {"2*C", "B*", "x y"}) {
    auto cost = costAt(manifest(text), "");
    ASSERT_FALSE(bool(cost)) << text;
    EXPECT_EQ(llvm::toString(cost.takeError()), "expected a size in 'operations' of the manifest");
  }
}

TEST(Cost, NumbersAreShort) {
  EXPECT_EQ(shortNumber(0), "0");
  EXPECT_EQ(shortNumber(999), "999");
  EXPECT_EQ(shortNumber(1500), "1.50 K");
  EXPECT_EQ(shortNumber(280070000000), "280.07 G");
}

} // namespace
