// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/file.h"
#include "test/runtime/Faults.h"
#include "test/runtime/Files.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

static nacre_status writeFile(const std::string &path, const std::string &bytes, nacre_error *error) {
  nacre_new_file file;
  nacre_status status = nacre_new_file_open(&file, path.c_str(), error);
  if (status != NACRE_OK)
    return status;
  status = nacre_new_file_write(&file, bytes.data(), int64_t(bytes.size()), error);
  if (status == NACRE_OK)
    status = nacre_new_file_commit(&file, error);
  nacre_new_file_discard(&file);
  return status;
}

TEST(File, ReadsRanges) {
  Folder folder;
  std::string path = folder.write("a", "0123456789");
  nacre_file file;
  char bytes[4] = {};
  ASSERT_EQ(nacre_file_open(&file, path.c_str(), nullptr), NACRE_OK);
  EXPECT_EQ(file.bytes, 10);
  EXPECT_EQ(nacre_file_read(&file, 6, bytes, 4, nullptr), NACRE_OK);
  EXPECT_EQ(std::string(bytes, 4), "6789");
  EXPECT_EQ(nacre_file_read(&file, 10, bytes, 0, nullptr), NACRE_OK);
  nacre_file_close(&file);
}

TEST(File, SaysWhenItEndsEarly) {
  Folder folder;
  std::string path = folder.write("a", "0123456789");
  nacre_file file;
  nacre_error error;
  char bytes[8];
  ASSERT_EQ(nacre_file_open(&file, path.c_str(), nullptr), NACRE_OK);
  ASSERT_EQ(truncate(path.c_str(), 4), 0);
  EXPECT_EQ(nacre_file_read(&file, 2, bytes, 8, &error), NACRE_ERR_FORMAT);
  EXPECT_EQ(error.message, "'" + path + "' ends early, at byte 4");
  nacre_file_close(&file);
}

TEST(File, SaysWhenItCannotBeReadOrOpened) {
  Folder folder;
  nacre_file file;
  nacre_error error;
  EXPECT_EQ(nacre_file_open(&file, folder.at("none").c_str(), &error), NACRE_ERR_FILE);
  EXPECT_EQ(error.message, "cannot open '" + folder.at("none") + "': No such file or directory");
  EXPECT_EQ(nacre_file_open(&file, folder.at("").c_str(), &error), NACRE_ERR_FILE);
  EXPECT_EQ(error.message, "'" + folder.at("") + "' is not a regular file");
  ASSERT_EQ(mkfifo(folder.at("pipe").c_str(), 0600), 0);
  EXPECT_EQ(nacre_file_open(&file, folder.at("pipe").c_str(), &error), NACRE_ERR_FILE);
  std::string path = folder.write("a", "0123"); // borrowed by the open file
  ASSERT_EQ(nacre_file_open(&file, path.c_str(), &error), NACRE_OK);
  faults::failOnce(faults::Call::Read, 0);
  char bytes[4];
  EXPECT_EQ(nacre_file_read(&file, 0, bytes, 4, &error), NACRE_ERR_FILE);
  nacre_file_close(&file);
}

TEST(NewFile, AppearsWhenComplete) {
  Folder folder;
  nacre_new_file file;
  ASSERT_EQ(nacre_new_file_open(&file, folder.at("a").c_str(), nullptr), NACRE_OK);
  EXPECT_EQ(nacre_new_file_write(&file, "abc", 3, nullptr), NACRE_OK);
  EXPECT_FALSE(std::filesystem::exists(folder.at("a")));
  EXPECT_EQ(nacre_new_file_commit(&file, nullptr), NACRE_OK);
  EXPECT_EQ(folder.read("a"), "abc");
  EXPECT_EQ(folder.count(), 1);
  nacre_new_file_discard(&file);
  EXPECT_EQ(folder.read("a"), "abc");
}

TEST(NewFile, LeavesNothingWhenDiscarded) {
  Folder folder;
  nacre_new_file file;
  ASSERT_EQ(nacre_new_file_open(&file, folder.at("a").c_str(), nullptr), NACRE_OK);
  nacre_new_file_write(&file, "abc", 3, nullptr);
  nacre_new_file_discard(&file);
  EXPECT_EQ(folder.count(), 0);
}

TEST(NewFile, KeepsTheOldOneOnAnyFailure) {
  Folder folder;
  std::string path = folder.write("a", "old");
  nacre_error error;
  for (faults::Call call : {faults::Call::Write, faults::Call::Sync, faults::Call::Rename, faults::Call::Allocate}) {
    faults::failOnce(call, 0);
    nacre_status status = writeFile(path, "new", &error);
    faults::clear();
    EXPECT_EQ(status, call == faults::Call::Allocate ? NACRE_ERR_MEMORY : NACRE_ERR_FILE) << int(call);
    EXPECT_EQ(folder.read("a"), "old");
    EXPECT_EQ(folder.count(), 1);
  }
  EXPECT_EQ(writeFile(path, "new", &error), NACRE_OK);
  EXPECT_EQ(folder.read("a"), "new");
}

TEST(NewFile, KeepsThePermissionsOfTheOldOne) {
  Folder folder;
  std::string path = folder.write("a", "old");
  chmod(path.c_str(), 0600);
  EXPECT_EQ(writeFile(path, "new", nullptr), NACRE_OK);
  struct stat facts;
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST(NewFile, ReplacesRegularFilesOnly) {
  Folder folder;
  nacre_error error;
  EXPECT_EQ(writeFile(folder.at(""), "x", &error), NACRE_ERR_FILE);
  EXPECT_EQ(writeFile("/dev/null", "x", &error), NACRE_ERR_FILE);
  EXPECT_STREQ(error.message, "cannot write '/dev/null': it is not a regular file");
  EXPECT_EQ(writeFile(folder.at("no/such/folder"), "x", &error), NACRE_ERR_FILE);
}

TEST(NewFile, StepsAsideForAnotherWriter) {
  Folder folder;
  std::string path = folder.at("a");
  folder.write("a.tmp-" + std::to_string(getpid()) + "-0", "theirs");
  EXPECT_EQ(writeFile(path, "mine", nullptr), NACRE_OK);
  EXPECT_EQ(folder.read("a"), "mine");
  EXPECT_EQ(folder.count(), 2);
}
