// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/frontend/Programs.h"

#include <gtest/gtest.h>

#include <random>

using namespace nacre;
using namespace nacre::test;

TEST(Parser, ReadsEveryConstruct) {
  Parsed parsed(kEverything);
  std::string errors;
  llvm::raw_string_ostream out(errors);
  parsed.diagnostics.print(out);
  EXPECT_EQ(errors, "");
  EXPECT_EQ(parsed.ast.declarations.size(), 8u);
}

TEST(Parser, DocsAreTheLinesRightBefore) {
  Parsed parsed("/// lost\n// between\n/// one\n/// two\nfn f(/// input\n x) { return x }");
  ASSERT_EQ(parsed.ast.declarations.size(), 1u);
  EXPECT_EQ(parsed.ast.declarations[0]->doc, "one\ntwo");
  EXPECT_EQ(llvm::cast<FunctionDecl>(parsed.ast.declarations[0].get())->inputs[0].doc, "input");
}

TEST(Parser, TighterSignsBindFirst) {
  EXPECT_EQ(Parsed("fn f() { return 1 + 2 * -3 - 4 }").tree(), "fn f()\n  return (- (+ 1 (* 2 (- 3))) 4)\n");
  EXPECT_EQ(Parsed("fn f() { return (1 + 2) * 3 < 4 / 5 / 6 }").tree(), "fn f()\n  return (< (* (+ 1 2) 3) (/ (/ 4 5) 6))\n");
}

TEST(Parser, GoesOnAfterAnError) {
  Parsed parsed("dim B\nfn f(x) { y = = 1\n z = 2\n return z }\nmodel { }\ndim T <= 4");
  EXPECT_EQ(parsed.diagnostics.errorCount(), 3u);
  ASSERT_EQ(parsed.ast.declarations.size(), 2u);
  EXPECT_EQ(parsed.tree(), "fn f(x)\n  z = 2\n  return z\ndim T <= 4\n");
}

/// A program that is cut anywhere is read to its end, without a crash and with something to say (or whole).
TEST(Parser, EveryPrefixIsRead) {
  llvm::StringRef text(kEverything);
  for (size_t size = 0; size <= text.size(); ++size) {
    Parsed parsed(text.take_front(size));
    EXPECT_LE(parsed.diagnostics.errorCount(), 4u) << text.take_front(size).str();
  }
}

/// Tokens in any order end in errors at worst. The seed is fixed, so a failure stays one.
TEST(Parser, ShuffledTokensAreRead) {
  Source source;
  Diagnostics ignored(source);
  std::string problem;
  Tokens tokens = tokenize(source.text(*source.add("everything.nacre", kEverything, problem)), ignored);
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 60; ++i)
      text += tokens.list[random() % tokens.list.size()].text.str() + " ";
    Parsed parsed(text);
    parsed.tree();
  }
}

TEST(Parser, NestingIsBounded) {
  for (const char *open : {"(", "-", "[", "f(", "{ x: "}) {
    std::string text = "fn f(x) { return ";
    for (int i = 0; i < 100000; ++i)
      text += open;
    EXPECT_TRUE(Parsed(text).diagnostics.hasErrors());
  }
  for (const char *next : {"+ x", "(x)", "[0]", ".x", "/ x"}) {
    std::string text = "fn f(x) { return x";
    for (int i = 0; i < 100000; ++i)
      text += next;
    EXPECT_TRUE(Parsed(text + "}").diagnostics.hasErrors());
  }
}
