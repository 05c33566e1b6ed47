// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Lexer.h"

#include <gtest/gtest.h>

using namespace nacre;

namespace {

class Lexed : public ::testing::Test {
protected:
  Lexed() : diagnostics(source) {}
  const std::vector<Token> &lex(llvm::StringRef text) {
    std::string problem;
    tokens = tokenize(source.text(*source.add("test.nacre", text, problem)), diagnostics);
    return tokens.list;
  }
  std::vector<TokenKind> kinds(llvm::StringRef text) {
    std::vector<TokenKind> result;
    for (const Token &token : lex(text))
      result.push_back(token.kind);
    return result;
  }
  Source source;
  Diagnostics diagnostics;
  Tokens tokens;
};

TEST_F(Lexed, RangeOfIntegersIsNoFraction) {
  EXPECT_EQ(kinds("0..1437"), (std::vector{TokenKind::Integer, TokenKind::DotDot, TokenKind::Integer, TokenKind::EndOfFile}));
  EXPECT_EQ(kinds("0.5"), (std::vector{TokenKind::Real, TokenKind::EndOfFile}));
  EXPECT_EQ(kinds("1e-3 2E5 1.5e+2"), (std::vector{TokenKind::Real, TokenKind::Real, TokenKind::Real, TokenKind::EndOfFile}));
  EXPECT_FALSE(diagnostics.hasErrors());
}

TEST_F(Lexed, LongSignsBeforeShortOnes) {
  EXPECT_EQ(kinds("<= < -> - == ="), (std::vector{TokenKind::LessEqual, TokenKind::Less, TokenKind::Arrow, TokenKind::Minus,
                                                  TokenKind::Equal, TokenKind::Assign, TokenKind::EndOfFile}));
}

TEST_F(Lexed, CommentsBelongToTheNextToken) {
  const std::vector<Token> &list = lex("a // one\n/// two\n//// three\nb // four");
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[1].firstComment, 0u);
  EXPECT_EQ(list[1].endComment, 3u);
  EXPECT_FALSE(tokens.comments[0].isDoc);
  EXPECT_TRUE(tokens.comments[1].isDoc);
  EXPECT_FALSE(tokens.comments[2].isDoc);
  EXPECT_EQ(list[2].endComment, 4u);
}

TEST_F(Lexed, WindowsLineEndsAndByteOrderMark) {
  const std::vector<Token> &list = lex("\xEF\xBB\xBF"
                                       "dim B <= 4 // four\r\nfn\r\n");
  ASSERT_EQ(list.size(), 6u);
  EXPECT_EQ(tokens.comments[0].text, "// four");
  EXPECT_FALSE(diagnostics.hasErrors());
}

TEST_F(Lexed, StrangersAreOneErrorAndSkipped) {
  const std::vector<Token> &list = lex("a @ b");
  ASSERT_EQ(list.size(), 3u);
  EXPECT_TRUE(list[1].afterStranger);
  EXPECT_EQ(diagnostics.errorCount(), 1u);
}

} // namespace
