// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Lexer.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <utility>

using namespace nacre;
using llvm::StringRef;

StringRef nacre::describe(TokenKind kind) {
  switch (kind) {
  case TokenKind::EndOfFile:
    return "the end of the file";
  case TokenKind::Identifier:
    return "a name";
  case TokenKind::Keyword:
    return "a keyword";
  case TokenKind::Integer:
    return "an integer";
  case TokenKind::Real:
    return "a number";
  case TokenKind::String:
    return "a string";
  case TokenKind::LeftBrace:
    return "'{'";
  case TokenKind::RightBrace:
    return "'}'";
  case TokenKind::LeftParen:
    return "'('";
  case TokenKind::RightParen:
    return "')'";
  case TokenKind::LeftBracket:
    return "'['";
  case TokenKind::RightBracket:
    return "']'";
  case TokenKind::Comma:
    return "','";
  case TokenKind::Colon:
    return "':'";
  case TokenKind::Dot:
    return "'.'";
  case TokenKind::DotDot:
    return "'..'";
  case TokenKind::Arrow:
    return "'->'";
  case TokenKind::Tilde:
    return "'~'";
  case TokenKind::Assign:
    return "'='";
  case TokenKind::Plus:
    return "'+'";
  case TokenKind::Minus:
    return "'-'";
  case TokenKind::Star:
    return "'*'";
  case TokenKind::Slash:
    return "'/'";
  case TokenKind::Less:
    return "'<'";
  case TokenKind::LessEqual:
    return "'<='";
  case TokenKind::Greater:
    return "'>'";
  case TokenKind::GreaterEqual:
    return "'>='";
  case TokenKind::Equal:
    return "'=='";
  case TokenKind::NotEqual:
    return "'!='";
  }
  return "a token";
}

bool nacre::isKeyword(StringRef word) {
  return llvm::StringSwitch<bool>(word)
      .Cases({"dim", "layer", "model", "param", "fn", "return"}, true)
      .Cases({"for", "in", "assert", "import", "from", "if", "else"}, true)
      .Cases({"update", "tap"}, true)
      .Default(false);
}

namespace {

bool isNameStart(char c) { return llvm::isAlpha(c) || c == '_'; }
bool isNamePart(char c) { return llvm::isAlnum(c) || c == '_'; }

struct Punctuation {
  StringRef text;
  TokenKind kind;
};
/// Longer ones first.
const Punctuation kPunctuation[] = {
    {"->", TokenKind::Arrow},    {"<=", TokenKind::LessEqual}, {">=", TokenKind::GreaterEqual}, {"==", TokenKind::Equal},
    {"!=", TokenKind::NotEqual}, {"..", TokenKind::DotDot},    {"{", TokenKind::LeftBrace},     {"}", TokenKind::RightBrace},
    {"(", TokenKind::LeftParen}, {")", TokenKind::RightParen}, {"[", TokenKind::LeftBracket},   {"]", TokenKind::RightBracket},
    {",", TokenKind::Comma},     {":", TokenKind::Colon},      {".", TokenKind::Dot},           {"~", TokenKind::Tilde},
    {"=", TokenKind::Assign},    {"+", TokenKind::Plus},       {"-", TokenKind::Minus},         {"*", TokenKind::Star},
    {"/", TokenKind::Slash},     {"<", TokenKind::Less},       {">", TokenKind::Greater},
};

class Lexer {
public:
  Lexer(StringRef text, Diagnostics &diagnostics) : rest(text), diagnostics(diagnostics) {}

  Tokens run() {
    skipByteOrderMark();
    while (skipBlank(), !rest.empty())
      lexOne();
    push(TokenKind::EndOfFile, 0);
    return std::move(tokens);
  }

private:
  void skipByteOrderMark() { rest.consume_front("\xEF\xBB\xBF"); }

  /// White space and comments.
  void skipBlank() {
    while (true) {
      rest = rest.ltrim(" \t\r\n");
      if (!rest.starts_with("//")) return;
      StringRef line = rest.take_until([](char c) { return c == '\n'; });
      rest = rest.drop_front(line.size());
      bool isDoc = line.starts_with("///") && !line.starts_with("////");
      tokens.comments.push_back({line.rtrim(), isDoc});
    }
  }

  void push(TokenKind kind, size_t size) {
    Token token;
    token.kind = kind;
    token.text = rest.take_front(size);
    token.afterStranger = std::exchange(strangers, false);
    token.firstComment = commentsTaken;
    token.endComment = commentsTaken = tokens.comments.size();
    tokens.list.push_back(token);
    rest = rest.drop_front(size);
  }

  void lexOne() {
    char c = rest.front();
    if (isNameStart(c)) return lexWord();
    if (llvm::isDigit(c)) return lexNumber();
    if (c == '"') return lexString();
    for (const Punctuation &candidate : kPunctuation)
      if (rest.starts_with(candidate.text)) return push(candidate.kind, candidate.text.size());
    reportStranger();
  }

  void lexWord() {
    StringRef word = rest.take_while(isNamePart);
    push(isKeyword(word) ? TokenKind::Keyword : TokenKind::Identifier, word.size());
  }

  /// Digits, a fraction, an exponent: 12, 0.5, 2e-3. `0..6` is a range, so a fraction needs a digit.
  void lexNumber() {
    size_t size = digitsFrom(0);
    bool isReal = false;
    if (peek(size) == '.' && llvm::isDigit(peek(size + 1))) {
      isReal = true;
      size = digitsFrom(size + 1);
    }
    if (peek(size) == 'e' || peek(size) == 'E') {
      size_t digits = size + 1 + (peek(size + 1) == '-' || peek(size + 1) == '+');
      if (llvm::isDigit(peek(digits))) {
        isReal = true;
        size = digitsFrom(digits);
      }
    }
    if (isNamePart(peek(size))) {
      size_t end = size;
      while (isNamePart(peek(end)))
        ++end;
      diagnostics.error(rangeOf(end), "expected a number, but got '" + rest.take_front(end) + "'");
      size = end;
      isReal = false;
    }
    push(isReal ? TokenKind::Real : TokenKind::Integer, size);
  }

  size_t digitsFrom(size_t position) const {
    while (llvm::isDigit(peek(position)))
      ++position;
    return position;
  }

  char peek(size_t position) const { return position < rest.size() ? rest[position] : '\0'; }

  /// One line, no escapes: names and paths need none.
  void lexString() {
    size_t end = rest.find_first_of("\"\n", 1);
    if (end != StringRef::npos && rest[end] == '"') return push(TokenKind::String, end + 1);
    size_t size = end == StringRef::npos ? rest.size() : end;
    diagnostics.error(rangeOf(1), "expected a closing '\"' on the same line");
    push(TokenKind::String, size);
  }

  /// A run of characters that begin no token is one error.
  void reportStranger() {
    size_t size = 1;
    if (static_cast<unsigned char>(rest.front()) >= 0x80)
      while (static_cast<unsigned char>(peek(size)) >= 0x80 || isNamePart(peek(size)))
        ++size;
    StringRef text = rest.take_front(size);
    bool printable = static_cast<unsigned char>(text.front()) >= 0x20;
    diagnostics.error(rangeOf(size), printable ? "expected a word, a number or a sign, but got '" + text + "'"
                                               : llvm::Twine("expected text, but got a control character"));
    rest = rest.drop_front(size);
    strangers = true;
  }

  llvm::SMRange rangeOf(size_t size) const {
    return {llvm::SMLoc::getFromPointer(rest.begin()), llvm::SMLoc::getFromPointer(rest.begin() + size)};
  }

  StringRef rest;
  Diagnostics &diagnostics;
  Tokens tokens;
  unsigned commentsTaken = 0;
  bool strangers = false;
};

} // namespace

Tokens nacre::tokenize(StringRef text, Diagnostics &diagnostics) { return Lexer(text, diagnostics).run(); }
