// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text to tokens. Comments are kept beside the tokens: the formatter prints them, docstrings reach the header.
#pragma once

#include "frontend/Diagnostics.h"

#include <vector>

namespace nacre {

enum class TokenKind {
  EndOfFile,
  Identifier,
  Keyword,
  Integer,
  Real,
  String,
  LeftBrace,
  RightBrace,
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  Comma,
  Colon,
  Dot,
  DotDot,
  Arrow,
  Tilde,
  Assign,
  Plus,
  Minus,
  Star,
  Slash,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Equal,
  NotEqual,
};

/// How a kind is named in messages: "'{'", "a name", "the end of the file".
llvm::StringRef describe(TokenKind kind);

struct Comment {
  llvm::StringRef text; ///< with its slashes, without the end of the line
  bool isDoc = false;   ///< exactly three slashes
};

struct Token {
  TokenKind kind = TokenKind::EndOfFile;
  llvm::StringRef text;       ///< as written, quotes included
  bool afterStranger = false; ///< characters that make no token stand before it, and were reported
  unsigned firstComment = 0;  ///< the comments between the token before and this one are
  unsigned endComment = 0;    ///< [firstComment, endComment) of `Tokens::comments`

  llvm::SMLoc begin() const { return llvm::SMLoc::getFromPointer(text.begin()); }
  llvm::SMLoc end() const { return llvm::SMLoc::getFromPointer(text.end()); }
  llvm::SMRange range() const { return {begin(), end()}; }
  bool is(TokenKind other) const { return kind == other; }
  bool isWord(llvm::StringRef word) const { return (kind == TokenKind::Identifier || kind == TokenKind::Keyword) && text == word; }
};

struct Tokens {
  std::vector<Token> list; ///< ends with one EndOfFile token
  std::vector<Comment> comments;
};

/// Words that cannot be names.
bool isKeyword(llvm::StringRef word);

/// Splits a text; reports characters and strings that make no token, and goes on after them.
Tokens tokenize(llvm::StringRef text, Diagnostics &diagnostics);

} // namespace nacre
