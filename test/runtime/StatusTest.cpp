// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/status.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

TEST(Status, FillsStatusAndMessageAndReturnsTheStatus) {
  nacre_error error;
  EXPECT_EQ(nacre_fail(&error, NACRE_ERR_SHAPE, "axis %d is %s", 3, "odd"), NACRE_ERR_SHAPE);
  EXPECT_EQ(error.status, NACRE_ERR_SHAPE);
  EXPECT_STREQ(error.message, "axis 3 is odd");
}

TEST(Status, NeedsNoError) { EXPECT_EQ(nacre_fail(nullptr, NACRE_ERR_FILE, "unheard"), NACRE_ERR_FILE); }

TEST(Status, ReplacesControlCharacters) {
  nacre_error error;
  nacre_fail(&error, NACRE_ERR_FORMAT, "tensor '%s'", "a\n\x1b[31m\x7f");
  EXPECT_STREQ(error.message, "tensor 'a??[31m?'");
}

TEST(Status, CutsLongMessages) {
  nacre_error error;
  nacre_fail(&error, NACRE_ERR_FORMAT, "%s", std::string(2000, 'x').c_str());
  EXPECT_EQ(strlen(error.message), sizeof error.message - 1);
}

TEST(Status, NeverCutsInsideACharacter) {
  const std::string characters[] = {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x90\x9A"};
  for (const std::string &character : characters)
    for (size_t shift = 0; shift < 4; ++shift) {
      nacre_error error;
      std::string text(shift, 'x');
      while (text.size() < 600)
        text += character;
      nacre_fail(&error, NACRE_ERR_FORMAT, "%s", text.c_str());
      size_t length = strlen(error.message);
      EXPECT_EQ((length - shift) % character.size(), 0u);
      EXPECT_GT(length + character.size(), sizeof error.message - 1);
    }
}

TEST(Status, HasANameForEach) {
  EXPECT_STREQ(nacre_status_name(NACRE_OK), "ok");
  for (int status = 0; status <= NACRE_ERR_ABI; ++status)
    EXPECT_STRNE(nacre_status_name(nacre_status(status)), "unknown");
  EXPECT_STREQ(nacre_status_name(nacre_status(99)), "unknown");
}
