// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tokens, errors and recovery.
#include "frontend/Parser.h"

using namespace nacre;
using llvm::StringRef;

Ast nacre::parse(StringRef text, Diagnostics &diagnostics) {
  Tokens tokens = tokenize(text, diagnostics);
  return Parser(tokens, diagnostics).parseFile();
}

const Token &Parser::peek(size_t ahead) const { return tokens.list[std::min(position + ahead, tokens.list.size() - 1)]; }

const Token &Parser::advance() {
  const Token &token = peek();
  if (position + 1 < tokens.list.size()) ++position;
  return token;
}

bool Parser::accept(TokenKind kind) {
  if (!at(kind)) return false;
  advance();
  return true;
}

bool Parser::acceptWord(StringRef word) {
  if (!atWord(word)) return false;
  advance();
  return true;
}

static std::string found(const Token &token) {
  if (token.is(TokenKind::EndOfFile)) return "the end of the file";
  StringRef text = token.text.take_front(40); // 40: enough to recognise a long string
  return ("'" + text + "'").str();
}

std::nullptr_t Parser::fail(StringRef expected) {
  if (!peek().afterStranger) diagnostics.error(peek().range(), "expected " + expected + ", but got " + found(peek()));
  return nullptr;
}

bool Parser::expect(TokenKind kind, StringRef what) {
  if (accept(kind)) return true;
  fail(what.empty() ? describe(kind) : what);
  return false;
}

std::optional<Name> Parser::expectName(StringRef what) {
  if (at(TokenKind::Identifier)) {
    const Token &token = advance();
    return Name{token.text, token.range()};
  }
  if (at(TokenKind::Keyword))
    diagnostics.error(peek().range(), "expected " + what + ", but '" + peek().text + "' is a word of the language");
  else
    fail(what);
  return std::nullopt;
}

bool Parser::expectClosing(TokenKind closing, const Token &opening) {
  if (accept(closing)) return true;
  if (peek().afterStranger) return false;
  diagnostics.error(peek().range(), "expected " + describe(closing) + ", but got " + found(peek()))
      .note(opening.range(), "to close this " + describe(opening.kind));
  return false;
}

std::nullptr_t Parser::notYet(llvm::SMRange range, const llvm::Twine &what) {
  diagnostics.error(range, what + " is part of the language but not available in this version");
  return nullptr;
}

std::string Parser::docBefore(const Token &token) const {
  std::string doc;
  for (unsigned i = token.firstComment; i < token.endComment; ++i) {
    if (!tokens.comments[i].isDoc) {
      doc.clear();
      continue;
    }
    if (!doc.empty()) doc += "\n";
    doc += tokens.comments[i].text.drop_front(3).trim();
  }
  return doc;
}

bool Parser::atDeclaration() const {
  if (atWord("dim") || atWord("layer") || atWord("model") || atWord("fn") || atWord("import")) return true;
  bool named = peek(1).is(TokenKind::Identifier);
  return named && (atWord("widths") || (atWord("train") && peek(2).is(TokenKind::Dot)));
}

bool Parser::atMember() const {
  if (atDeclaration() || atWord("param")) return true;
  if (!at(TokenKind::Identifier)) return false;
  bool isInstance = peek(1).is(TokenKind::Colon) && peek(2).is(TokenKind::Identifier) && peek(3).is(TokenKind::LeftParen);
  return isInstance || ((atWord("state") || atWord("stream")) && peek(1).is(TokenKind::Identifier));
}

bool Parser::atStatement() const {
  for (llvm::StringRef word : {"return", "for", "if", "assert", "update", "tap", "param"})
    if (atWord(word)) return true;
  return atDeclaration() || atAssignment();
}

bool Parser::atEntry() const {
  bool isKey = at(TokenKind::Identifier) || at(TokenKind::Keyword);
  return atDeclaration() || (isKey && (peek(1).is(TokenKind::Assign) || peek(1).isWord("from")));
}

void Parser::recover(bool (Parser::*isStart)() const) {
  while (!at(TokenKind::EndOfFile) && !at(TokenKind::RightBrace) && !(this->*isStart)()) {
    if (at(TokenKind::LeftBrace))
      skipBraces();
    else
      advance();
  }
}

/// From an opening brace past the one that closes it; a declaration inside means that the closing one was forgotten.
void Parser::skipBraces() {
  unsigned open = 0;
  do {
    if (at(TokenKind::LeftBrace)) ++open;
    if (at(TokenKind::RightBrace)) --open;
    advance();
  } while (open > 0 && !at(TokenKind::EndOfFile) && !atWord("model") && !atWord("layer"));
}
