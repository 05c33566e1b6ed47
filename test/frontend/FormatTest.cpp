// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Format.h"
#include "test/frontend/Programs.h"

#include <gtest/gtest.h>

#include <random>

using namespace nacre;
using namespace nacre::test;

static std::string formatted(llvm::StringRef text) {
  Source source;
  Diagnostics diagnostics(source);
  std::string problem;
  return format(source.text(*source.add("test.nacre", text, problem)), diagnostics).value_or("errors");
}

static std::string read(const std::string &path) {
  Source source;
  std::string problem;
  std::optional<unsigned> buffer = source.load(path, problem);
  EXPECT_EQ(problem, "");
  return buffer ? source.text(*buffer).str() : "";
}

TEST(Format, IsIdempotentAndKeepsTheTree) {
  std::string once = formatted(kEverything);
  EXPECT_NE(once, "errors");
  EXPECT_EQ(formatted(once), once);
  EXPECT_EQ(Parsed(once).tree(), Parsed(kEverything).tree());
}

TEST(Format, ExamplesAreFormatted) {
  for (const char *name : {"/digits/digits.nacre", "/minilm/minilm.nacre"}) {
    std::string text = read(std::string(NACRE_EXAMPLES) + name);
    EXPECT_EQ(formatted(text), text) << name;
  }
}

/// White space and comments anywhere: the second run changes nothing, no comment is lost, the tree stays.
TEST(Format, AnySpacingSettlesAtOnce) {
  Source source;
  Diagnostics diagnostics(source);
  std::string problem;
  Tokens tokens = tokenize(source.text(*source.add("test.nacre", kEverything, problem)), diagnostics);
  const char *const blanks[] = {" ", "  ", "\n", "\n\n\n", "\t", " // note\n", "\n// note\n", "\n\n// a\n// b\n\n"};
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (const Token &token : tokens.list)
      text += token.text.str() + blanks[random() % 8];
    std::string once = formatted(text);
    ASSERT_NE(once, "errors");
    EXPECT_EQ(formatted(once), once);
    EXPECT_EQ(llvm::StringRef(once).count("//"), llvm::StringRef(text).count("//"));
    EXPECT_EQ(Parsed(once).tree(), Parsed(text).tree());
  }
}

TEST(Format, EmptyStaysEmpty) {
  EXPECT_EQ(formatted(""), "");
  EXPECT_EQ(formatted("\n\n"), "");
  EXPECT_EQ(formatted("// only\n\n\n"), "// only\n");
}

TEST(Format, BrokenTextIsLeftAlone) { EXPECT_EQ(formatted("fn f( {"), "errors"); }
