// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/crc32.h"
#include "runtime/src/npy.h"
#include "runtime/src/npz.h"
#include "test/runtime/Faults.h"
#include "test/runtime/Files.h"

#include <gtest/gtest.h>

#include <cstring>

// numpy.savez_compressed of squares = arange(40, int16)**2 % 7 and pair = float32 [1.5, -2].
static const unsigned char compressed[] = {
    0x50, 0x4b, 0x03, 0x04, 0x2d, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x21, 0x00, 0x89, 0x37, 0x4e, 0xe3, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0b, 0x00, 0x14, 0x00, 0x73, 0x71, 0x75, 0x61, 0x72, 0x65, 0x73, 0x2e,
    0x6e, 0x70, 0x79, 0x01, 0x00, 0x10, 0x00, 0xd0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x53, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x9b, 0xec, 0x17, 0xea, 0x1b, 0x10, 0xc9, 0xc8, 0x50, 0xc6, 0x50, 0xad, 0x9e, 0x92, 0x5a,
    0x9c, 0x5c, 0xa4, 0x6e, 0xa5, 0xa0, 0x6e, 0x93, 0x69, 0xa4, 0xae, 0xa3, 0xa0, 0x9e, 0x96, 0x5f, 0x54, 0x52, 0x94,
    0x98, 0x17, 0x9f, 0x5f, 0x94, 0x92, 0x0a, 0x12, 0x77, 0x4b, 0xcc, 0x29, 0x4e, 0x05, 0x8a, 0x17, 0x67, 0x24, 0x16,
    0xa4, 0x02, 0xf9, 0x1a, 0x26, 0x06, 0x3a, 0x9a, 0x3a, 0x0a, 0xb5, 0x0a, 0xe4, 0x03, 0x2e, 0x06, 0x06, 0x46, 0x06,
    0x16, 0x06, 0x26, 0x20, 0x64, 0x01, 0xb2, 0x28, 0xe7, 0x01, 0x00, 0x50, 0x4b, 0x03, 0x04, 0x2d, 0x00, 0x00, 0x00,
    0x08, 0x00, 0x00, 0x00, 0x21, 0x00, 0xd6, 0x43, 0x4b, 0x05, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x08,
    0x00, 0x14, 0x00, 0x70, 0x61, 0x69, 0x72, 0x2e, 0x6e, 0x70, 0x79, 0x01, 0x00, 0x10, 0x00, 0x88, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x4b, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x9b, 0xec, 0x17, 0xea, 0x1b, 0x10, 0xc9,
    0xc8, 0x50, 0xc6, 0x50, 0xad, 0x9e, 0x92, 0x5a, 0x9c, 0x5c, 0xa4, 0x6e, 0xa5, 0xa0, 0x6e, 0x93, 0x66, 0xa2, 0xae,
    0xa3, 0xa0, 0x9e, 0x96, 0x5f, 0x54, 0x52, 0x94, 0x98, 0x17, 0x9f, 0x5f, 0x94, 0x92, 0x0a, 0x12, 0x77, 0x4b, 0xcc,
    0x29, 0x4e, 0x05, 0x8a, 0x17, 0x67, 0x24, 0x16, 0xa4, 0x02, 0xf9, 0x1a, 0x46, 0x3a, 0x9a, 0x3a, 0x0a, 0xb5, 0x0a,
    0x14, 0x00, 0x2e, 0x06, 0x86, 0x03, 0xf6, 0x0c, 0x40, 0x02, 0x00, 0x50, 0x4b, 0x01, 0x02, 0x2d, 0x03, 0x2d, 0x00,
    0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x21, 0x00, 0x89, 0x37, 0x4e, 0xe3, 0x53, 0x00, 0x00, 0x00, 0xd0, 0x00, 0x00,
    0x00, 0x0b, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x01, 0x00, 0x00, 0x00, 0x00,
    0x73, 0x71, 0x75, 0x61, 0x72, 0x65, 0x73, 0x2e, 0x6e, 0x70, 0x79, 0x50, 0x4b, 0x01, 0x02, 0x2d, 0x03, 0x2d, 0x00,
    0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x21, 0x00, 0xd6, 0x43, 0x4b, 0x05, 0x4b, 0x00, 0x00, 0x00, 0x88, 0x00, 0x00,
    0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x01, 0x90, 0x00, 0x00, 0x00,
    0x70, 0x61, 0x69, 0x72, 0x2e, 0x6e, 0x70, 0x79, 0x50, 0x4b, 0x05, 0x06, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x02,
    0x00, 0x6f, 0x00, 0x00, 0x00, 0x15, 0x01, 0x00, 0x00, 0x00, 0x00};

namespace {

struct Archive {
  explicit Archive(const std::string &path) : path(path), npz(nacre_npz_open(this->path.c_str(), &error)) {}
  ~Archive() { nacre_npz_close(npz); }
  Archive(const Archive &) = delete;

  /// The status of reading one array, whose first bytes go to `to`.
  nacre_status read(const char *name, void *to = nullptr, size_t bytes = 0) {
    nacre_tensor tensor = {};
    nacre_status status = nacre_npz_read(npz, nacre_npz_find(npz, name), &tensor, &error);
    if (status == NACRE_OK && bytes > 0)
      memcpy(to, tensor.data, bytes);
    nacre_array_free(&tensor);
    return status;
  }

  std::string path;
  nacre_error error = {};
  nacre_npz *npz;
};

/// The parts of a zip archive of one entry, each open to damage.
struct Zip {
  std::string name = "a.npy";
  std::string content = npyFile("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", "abc");
  uint64_t method = 0, flags = 0, localBegin = 0, directoryBegin = 0;
  uint64_t crc, storedBytes, arrayBytes;
  std::string localSignature = "PK\3\4", extra, comment;
  int entries = 1;

  Zip() {
    crc = nacre_crc32(0, content.data(), int64_t(content.size()));
    storedBytes = arrayBytes = content.size();
    directoryBegin = local().size();
  }

  std::string facts() const {
    return littleEndian(20, 2) + littleEndian(flags, 2) + littleEndian(method, 2) + littleEndian(0, 4) + littleEndian(crc, 4) +
           littleEndian(storedBytes, 4) + littleEndian(arrayBytes, 4) + littleEndian(name.size(), 2);
  }
  std::string local() const { return localSignature + facts() + littleEndian(0, 2) + name + content; }
  std::string central() const {
    return "PK\1\2" + littleEndian(20, 2) + facts() + littleEndian(extra.size(), 2) + littleEndian(0, 10) +
           littleEndian(localBegin, 4) + name + extra;
  }
  std::string directory() const {
    std::string all;
    for (int i = 0; i < entries; ++i)
      all += central();
    return all;
  }
  std::string end() const {
    return "PK\5\6" + littleEndian(0, 4) + littleEndian(entries, 2) + littleEndian(entries, 2) +
           littleEndian(directory().size(), 4) + littleEndian(directoryBegin, 4) + littleEndian(comment.size(), 2) + comment;
  }
  std::string bytes() const { return local() + directory() + end(); }
};

std::string reasonFor(const Zip &zip) {
  Folder folder;
  Archive archive(folder.write("z.npz", zip.bytes()));
  if (archive.npz != nullptr && nacre_npz_count(archive.npz) > 0)
    archive.read(nacre_npz_name(archive.npz, 0));
  std::string message = archive.error.message;
  return message.substr(message.find(": ") + 2);
}

} // namespace

TEST(Npz, ReadsWhatNumpyCompressed) {
  Folder folder;
  Archive archive(folder.write("z.npz", std::string(reinterpret_cast<const char *>(compressed), sizeof compressed)));
  ASSERT_NE(archive.npz, nullptr) << archive.error.message;
  ASSERT_EQ(nacre_npz_count(archive.npz), 2);
  EXPECT_STREQ(nacre_npz_name(archive.npz, 0), "squares");
  EXPECT_STREQ(nacre_npz_name(archive.npz, 1), "pair");
  EXPECT_EQ(nacre_npz_find(archive.npz, "none"), -1);
  int16_t squares[40];
  ASSERT_EQ(archive.read("squares", squares, sizeof squares), NACRE_OK) << archive.error.message;
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(squares[i], i * i % 7);
  float pair[2];
  ASSERT_EQ(archive.read("pair", pair, sizeof pair), NACRE_OK) << archive.error.message;
  EXPECT_EQ(pair[1], -2.0f);
}

TEST(Npz, ReadsAnArchiveMadeByHand) {
  Folder folder;
  Zip zip;
  zip.comment = "made by hand";
  Archive archive(folder.write("z.npz", zip.bytes()));
  ASSERT_NE(archive.npz, nullptr) << archive.error.message;
  char text[3];
  ASSERT_EQ(archive.read("a", text, 3), NACRE_OK) << archive.error.message;
  EXPECT_EQ(std::string(text, 3), "abc");
}

TEST(Npz, PassesOverOtherEntries) {
  Folder folder;
  Zip zip;
  zip.name = "notes.txt";
  zip.directoryBegin = zip.local().size();
  Archive archive(folder.write("z.npz", zip.bytes()));
  ASSERT_NE(archive.npz, nullptr) << archive.error.message;
  EXPECT_EQ(nacre_npz_count(archive.npz), 0);
}

TEST(Npz, Reads64BitDirectories) {
  Folder folder;
  Zip zip;
  zip.extra = littleEndian(1, 2) + littleEndian(24, 2) + littleEndian(zip.content.size(), 8) +
              littleEndian(zip.content.size(), 8) + littleEndian(0, 8);
  std::string local = zip.local();
  zip.storedBytes = zip.arrayBytes = zip.localBegin = 0xFFFFFFFF;
  std::string directory = zip.directory();
  std::string end64 = "PK\6\6" + littleEndian(44, 8) + littleEndian(0, 12) + littleEndian(1, 8) + littleEndian(1, 8) +
                      littleEndian(directory.size(), 8) + littleEndian(local.size(), 8);
  std::string locator = "PK\6\7" + littleEndian(0, 4) + littleEndian(local.size() + directory.size(), 8) + littleEndian(1, 4);
  zip.directoryBegin = 0xFFFFFFFF;
  std::string good = local + directory + end64 + locator + zip.end();
  Archive archive(folder.write("z.npz", good));
  ASSERT_NE(archive.npz, nullptr) << archive.error.message;
  char text[3];
  EXPECT_EQ(archive.read("a", text, 3), NACRE_OK) << archive.error.message;
  EXPECT_EQ(text[2], 'c');
  Archive noLocator(folder.write("n.npz", local + directory + end64 + std::string(20, 'x') + zip.end()));
  EXPECT_EQ(noLocator.npz, nullptr);
  locator.replace(8, 8, littleEndian(UINT64_C(1) << 62, 8));
  Archive wild(folder.write("w.npz", local + directory + end64 + locator + zip.end()));
  EXPECT_EQ(wild.npz, nullptr);
  end64.replace(48, 8, littleEndian(~UINT64_C(0), 8));
  locator.replace(8, 8, littleEndian(local.size() + directory.size(), 8));
  Archive outside(folder.write("o.npz", local + directory + end64 + locator + zip.end()));
  EXPECT_EQ(outside.npz, nullptr);
  EXPECT_EQ(outside.error.status, NACRE_ERR_FORMAT);
}

TEST(Npz, RefusesBadArchives) {
  Folder folder;
  for (const char *text : {"", "PK\5\6", "this is no archive at all, but a text"}) {
    Archive archive(folder.write("z.npz", text));
    EXPECT_EQ(archive.npz, nullptr);
    EXPECT_EQ(archive.error.status, NACRE_ERR_FORMAT);
  }
  Archive none(folder.at("none.npz"));
  EXPECT_EQ(none.error.status, NACRE_ERR_FILE);
}

TEST(Npz, RefusesTruncatedArchives) {
  Folder folder;
  std::string whole = Zip().bytes();
  for (size_t size = 0; size < whole.size(); size += 3)
    EXPECT_EQ(Archive(folder.write("z.npz", whole.substr(0, size))).npz, nullptr) << size;
}

TEST(Npz, SaysWhatIsWrong) {
  Zip zip;
  zip.directoryBegin = 1 << 30;
  EXPECT_EQ(reasonFor(zip), "its directory lies outside the file");
  zip = Zip();
  zip.directoryBegin = 3;
  EXPECT_EQ(reasonFor(zip), "its directory is malformed");
  zip = Zip();
  zip.localBegin = 1 << 30;
  EXPECT_EQ(reasonFor(zip), "an entry lies outside the file");
  zip = Zip();
  zip.localBegin = zip.bytes().size() - zip.storedBytes;
  EXPECT_EQ(reasonFor(zip), "array 'a' has no local header");
  zip = Zip();
  zip.storedBytes = zip.arrayBytes = zip.bytes().size();
  EXPECT_EQ(reasonFor(zip), "array 'a' lies outside the file");
  zip = Zip();
  zip.extra = littleEndian(1, 2) + littleEndian(50, 2);
  EXPECT_EQ(reasonFor(zip), "an entry lies outside the file");
  zip = Zip();
  zip.entries = 2;
  EXPECT_EQ(reasonFor(zip), "array 'a' occurs twice");
  zip = Zip();
  zip.localSignature = "PK\3\5";
  EXPECT_EQ(reasonFor(zip), "array 'a' has no local header");
  zip = Zip();
  zip.crc ^= 1;
  EXPECT_EQ(reasonFor(zip), "array 'a' does not have its checksum");
  zip = Zip();
  zip.flags = 1;
  EXPECT_EQ(reasonFor(zip), "array 'a' is encrypted");
  zip = Zip();
  zip.method = 12;
  EXPECT_EQ(reasonFor(zip), "array 'a' is neither stored nor deflated");
  zip = Zip();
  zip.method = 8;
  EXPECT_EQ(reasonFor(zip), "array 'a' is not a valid deflate stream");
  zip = Zip();
  zip.arrayBytes += 1;
  EXPECT_EQ(reasonFor(zip), "array 'a' has a size that its data cannot have");
  zip = Zip();
  zip.method = 8;
  zip.arrayBytes = 0xFFFFFFF0;
  EXPECT_EQ(reasonFor(zip), "array 'a' has a size that its data cannot have");
}

TEST(Npz, SaysWhenAnArrayIsNoNpy) {
  Zip zip;
  zip.content[0] = 'x';
  zip.crc = nacre_crc32(0, zip.content.data(), int64_t(zip.content.size()));
  EXPECT_EQ(reasonFor(zip), "it does not begin with an npy header");
}

TEST(Npz, WritesWhatItReads) {
  Folder folder;
  const float x[] = {1, 2, 3, 4};
  const int32_t y[] = {7};
  const char *names[] = {"x", "y", "empty"};
  const nacre_tensor tensors[] = {{const_cast<float *>(x), NACRE_F32, 2, {2, 2}},
                                  {const_cast<int32_t *>(y), NACRE_I32, 1, {1}},
                                  {nullptr, NACRE_I8, 1, {0}}};
  nacre_error error;
  ASSERT_EQ(nacre_npz_write(folder.at("z.npz").c_str(), names, tensors, 3, &error), NACRE_OK) << error.message;
  Archive archive(folder.at("z.npz"));
  ASSERT_NE(archive.npz, nullptr) << archive.error.message;
  ASSERT_EQ(nacre_npz_count(archive.npz), 3);
  float read[4];
  ASSERT_EQ(archive.read("x", read, sizeof read), NACRE_OK) << archive.error.message;
  EXPECT_EQ(memcmp(read, x, sizeof x), 0);
  EXPECT_EQ(archive.read("empty"), NACRE_OK);
  std::string first = folder.read("z.npz");
  nacre_npz_write(folder.at("z.npz").c_str(), names, tensors, 3, nullptr);
  EXPECT_EQ(folder.read("z.npz"), first);
}

TEST(Npz, WritesAnEmptyArchive) {
  Folder folder;
  ASSERT_EQ(nacre_npz_write(folder.at("z.npz").c_str(), nullptr, nullptr, 0, nullptr), NACRE_OK);
  Archive archive(folder.at("z.npz"));
  ASSERT_NE(archive.npz, nullptr);
  EXPECT_EQ(nacre_npz_count(archive.npz), 0);
}

TEST(Npz, RefusesWhatCannotBeWritten) {
  Folder folder;
  nacre_error error;
  std::string path = folder.at("z.npz");
  const float x = 0;
  const char *same[] = {"x", "x"};
  nacre_tensor pair[] = {{const_cast<float *>(&x), NACRE_F32, 0, {}}, {const_cast<float *>(&x), NACRE_F32, 0, {}}};
  EXPECT_EQ(nacre_npz_write(path.c_str(), same, pair, 2, &error), NACRE_ERR_VALUE);
  EXPECT_EQ(error.message, "cannot write array 'x' to '" + path + "': the name occurs twice");
  pair[0].dtype = NACRE_BF16;
  EXPECT_EQ(nacre_npz_write(path.c_str(), same, pair, 1, &error), NACRE_ERR_VALUE);
  pair[0] = {nullptr, NACRE_I8, 1, {INT64_C(1) << 32}};
  EXPECT_EQ(nacre_npz_write(path.c_str(), same, pair, 1, &error), NACRE_ERR_VALUE);
  EXPECT_EQ(error.message, "cannot write array 'x' to '" + path + "': archives of 4 GiB or more are not written");
  EXPECT_EQ(folder.count(), 0);
}

TEST(Npz, SurvivesRefusedMemoryAndCalls) {
  Folder folder;
  std::string path = folder.at("z.npz");
  const float x = 1;
  const char *names[] = {"x"};
  const nacre_tensor tensors[] = {{const_cast<float *>(&x), NACRE_F32, 0, {}}};
  auto write = [&] { return nacre_npz_write(path.c_str(), names, tensors, 1, nullptr) == NACRE_OK; };
  EXPECT_GE(faults::failEach(faults::Call::Allocate, write), 4);
  EXPECT_EQ(faults::failEach(faults::Call::Write, write), 4);
  auto read = [&] {
    Archive archive(path);
    return archive.npz != nullptr && archive.read("x") == NACRE_OK;
  };
  EXPECT_EQ(faults::failEach(faults::Call::Allocate, read), 6);
  EXPECT_EQ(faults::failEach(faults::Call::Read, read), 4);
  EXPECT_EQ(folder.count(), 1);
}
