// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Array.h"
#include "compiler/tools/nacre/Select.h"

#include "llvm/Support/FileSystem.h"
#include <gtest/gtest.h>

#include <cstring>

using namespace nacre::tool;

namespace {

Array floats(std::vector<int64_t> shape, std::vector<float> values) {
  Array array = Array::zeros(NACRE_F32, std::move(shape));
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

std::string problemOf(llvm::Expected<Array> array) { return array ? "" : llvm::toString(array.takeError()); }

TEST(Select, PicksAMemberOrAPrefix) {
  Array stack = floats({2, 1, 2}, {1, 2, 3, 4});
  EXPECT_EQ(valuesText(llvm::cantFail(selectWidth(stack, {4, 8}, 8, "z"))), "[[3, 4]]");
  Array plain = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(valuesText(llvm::cantFail(selectWidth(plain, {}, 2, "z"))), "[[1, 2], [4, 5]]");
  EXPECT_EQ(problemOf(selectWidth(stack, {4, 8}, 6, "z")), "expected a width of 'z' (4, 8), but got 6");
  EXPECT_EQ(problemOf(selectWidth(plain, {}, 4, "z")), "expected a last axis of at least 4 in 'z' for --width, but got f32[2, 3]");
}

TEST(Select, EmptyArraysHaveText) {
  EXPECT_EQ(valuesText(floats({0, 3}, {})), "[]");
  EXPECT_EQ(valuesText(floats({}, {2.5f})), "2.5");
  EXPECT_EQ(llvm::cantFail(selectWidth(floats({0, 3}, {}), {}, 2, "z")).shape, (std::vector<int64_t>{0, 2}));
}

TEST(Array, ConvertsWhatCanBeConverted) {
  Array wide = Array::zeros(NACRE_I64, {2});
  int64_t values[2] = {3, int64_t(1) << 40};
  std::memcpy(wide.bytes.data(), values, sizeof values);
  EXPECT_EQ(problemOf(convert(wide, NACRE_I32, "'y'")),
            "expected 'y' to hold values that fit into i32, but the value at position 1 does not");
  EXPECT_EQ(valuesText(llvm::cantFail(convert(wide, NACRE_F32, "'y'"))), "[3, 1.09951e+12]");
  EXPECT_EQ(problemOf(convert(floats({1}, {1}), NACRE_I32, "'y'")), "expected 'y' to hold i32, but got f32[1]");
}

TEST(Array, EveryKindOfFileKeepsNamesAndValues) {
  llvm::SmallString<128> folder;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("nacre-array-test", folder));
  std::vector<NamedArray> two = {{"a", floats({2}, {1, 2})}, {"b", floats({1, 1}, {3})}};
  for (const char *name : {"/x.npz", "/x.safetensors"}) {
    std::string path = folder.str().str() + name;
    ASSERT_FALSE(bool(writeArrays(path, two)));
    auto read = readArrays(path);
    ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
    ASSERT_EQ(read->size(), 2u);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ((*read)[i].name, two[i].name);
      EXPECT_EQ((*read)[i].array.shape, two[i].array.shape);
      EXPECT_EQ((*read)[i].array.bytes, two[i].array.bytes);
    }
  }
  std::string path = folder.str().str() + "/x.npy";
  EXPECT_EQ(llvm::toString(writeArrays(path, two)), "expected one array for '" + path + "', but got 2; write them to .npz or .safetensors");
  ASSERT_FALSE(bool(writeArrays(path, two[0])));
  EXPECT_EQ(valuesText(llvm::cantFail(readArrays(path))[0].array), "[1, 2]");
  llvm::sys::fs::remove_directories(folder);
}

} // namespace
