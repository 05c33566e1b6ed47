// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Format.h"

#include "frontend/Parser.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallVector.h"

using namespace nacre;
using llvm::StringRef;

namespace {

/// 2 a brace, 4 for a line that goes on: LLVM's habit.
constexpr unsigned kIndent = 2, kContinuation = 4;

class Formatter {
public:
  Formatter(StringRef text, const Tokens &tokens, const Ast &ast) : text(text), tokens(tokens) {
    starts.insert(ast.starts.begin(), ast.starts.end());
    position = text.begin();
  }

  std::string run() {
    for (const Token &token : tokens.list) {
      for (unsigned i = token.firstComment; i < token.endComment; ++i)
        placeComment(tokens.comments[i], token);
      if (token.is(TokenKind::EndOfFile)) break;
      placeToken(token);
    }
    if (!out.empty()) out += '\n';
    return std::move(out);
  }

private:
  bool isStart(const Token &token) const { return starts.contains(token.text.begin()); }

  /// Line breaks in the original between what was placed last and `next`.
  unsigned breaksBefore(const char *next) const { return StringRef(position, next - position).count('\n'); }

  /// Begins a new line, after at most one blank line; blank lines at the begin and the end of a block go.
  void breakLine(unsigned breaks, bool closes, unsigned indent) {
    bool opened = StringRef(out).ends_with("{");
    if (!out.empty()) out += breaks > 1 && !opened && !closes ? "\n\n" : "\n";
    out.append(indent, ' ');
  }

  void placeComment(const Comment &comment, const Token &next) {
    unsigned breaks = breaksBefore(comment.text.begin());
    bool between = isStart(next) || next.is(TokenKind::RightBrace) || next.is(TokenKind::EndOfFile);
    if (breaks == 0 && !out.empty())
      out += "  ";
    else
      breakLine(breaks, false, kIndent * openBraces.size() + (between ? 0 : kContinuation));
    out += comment.text;
    position = comment.text.end();
    afterComment = true;
  }

  void placeToken(const Token &token) {
    unsigned breaks = breaksBefore(token.text.begin());
    if (afterComment && breaks == 0) breaks = 1;
    bool closes = token.is(TokenKind::RightBrace);
    if (closes && !openBraces.empty()) openBraces.pop_back();
    if (out.empty() || breaks > 0) {
      bool goesOn = !isStart(token) && !closes && !out.empty();
      breakLine(breaks, closes, kIndent * openBraces.size() + (goesOn ? kContinuation : 0));
    } else {
      out.append(spacesBefore(token), ' ');
    }
    out += token.text;
    remember(token);
  }

  void remember(const Token &token) {
    if (token.is(TokenKind::LeftBrace)) openBraces.push_back(&token);
    if (token.is(TokenKind::LeftBracket) || token.is(TokenKind::LeftParen)) openBrackets.push_back(token.kind);
    if ((token.is(TokenKind::RightBracket) || token.is(TokenKind::RightParen)) && !openBrackets.empty()) openBrackets.pop_back();
    previousIsUnary = token.is(TokenKind::Minus) && (!previous || !endsValue(*previous));
    previous = &token;
    position = token.text.end();
    afterComment = false;
  }

  /// After such a token, `-` is binary and `(` or `[` belongs to it.
  static bool endsValue(const Token &token) {
    return token.is(TokenKind::Identifier) || token.is(TokenKind::Integer) || token.is(TokenKind::Real) || token.is(TokenKind::String) ||
           token.is(TokenKind::RightParen) || token.is(TokenKind::RightBracket);
  }

  unsigned spacesBefore(const Token &token) const {
    if (!previous) return 0;
    TokenKind last = previous->kind, kind = token.kind;
    if (isStart(token)) return last == TokenKind::LeftBrace || last == TokenKind::Comma ? 1 : 2;
    if (last == TokenKind::LeftBrace && kind == TokenKind::RightBrace) return 0;
    if (last == TokenKind::LeftParen || last == TokenKind::LeftBracket || last == TokenKind::Dot || last == TokenKind::DotDot) return 0;
    if (kind == TokenKind::Comma || kind == TokenKind::RightParen || kind == TokenKind::RightBracket) return 0;
    if (kind == TokenKind::Dot || kind == TokenKind::DotDot || previousIsUnary) return 0;
    bool inSlice = !openBrackets.empty() && openBrackets.back() == TokenKind::LeftBracket;
    if (kind == TokenKind::Colon) return inSlice && last == TokenKind::Comma ? 1 : 0;
    if (last == TokenKind::Colon) return inSlice ? 0 : 1;
    bool opens = kind == TokenKind::LeftParen || kind == TokenKind::LeftBracket;
    return opens && endsValue(*previous) ? 0 : 1;
  }

  StringRef text;
  const Tokens &tokens;
  llvm::DenseSet<const char *> starts;
  std::string out;
  const char *position; ///< end of what was placed last, in the original
  const Token *previous = nullptr;
  bool previousIsUnary = false;
  bool afterComment = false;
  llvm::SmallVector<const Token *> openBraces;
  llvm::SmallVector<TokenKind> openBrackets;
};

} // namespace

std::optional<std::string> nacre::format(StringRef text, Diagnostics &diagnostics) {
  Tokens tokens = tokenize(text, diagnostics);
  Ast ast = Parser(tokens, diagnostics).parseFile();
  if (diagnostics.hasErrors()) return std::nullopt;
  return Formatter(text, tokens, ast).run();
}
