// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/npy.h"
#include "test/runtime/Faults.h"
#include "test/runtime/Files.h"

#include <gtest/gtest.h>

#include <cstring>

namespace {

struct Array {
  explicit Array(const std::string &path) : path(path), status(nacre_npy_read(this->path.c_str(), &tensor, &error)) {}
  ~Array() { nacre_array_free(&tensor); }
  Array(const Array &) = delete;

  template <typename T> T at(int64_t i) const { return static_cast<const T *>(tensor.data)[i]; }

  std::string path;
  nacre_error error = {};
  nacre_tensor tensor = {};
  nacre_status status;
};

std::string dictionary(const std::string &type, const std::string &order, const std::string &shape) {
  return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

} // namespace

TEST(Npy, ReadsAFileMadeByHand) {
  Folder folder;
  const float values[] = {1, 2, 3, 4, 5, 6};
  Array array(folder.write("a.npy", npyFile(dictionary("<f4", "False", "(2, 3)"), bytesOf(values))));
  ASSERT_EQ(array.status, NACRE_OK) << array.error.message;
  EXPECT_EQ(array.tensor.dtype, NACRE_F32);
  EXPECT_EQ(array.tensor.rank, 2);
  EXPECT_EQ(array.tensor.shape[1], 3);
  EXPECT_EQ(array.at<float>(5), 6.0f);
}

TEST(Npy, ReadsEveryType) {
  const std::pair<const char *, nacre_dtype> types[] = {{"<f4", NACRE_F32}, {"<f8", NACRE_F64}, {"<f2", NACRE_F16},
                                                        {"<i4", NACRE_I32}, {"<i8", NACRE_I64}, {"<i2", NACRE_I16},
                                                        {"|i1", NACRE_I8},  {"|u1", NACRE_U8},  {"|b1", NACRE_BOOL}};
  Folder folder;
  for (auto [name, type] : types) {
    int bytes = name[2] - '0';
    Array array(folder.write("a.npy", npyFile(dictionary(name, "False", "(2,)"), std::string(size_t(2 * bytes), 1))));
    ASSERT_EQ(array.status, NACRE_OK) << array.error.message;
    EXPECT_EQ(array.tensor.dtype, type);
  }
}

TEST(Npy, TurnsFortranOrder) {
  Folder folder;
  const int16_t values[] = {111, 211, 121, 221, 131, 231, 112, 212, 122, 222, 132, 232}; // [2, 3, 2]
  Array array(folder.write("a.npy", npyFile(dictionary("<i2", "True", "(2, 3, 2)"), bytesOf(values))));
  ASSERT_EQ(array.status, NACRE_OK) << array.error.message;
  const int16_t expected[] = {111, 112, 121, 122, 131, 132, 211, 212, 221, 222, 231, 232};
  EXPECT_EQ(memcmp(array.tensor.data, expected, sizeof expected), 0);
}

TEST(Npy, ReadsVersions2And3) {
  Folder folder;
  for (char version : {'\2', '\3'}) {
    std::string text = dictionary("|u1", "False", "()") + "\n";
    std::string head = std::string("\x93NUMPY") + version + '\0' + littleEndian(text.size(), 4);
    Array array(folder.write("a.npy", head + text + "\x2A"));
    ASSERT_EQ(array.status, NACRE_OK) << array.error.message;
    EXPECT_EQ(array.at<uint8_t>(0), 42);
    EXPECT_EQ(array.tensor.rank, 0);
  }
}

TEST(Npy, ReadsKeysInAnyOrderAndWithoutTheLastComma) {
  Folder folder;
  Array array(folder.write("a.npy", npyFile("{\"shape\":(0,3),\"descr\":\"<f4\",\"fortran_order\":True}", "")));
  EXPECT_EQ(array.status, NACRE_OK) << array.error.message;
  EXPECT_EQ(array.tensor.shape[1], 3);
}

struct BadNpyFile {
  const char *name;
  std::string bytes;
  const char *reason;
};

class BadNpy : public testing::TestWithParam<BadNpyFile> {};

TEST_P(BadNpy, IsRefusedWithAReason) {
  Folder folder;
  Array array(folder.write("a.npy", GetParam().bytes));
  EXPECT_EQ(array.status, NACRE_ERR_FORMAT);
  EXPECT_EQ(array.tensor.data, nullptr);
  EXPECT_EQ(std::string(array.error.message), "'" + array.path + "' is not a valid npy file: " + GetParam().reason);
}

static const char *const noHeader = "it does not begin with an npy header";
static const char *const malformed = "its header is malformed";
static const char *const badType = "its type is none of f2 f4 f8 i1 i2 i4 i8 u1 b1, little-endian";
static const char *const badShape = "its shape is malformed, has a negative size or more than 8 axes";

INSTANTIATE_TEST_SUITE_P(
    Files, BadNpy,
    testing::Values(
        BadNpyFile{"Empty", "", noHeader}, BadNpyFile{"Magic", "\x93NUMPX______________", noHeader},
        BadNpyFile{"Version", std::string("\x93NUMPY\4\0\2\0\0\0{}", 14), noHeader},
        BadNpyFile{"LongHeader", std::string("\x93NUMPY\1\0\xFF\xFF{}", 12), noHeader},
        BadNpyFile{"HugeHeader", std::string("\x93NUMPY\2\0\xFF\xFF\xFF\xFF{}", 14), noHeader},
        BadNpyFile{"NotADictionary", npyFile("[]", ""), malformed}, BadNpyFile{"NoKeys", npyFile("{}", ""), malformed},
        BadNpyFile{"Unclosed", npyFile("{'descr': '<f4'", ""), malformed},
        BadNpyFile{"Trailing", npyFile(dictionary("<f4", "False", "(0,)") + "x", ""), malformed},
        BadNpyFile{"BigEndian", npyFile(dictionary(">f4", "False", "(1,)"), "1234"), badType},
        BadNpyFile{"Pickle", npyFile(dictionary("|O", "False", "(1,)"), "1234"), badType},
        BadNpyFile{"Structured", npyFile("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234"), badType},
        BadNpyFile{"Order", npyFile(dictionary("<f4", "Maybe", "(1,)"), "1234"), "its order is neither True nor False"},
        BadNpyFile{"Negative", npyFile(dictionary("<f4", "False", "(-1,)"), "1234"), badShape},
        BadNpyFile{"Number", npyFile(dictionary("<f4", "False", "(1)"), "1234"), badShape},
        BadNpyFile{"ManyAxes", npyFile(dictionary("<f4", "False", "(1,1,1,1,1,1,1,1,1)"), "1234"), badShape},
        BadNpyFile{"HugeNumber", npyFile(dictionary("<f4", "False", "(99999999999999999999,)"), "1234"), badShape},
        BadNpyFile{"Key", npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", "1234"),
                   "its header has an unknown or repeated key"},
        BadNpyFile{"KeyTwice", npyFile("{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}", "1234"),
                   "its header has an unknown or repeated key"},
        BadNpyFile{"Overflow", npyFile(dictionary("<f4", "False", "(1152921504606846976, 1024)"), "1234"), "its size overflows"},
        BadNpyFile{"Huge", npyFile(dictionary("<f4", "False", "(1152921504606846976,)"), "1234"),
                   "it ends before its last element"},
        BadNpyFile{"Truncated", npyFile(dictionary("<f4", "False", "(2,)"), "1234567"), "it ends before its last element"},
        BadNpyFile{"Trailing_data", npyFile(dictionary("<f4", "False", "(1,)"), "12345"), "bytes follow its last element"}),
    [](const testing::TestParamInfo<BadNpyFile> &info) { return info.param.name; });

TEST(Npy, WritesTheExpectedBytes) {
  Folder folder;
  const float values[] = {1, 2, 3, 4, 5, 6};
  const std::pair<std::string, nacre_tensor> cases[] = {{"(2, 3)", {const_cast<float *>(values), NACRE_F32, 2, {2, 3}}},
                                                        {"(6,)", {const_cast<float *>(values), NACRE_F32, 1, {6}}}};
  for (const auto &[shape, tensor] : cases) {
    ASSERT_EQ(nacre_npy_write(folder.at("a.npy").c_str(), &tensor, nullptr), NACRE_OK);
    EXPECT_EQ(folder.read("a.npy"), npyFile(dictionary("<f4", "False", shape), bytesOf(values)));
  }
}

TEST(Npy, WritesScalarsAndEmptyArrays) {
  Folder folder;
  int64_t seven = 7;
  nacre_tensor scalar = {&seven, NACRE_I64, 0, {}};
  ASSERT_EQ(nacre_npy_write(folder.at("s.npy").c_str(), &scalar, nullptr), NACRE_OK);
  EXPECT_EQ(Array(folder.at("s.npy")).at<int64_t>(0), 7);
  nacre_tensor empty = {nullptr, NACRE_F32, 2, {0, 4}};
  ASSERT_EQ(nacre_npy_write(folder.at("e.npy").c_str(), &empty, nullptr), NACRE_OK);
  Array array(folder.at("e.npy"));
  EXPECT_EQ(array.status, NACRE_OK);
  EXPECT_EQ(array.tensor.shape[1], 4);
}

TEST(Npy, RefusesWhatTheFormatLacks) {
  Folder folder;
  nacre_error error;
  uint16_t x = 0;
  nacre_tensor tensor = {&x, NACRE_BF16, 0, {}};
  EXPECT_EQ(nacre_npy_write(folder.at("a.npy").c_str(), &tensor, &error), NACRE_ERR_VALUE);
  EXPECT_EQ(error.message, "cannot write '" + folder.at("a.npy") + "': npy files have no type bf16");
  tensor = {&x, NACRE_I8, 1, {-1}};
  EXPECT_EQ(nacre_npy_write(folder.at("a.npy").c_str(), &tensor, &error), NACRE_ERR_VALUE);
  EXPECT_EQ(folder.count(), 0);
}

TEST(Npy, SurvivesRefusedMemoryAndCalls) {
  Folder folder;
  std::string path = folder.at("a.npy");
  float values[4] = {};
  nacre_tensor tensor = {values, NACRE_F32, 2, {2, 2}};
  auto write = [&] { return nacre_npy_write(path.c_str(), &tensor, nullptr) == NACRE_OK; };
  EXPECT_GE(faults::failEach(faults::Call::Allocate, write), 3);
  EXPECT_EQ(faults::failEach(faults::Call::Write, write), 2);
  folder.write("a.npy", npyFile(dictionary("<f4", "True", "(2, 2)"), std::string(16, 0)));
  auto read = [&] { return Array(path).status == NACRE_OK; };
  EXPECT_EQ(faults::failEach(faults::Call::Allocate, read), 2);
  EXPECT_EQ(faults::failEach(faults::Call::Read, read), 1);
  EXPECT_EQ(folder.count(), 1);
}
