// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A folder that lasts as long as one test, and files as strings of bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

class Folder {
public:
  Folder() {
    std::random_device random;
    path = std::filesystem::temp_directory_path() / ("nacre-test-" + std::to_string(random()) + std::to_string(random()));
    std::filesystem::create_directory(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder &) = delete;

  std::string at(const std::string &name) const { return (path / name).string(); }

  std::string write(const std::string &name, const std::string &bytes) const {
    std::ofstream(at(name), std::ios::binary) << bytes;
    return at(name);
  }

  std::string read(const std::string &name) const {
    std::ifstream in(at(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  int64_t count() const {
    return std::distance(std::filesystem::directory_iterator(path), std::filesystem::directory_iterator());
  }

private:
  std::filesystem::path path;
};

/// The value as so many bytes, least significant first.
inline std::string littleEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i)
    text += char(i < 8 ? value >> (8 * i) : 0);
  return text;
}

/// The bytes of an array as it lies in memory.
template <typename T, size_t N> std::string bytesOf(const T (&values)[N]) {
  return std::string(reinterpret_cast<const char *>(values), sizeof values);
}

/// A safetensors file with this header and data.
inline std::string safetensorsFile(const std::string &header, const std::string &data) {
  return littleEndian(header.size(), 8) + header + data;
}

/// An npy file of version 1 with this dictionary and data, padded as the format asks.
inline std::string npyFile(std::string dictionary, const std::string &data) {
  while ((10 + dictionary.size() + 1) % 64 != 0)
    dictionary += ' ';
  dictionary += '\n';
  return std::string("\x93NUMPY\1\0", 8) + littleEndian(dictionary.size(), 2) + dictionary + data;
}
