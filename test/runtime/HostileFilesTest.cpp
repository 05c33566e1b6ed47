// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Valid files with random damage: every reader ends, and reads nothing out of bounds (the sanitizer builds see to that).
#include "runtime/src/npy.h"
#include "runtime/src/npz.h"
#include "runtime/src/safetensors.h"
#include "test/runtime/Files.h"

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <unistd.h>

static void readSafetensors(const char *path) {
  nacre_safetensors *file = nacre_safetensors_open(path, nullptr);
  if (file == nullptr)
    return;
  for (int64_t i = 0; i < nacre_safetensors_count(file); ++i) {
    const nacre_entry *entry = nacre_safetensors_entry(file, i);
    std::string bytes(size_t(entry->bytes), 0);
    EXPECT_EQ(nacre_safetensors_read(file, entry, 0, entry->bytes, bytes.data(), nullptr), NACRE_OK);
  }
  nacre_safetensors_close(file);
}

static void readNpy(const char *path) {
  nacre_tensor tensor = {};
  nacre_npy_read(path, &tensor, nullptr);
  nacre_array_free(&tensor);
}

static void readNpz(const char *path) {
  nacre_npz *npz = nacre_npz_open(path, nullptr);
  if (npz == nullptr)
    return;
  for (int64_t i = 0; i < nacre_npz_count(npz); ++i) {
    nacre_tensor tensor = {};
    nacre_npz_read(npz, i, &tensor, nullptr);
    nacre_array_free(&tensor);
  }
  nacre_npz_close(npz);
}

// Flips bits, overwrites bytes with telling ones, cuts the end.
static std::string damage(std::string bytes, std::mt19937 &random) {
  static const char telling[] = {'\0', '\xFF', '\x7F', '\x80', '"', '{', '[', '-', '9', ','};
  for (int i = 0; i < 1 + int(random() % 4); ++i) {
    char &byte = bytes[random() % bytes.size()];
    byte = random() % 2 == 0 ? char(byte ^ 1 << random() % 8) : telling[random() % sizeof telling];
  }
  if (random() % 4 == 0)
    bytes.resize(1 + random() % bytes.size());
  return bytes;
}

// A file in memory: writing thousands of real ones takes seconds.
class MemoryFile {
public:
  MemoryFile() : descriptor(memfd_create("hostile", 0)), path("/proc/self/fd/" + std::to_string(descriptor)) {}
  ~MemoryFile() { close(descriptor); }
  MemoryFile(const MemoryFile &) = delete;

  const char *hold(const std::string &bytes) {
    EXPECT_EQ(ftruncate(descriptor, off_t(bytes.size())), 0);
    EXPECT_EQ(pwrite(descriptor, bytes.data(), bytes.size(), 0), ssize_t(bytes.size()));
    return path.c_str();
  }

private:
  int descriptor;
  std::string path;
};

static void readDamaged(const std::string &whole, void (*read)(const char *)) {
  MemoryFile file;
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round)
    read(file.hold(damage(whole, random)));
}

class HostileFiles : public testing::Test {
protected:
  Folder folder;
  float values[6] = {1, 2, 3, 4, 5, 6};
  nacre_tensor matrix = {values, NACRE_F32, 2, {2, 3}};
  nacre_tensor vector = {values, NACRE_F32, 1, {6}};
};

TEST_F(HostileFiles, Safetensors) {
  const nacre_named_tensor tensors[] = {{"a.b", matrix}, {"c\xC3\xA4", vector}};
  const nacre_metadata metadata[] = {{"format", "pt"}};
  ASSERT_EQ(nacre_safetensors_write(folder.at("f").c_str(), tensors, 2, metadata, 1, nullptr), NACRE_OK);
  readDamaged(folder.read("f"), readSafetensors);
}

TEST_F(HostileFiles, Npy) {
  ASSERT_EQ(nacre_npy_write(folder.at("f").c_str(), &matrix, nullptr), NACRE_OK);
  std::string whole = folder.read("f");
  readDamaged(whole, readNpy);
  whole.replace(whole.find("False"), 5, "True ");
  readDamaged(whole, readNpy);
}

TEST_F(HostileFiles, Npz) {
  const char *names[] = {"x", "y"};
  const nacre_tensor tensors[] = {matrix, vector};
  ASSERT_EQ(nacre_npz_write(folder.at("f").c_str(), names, tensors, 2, nullptr), NACRE_OK);
  readDamaged(folder.read("f"), readNpz);
}
