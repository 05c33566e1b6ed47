// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/inflate.h"
#include "runtime/src/crc32.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

using Bytes = std::vector<unsigned char>;

// Memory of exactly the size on both sides, so that a sanitizer sees one byte too many.
static bool inflates(const Bytes &source, const std::string &expected) {
  std::unique_ptr<unsigned char[]> from(new unsigned char[source.size()]);
  std::unique_ptr<char[]> to(new char[expected.size()]);
  std::copy(source.begin(), source.end(), from.get());
  return nacre_inflate(from.get(), source.size(), to.get(), expected.size()) &&
         std::string(to.get(), expected.size()) == expected;
}

static const Bytes stored = {0x01, 0x06, 0x00, 0xf9, 0xff, 's', 't', 'o', 'r', 'e', 'd'};
static const Bytes fixedCodes = {0x4b, 0x4c, 0x4a, 0x4e, 0x44, 0x45, 0x00};

// "0,1,4,...": the squares of 0..399 modulo 97, compressed with dynamic codes by zlib at level 9.
static const Bytes dynamicCodes = {
    0xed, 0x90, 0xdb, 0x8d, 0xc5, 0x20, 0x0c, 0x05, 0x1b, 0x9a, 0x8f, 0xd8, 0x06, 0x03, 0xfd, 0x37, 0xb6, 0x03, 0x3d,
    0xec, 0xdf, 0x95, 0x22, 0x94, 0x84, 0xf3, 0xfe, 0x08, 0x06, 0x87, 0x68, 0x72, 0x52, 0xcd, 0x38, 0xf4, 0x60, 0x07,
    0x45, 0x0e, 0xc6, 0x62, 0x25, 0x49, 0x05, 0x9d, 0x1c, 0x11, 0xc5, 0xfa, 0x88, 0x64, 0x16, 0x47, 0xb4, 0x5c, 0x05,
    0x7c, 0x1f, 0xcc, 0x8f, 0x4d, 0x4f, 0x72, 0xb1, 0x37, 0x73, 0x90, 0xc9, 0x56, 0x4d, 0xa9, 0x49, 0x04, 0xbb, 0x69,
    0x19, 0x9b, 0x4a, 0x42, 0x24, 0xa7, 0xd8, 0x93, 0x75, 0x58, 0x9e, 0xf5, 0x9e, 0xf7, 0xe9, 0x4f, 0xaf, 0xfa, 0x82,
    0x84, 0x4a, 0x90, 0x26, 0x39, 0x9e, 0x90, 0x72, 0x8a, 0x2a, 0xad, 0x81, 0x36, 0x9a, 0x69, 0xb9, 0xaf, 0xb9, 0x11,
    0x6e, 0x90, 0x78, 0xa1, 0xfa, 0x06, 0x34, 0xa6, 0x61, 0x8d, 0x6c, 0xf0, 0x7e, 0x25, 0xf2, 0xd6, 0xb1, 0x94, 0xd5,
    0xea, 0x96, 0xb4, 0xaa, 0x85, 0xeb, 0x95, 0x77, 0x82, 0xe3, 0x16, 0xc1, 0xf7, 0xdb, 0xe4, 0xb7, 0xc9, 0x6f, 0x93,
    0xff, 0xd8, 0xe4, 0x0f};

static std::string squares() {
  std::string text;
  for (int i = 0; i < 400; ++i)
    text += std::to_string(i * i % 97) + ",";
  return text;
}

TEST(Inflate, ReadsEveryKindOfBlock) {
  EXPECT_TRUE(inflates(stored, "stored"));
  EXPECT_TRUE(inflates(fixedCodes, "abcabcabcabcabcabc"));
  EXPECT_TRUE(inflates(dynamicCodes, squares()));
}

TEST(Inflate, ReadsSeveralBlocks) {
  Bytes both = stored;
  both[0] = 0x00; // not the last
  both.insert(both.end(), fixedCodes.begin(), fixedCodes.end());
  EXPECT_TRUE(inflates(both, "storedabcabcabcabcabcabc"));
}

TEST(Inflate, ReadsTheEmptyStream) { EXPECT_TRUE(inflates({0x03, 0x00}, "")); }

TEST(Inflate, WantsTheExactSize) {
  EXPECT_FALSE(inflates(fixedCodes, "abcabcabcabcabcab"));
  EXPECT_FALSE(inflates(fixedCodes, "abcabcabcabcabcabca"));
  EXPECT_FALSE(inflates(stored, "store"));
}

TEST(Inflate, RefusesTruncatedStreams) {
  for (const auto &[source, text] : {std::pair(stored, std::string("stored")), {dynamicCodes, squares()}})
    for (size_t size = 0; size < source.size(); ++size)
      EXPECT_FALSE(inflates(Bytes(source.begin(), source.begin() + long(size)), text)) << size;
}

TEST(Inflate, RefusesBadStreams) {
  EXPECT_FALSE(inflates({0x07}, ""));                               // block type 3
  EXPECT_FALSE(inflates({0x01, 0x06, 0x00, 0xf9, 0xfe}, "stored")); // lengths disagree
  EXPECT_FALSE(inflates({0x4b, 0x04, 0x02, 0x00}, "abcd"));         // a distance before the start
}

TEST(Inflate, SurvivesDamage) {
  std::mt19937 random(1);
  std::string text = squares();
  for (int round = 0; round < 20000; ++round) {
    Bytes damaged = dynamicCodes;
    for (int i = 0; i < 3; ++i)
      damaged[random() % damaged.size()] ^= 1u << random() % 8;
    inflates(damaged, text);
  }
}

TEST(Crc32, GivesTheKnownAnswers) {
  EXPECT_EQ(nacre_crc32(0, "", 0), 0u);
  EXPECT_EQ(nacre_crc32(0, "123456789", 9), 0xCBF43926u);
  EXPECT_EQ(nacre_crc32(nacre_crc32(0, "1234", 4), "56789", 5), 0xCBF43926u);
}
