// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/safetensors.h"
#include "test/runtime/Faults.h"
#include "test/runtime/Files.h"

#include <gtest/gtest.h>

#include <unistd.h>

namespace {

// A file that was opened, or why it was not.
struct Opened {
  explicit Opened(const std::string &path) : path(path), file(nacre_safetensors_open(this->path.c_str(), &error)) {}
  ~Opened() { nacre_safetensors_close(file); }
  Opened(const Opened &) = delete;

  std::string path;
  nacre_error error = {};
  nacre_safetensors *file;
};

std::string entry(const std::string &name, const std::string &type, const std::string &shape, int64_t begin, int64_t end) {
  return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":[" + std::to_string(begin) +
         "," + std::to_string(end) + "]}";
}

} // namespace

TEST(Safetensors, ReadsAFileMadeByHand) {
  Folder folder;
  std::string header = R"({"__metadata__":{"format":"pt","note":"\u00e4"},)" + entry("b", "U8", "[3]", 0, 3) + "," +
                       entry("a", "F32", "[1,2]", 3, 11) + "," + entry("new", "F4", "[2]", 11, 12) + "}  ";
  const float values[] = {1.5f, -2.0f};
  Opened in(folder.write("f", safetensorsFile(header, "\1\2\3" + bytesOf(values) + "z")));
  ASSERT_NE(in.file, nullptr) << in.error.message;
  ASSERT_EQ(nacre_safetensors_count(in.file), 3);
  EXPECT_STREQ(nacre_safetensors_entry(in.file, 0)->name, "a");
  const nacre_entry *a = nacre_safetensors_find(in.file, "a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->rank, 2);
  EXPECT_EQ(a->shape[1], 2);
  EXPECT_EQ(a->dtype, NACRE_F32);
  float read[2]; // the tensor is not aligned in the file
  ASSERT_EQ(nacre_safetensors_read(in.file, a, 0, 8, read, nullptr), NACRE_OK);
  EXPECT_EQ(read[1], -2.0f);
  EXPECT_FALSE(nacre_safetensors_find(in.file, "new")->readable);
  EXPECT_STREQ(nacre_safetensors_find(in.file, "new")->type_name, "F4");
  EXPECT_EQ(nacre_safetensors_find(in.file, "c"), nullptr);
  ASSERT_EQ(nacre_safetensors_metadata_count(in.file), 2);
  EXPECT_STREQ(nacre_safetensors_metadata(in.file, 0)->key, "format");
  EXPECT_STREQ(nacre_safetensors_metadata(in.file, 1)->value, "\xC3\xA4");
}

TEST(Safetensors, ReadsTheEmptyFile) {
  Folder folder;
  Opened in(folder.write("f", safetensorsFile("{}", "")));
  ASSERT_NE(in.file, nullptr) << in.error.message;
  EXPECT_EQ(nacre_safetensors_count(in.file), 0);
  EXPECT_EQ(nacre_safetensors_find(in.file, "a"), nullptr);
}

TEST(Safetensors, AcceptsEmptyTensorsAndScalars) {
  Folder folder;
  std::string header =
      "{" + entry("e", "F32", "[0,5]", 4, 4) + "," + entry("d", "F32", "[0]", 0, 0) + "," + entry("s", "F32", "[]", 0, 4) + "}";
  Opened in(folder.write("f", safetensorsFile(header, "1234")));
  ASSERT_NE(in.file, nullptr) << in.error.message;
  EXPECT_EQ(nacre_safetensors_find(in.file, "s")->rank, 0);
}

TEST(Safetensors, PassesOverFieldsItDoesNotKnow) {
  Folder folder;
  std::string header = R"({"a":{"new":[{"x":1.5}],"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  Opened in(folder.write("f", safetensorsFile(header, "x")));
  EXPECT_NE(in.file, nullptr) << in.error.message;
}

struct BadFile {
  const char *name;
  std::string bytes;
  const char *reason;
};

class BadSafetensors : public testing::TestWithParam<BadFile> {};

TEST_P(BadSafetensors, IsRefusedWithAReason) {
  Folder folder;
  Opened in(folder.write("f", GetParam().bytes));
  ASSERT_EQ(in.file, nullptr);
  EXPECT_EQ(in.error.status, NACRE_ERR_FORMAT);
  EXPECT_EQ(std::string(in.error.message), "'" + in.path + "' is not a valid safetensors file: " + GetParam().reason);
}

static std::string bad(const std::string &header, const std::string &data = "12345678") { return safetensorsFile(header, data); }

INSTANTIATE_TEST_SUITE_P(
    Files, BadSafetensors,
    testing::Values(
        BadFile{"Empty", "", "it is shorter than 8 bytes"}, BadFile{"Short", "1234567", "it is shorter than 8 bytes"},
        BadFile{"HeaderBeyondEnd", littleEndian(100, 8) + "{}", "its header length is beyond the end of the file"},
        BadFile{"HeaderOf2To63", littleEndian(UINT64_C(1) << 63, 8) + "{}", "its header length is beyond the end of the file"},
        BadFile{"NoHeader", littleEndian(0, 8), "its header is not a JSON object"},
        BadFile{"List", bad("[]"), "its header is not a JSON object"},
        BadFile{"Unclosed", bad(R"({"a")"), "its header is malformed"},
        BadFile{"Trailing", bad("{}x", ""), "text follows its header"},
        BadFile{"Hidden", bad("{}"), "bytes follow its last tensor"},
        BadFile{"NegativeOffset", bad(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[-8,0]}})"),
                "tensor 'a' has malformed or negative offsets"},
        BadFile{"OffsetsBackwards", bad("{" + entry("a", "U8", "[0]", 8, 0) + "}"), "tensor 'a' lies beyond the end of the file"},
        BadFile{"BeyondEnd", bad("{" + entry("a", "U8", "[9]", 0, 9) + "}"), "tensor 'a' lies beyond the end of the file"},
        BadFile{"Overlap", bad("{" + entry("a", "U8", "[6]", 0, 6) + "," + entry("b", "U8", "[4]", 4, 8) + "}"),
                "tensor 'b' overlaps another tensor"},
        BadFile{"Gap", bad("{" + entry("a", "U8", "[2]", 0, 2) + "," + entry("b", "U8", "[4]", 4, 8) + "}"),
                "tensor 'b' follows a gap that belongs to no tensor"},
        BadFile{"Huge", bad("{" + entry("a", "F32", "[1152921504606846976]", 0, 8) + "}"),
                "tensor 'a' has offsets that do not match its dtype and shape"},
        BadFile{"Overflow", bad("{" + entry("a", "F32", "[1152921504606846976,1024]", 0, 8) + "}"),
                "tensor 'a' has a shape whose size overflows"},
        BadFile{"WrongSize", bad("{" + entry("a", "F64", "[2]", 0, 8) + "}"),
                "tensor 'a' has offsets that do not match its dtype and shape"},
        BadFile{"NegativeSize", bad("{" + entry("a", "U8", "[-8]", 0, 8) + "}"),
                "tensor 'a' has a malformed shape, a negative size or more than 8 axes"},
        BadFile{"ManyAxes", bad("{" + entry("a", "U8", "[1,1,1,1,1,1,1,1,8]", 0, 8) + "}"),
                "tensor 'a' has a malformed shape, a negative size or more than 8 axes"},
        BadFile{"Twice", bad("{" + entry("a", "U8", "[4]", 0, 4) + "," + entry("a", "U8", "[4]", 4, 8) + "}"),
                "tensor 'a' occurs twice"},
        BadFile{"FieldTwice", bad(R"({"a":{"dtype":"U8","dtype":"U8","shape":[8],"data_offsets":[0,8]}})"),
                "tensor 'a' has a field twice"},
        BadFile{"FieldMissing", bad(R"({"a":{"dtype":"U8","shape":[8]}})"), "tensor 'a' lacks its dtype, shape or offsets"},
        BadFile{"DtypeNumber", bad(R"({"a":{"dtype":1,"shape":[8],"data_offsets":[0,8]}})"), "tensor 'a' has a malformed dtype"},
        BadFile{"NoDescription", bad(R"({"a":1})"), "tensor 'a' has no description"},
        BadFile{"OneOffset", bad(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[8]}})"),
                "tensor 'a' has malformed or negative offsets"},
        BadFile{"ThreeOffsets", bad(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8,8]}})"),
                "tensor 'a' has malformed or negative offsets"},
        BadFile{"Deep", bad(R"({"a":{"x":)" + std::string(100000, '[')), "tensor 'a' has a malformed description"},
        BadFile{"MetadataNumber", bad(R"({"__metadata__":{"a":1}})"), "its metadata is not an object of strings"},
        BadFile{"MetadataUnclosed", bad(R"({"__metadata__":{"a":"b")"), "its metadata is malformed"},
        BadFile{"NameWithZero", bad(R"({"a\u0000":1})"), "its header is malformed"}),
    [](const testing::TestParamInfo<BadFile> &info) { return info.param.name; });

TEST(Safetensors, WritesWhatItReads) {
  Folder folder;
  float wide[] = {1, 2, 3, 4, 5, 6};
  uint8_t narrow[] = {7, 8, 9};
  int64_t longs[] = {-1};
  const nacre_named_tensor tensors[] = {{"b", {wide, NACRE_F32, 2, {2, 3}}},
                                        {"narrow", {narrow, NACRE_U8, 1, {3}}},
                                        {"quote\"\\\n\xC3\xA4", {wide, NACRE_F32, 1, {1}}},
                                        {"long", {longs, NACRE_I64, 0, {}}},
                                        {"a", {nullptr, NACRE_F32, 1, {0}}}};
  const nacre_metadata metadata[] = {{"key", "value"}};
  nacre_error error;
  ASSERT_EQ(nacre_safetensors_write(folder.at("f").c_str(), tensors, 5, metadata, 1, &error), NACRE_OK) << error.message;
  Opened in(folder.at("f"));
  ASSERT_NE(in.file, nullptr) << in.error.message;
  EXPECT_EQ(nacre_safetensors_count(in.file), 5);
  EXPECT_STREQ(nacre_safetensors_metadata(in.file, 0)->value, "value");
  const nacre_entry *first = nacre_safetensors_find(in.file, "long");
  EXPECT_EQ(first->begin % 64, 0);
  const nacre_entry *b = nacre_safetensors_find(in.file, "b");
  EXPECT_EQ(b->begin % 4, 0);
  float read[6];
  ASSERT_EQ(nacre_safetensors_read(in.file, b, 0, 24, read, &error), NACRE_OK);
  EXPECT_EQ(read[5], 6.0f);
  EXPECT_NE(nacre_safetensors_find(in.file, "quote\"\\\n\xC3\xA4"), nullptr);
}

TEST(Safetensors, WritesTheExpectedBytes) {
  Folder folder;
  const float values[] = {1, 2};
  const nacre_named_tensor tensors[] = {{"w", {const_cast<float *>(values), NACRE_F32, 1, {2}}}};
  ASSERT_EQ(nacre_safetensors_write(folder.at("f").c_str(), tensors, 1, nullptr, 0, nullptr), NACRE_OK);
  std::string header = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  header.resize(56, ' ');
  EXPECT_EQ(folder.read("f"), safetensorsFile(header, bytesOf(values)));
}

TEST(Safetensors, RefusesTensorsThatCannotBeWritten) {
  Folder folder;
  nacre_error error;
  std::string path = folder.at("f");
  float x = 0;
  const nacre_named_tensor same[] = {{"a", {&x, NACRE_F32, 0, {}}}, {"a", {&x, NACRE_F32, 0, {}}}};
  EXPECT_EQ(nacre_safetensors_write(path.c_str(), same, 2, nullptr, 0, &error), NACRE_ERR_VALUE);
  EXPECT_STREQ(error.message, "two tensors are named 'a'");
  const nacre_named_tensor reserved[] = {{"__metadata__", {&x, NACRE_F32, 0, {}}}};
  EXPECT_EQ(nacre_safetensors_write(path.c_str(), reserved, 1, nullptr, 0, &error), NACRE_ERR_VALUE);
  const nacre_named_tensor odd[] = {{"a", {&x, NACRE_F32, 1, {-1}}}};
  EXPECT_EQ(nacre_safetensors_write(path.c_str(), odd, 1, nullptr, 0, &error), NACRE_ERR_VALUE);
  EXPECT_EQ(folder.count(), 0);
}

TEST(Safetensors, SaysWhenTheFileShrinks) {
  Folder folder;
  Opened in(folder.write("f", safetensorsFile("{" + entry("a", "U8", "[8]", 0, 8) + "}", "12345678")));
  ASSERT_NE(in.file, nullptr);
  ASSERT_EQ(truncate(in.path.c_str(), 20), 0);
  char bytes[8];
  nacre_error error;
  EXPECT_EQ(nacre_safetensors_read(in.file, nacre_safetensors_find(in.file, "a"), 0, 8, bytes, &error), NACRE_ERR_FORMAT);
}

TEST(Safetensors, SurvivesRefusedMemoryAndReads) {
  Folder folder;
  float x = 3;
  const nacre_named_tensor tensors[] = {{"a", {&x, NACRE_F32, 0, {}}}};
  const nacre_metadata metadata[] = {{"key", "value"}};
  std::string path = folder.at("f");
  auto write = [&] { return nacre_safetensors_write(path.c_str(), tensors, 1, metadata, 1, nullptr) == NACRE_OK; };
  auto open = [&] { return Opened(path).file != nullptr; };
  EXPECT_GE(faults::failEach(faults::Call::Allocate, write), 4);
  EXPECT_EQ(faults::failEach(faults::Call::Allocate, open), 4);
  EXPECT_EQ(faults::failEach(faults::Call::Read, open), 2);
  EXPECT_EQ(folder.count(), 1);
}
