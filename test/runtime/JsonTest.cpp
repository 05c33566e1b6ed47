// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/json.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace {

// Text in memory of exactly its size, so that a sanitizer sees one byte too many.
struct Text {
  explicit Text(const std::string &text) : bytes(new char[text.size()]), json{bytes.get(), bytes.get() + text.size()} {
    text.copy(bytes.get(), text.size());
  }
  std::unique_ptr<char[]> bytes;
  nacre_json json;
};

std::string parsed(const std::string &text) {
  Text in(text);
  char *string = nullptr;
  return nacre_json_string(&in.json, &string) && nacre_json_at_end(&in.json) ? string : "<bad>";
}

bool skips(const std::string &text) {
  Text in(text);
  return nacre_json_skip(&in.json) && nacre_json_at_end(&in.json);
}

int64_t natural(const std::string &text) {
  Text in(text);
  int64_t value = -1;
  return nacre_json_natural(&in.json, &value) && nacre_json_at_end(&in.json) ? value : -1;
}

} // namespace

TEST(Json, ReadsStrings) {
  EXPECT_EQ(parsed(R"( "" )"), "");
  EXPECT_EQ(parsed(R"("a.b")"), "a.b");
  EXPECT_EQ(parsed(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(parsed(R"("\u0041\u00e4\u20AC\uD83D\uDC1A")"), "A\xC3\xA4\xE2\x82\xAC\xF0\x9F\x90\x9A");
  EXPECT_EQ(parsed("\"\xC3\xA4\xF0\x9F\x90\x9A\""), "\xC3\xA4\xF0\x9F\x90\x9A");
}

TEST(Json, RefusesBadStrings) {
  const char *bad[] = {"",          "\"",           "\"a",           R"("\x")",       R"("\u12")",          R"("\u0000")",
                       R"("\uD800")", R"("\uDC00")", R"("\uD800\u0041")", R"("\uD800\n")", "\"\n\"",         "\"\xFF\"",
                       "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", "\"\xE2\x82", "\"\xE2\x82\"", "\"\\"};
  for (const char *text : bad)
    EXPECT_EQ(parsed(text), "<bad>") << text;
}

TEST(Json, ReadsNaturals) {
  EXPECT_EQ(natural("0"), 0);
  EXPECT_EQ(natural(" 9223372036854775807 "), INT64_MAX);
  for (const char *text : {"", "-1", "+1", "01", "1.0", "1e3", "9223372036854775808", "99999999999999999999999", "x"})
    EXPECT_EQ(natural(text), -1) << text;
}

TEST(Json, SkipsAnyValue) {
  for (const char *text : {"1", "-0.5e+10", "true", "false", "null", "\"x\"", "[]", "{}", R"([1, [2, {"a": [null]}]])", " [ ] "})
    EXPECT_TRUE(skips(text)) << text;
}

TEST(Json, RefusesMalformedValues) {
  for (const char *text : {"", "tru", "nulll", "-", "1.", "1e", "01", "[1,]", "[1", "]", R"({"a"})", R"({"a":})", "{1:2}", R"({"a":1,})"})
    EXPECT_FALSE(skips(text)) << text;
}

TEST(Json, RefusesDeepNesting) {
  EXPECT_TRUE(skips(std::string(30, '[') + std::string(30, ']')));
  EXPECT_FALSE(skips(std::string(100000, '[')));
  EXPECT_FALSE(skips(std::string(40, '[') + std::string(40, ']')));
}
