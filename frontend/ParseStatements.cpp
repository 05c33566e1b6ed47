// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bodies of functions.
#include "frontend/Parser.h"

using namespace nacre;

bool Parser::parseBlock(Block &block, unsigned depth) {
  if (!expect(TokenKind::LeftBrace)) return false;
  const Token &opening = previous();
  if (depth >= kMaxHeight) return tooDeep(opening.range()) != nullptr;
  while (!at(TokenKind::RightBrace) && !at(TokenKind::EndOfFile)) {
    if (atDeclaration() || atWord("param")) break; // a brace is missing
    size_t before = position;
    markStart();
    if (auto statement = parseStatement(depth))
      block.push_back(std::move(statement));
    else
      recover(&Parser::atStatement);
    if (position == before) advance();
  }
  return expectClosing(TokenKind::RightBrace, opening);
}

std::unique_ptr<Statement> Parser::parseStatement(unsigned depth) {
  if (atWord("return")) return parseReturn();
  if (atWord("for")) return parseFor(depth);
  if (atWord("assert")) return parseAssert();
  if (atWord("update")) return parseUpdate(depth);
  if (atWord("tap")) return parseTap();
  if (atWord("if")) return parseIf(depth);
  if (atAssignment()) return parseAssign();
  if (at(TokenKind::Identifier) && peek(1).is(TokenKind::Comma)) return notYet(peek().range(), "an assignment of several results");
  return fail("a statement: an assignment, return, for, if or assert");
}

/// tap x = value
std::unique_ptr<Statement> Parser::parseTap() {
  llvm::SMLoc begin = advance().begin();
  if (!at(TokenKind::Identifier) || !peek(1).is(TokenKind::Assign)) return fail("an assignment after 'tap'");
  std::unique_ptr<Statement> statement = parseAssign();
  if (!statement) return nullptr;
  llvm::cast<AssignStatement>(statement.get())->isTap = true;
  statement->range = since(begin);
  return statement;
}

bool Parser::atAssignment() const {
  size_t ahead = 0;
  while (peek(ahead).is(TokenKind::Identifier) && peek(ahead + 1).is(TokenKind::Dot))
    ahead += 2;
  return peek(ahead).is(TokenKind::Identifier) && peek(ahead + 1).is(TokenKind::Assign);
}

/// x = value, or x.y = value
std::unique_ptr<Statement> Parser::parseAssign() {
  const Token &name = advance();
  std::vector<Name> path;
  while (accept(TokenKind::Dot)) {
    const Token &member = advance();
    path.push_back({member.text, member.range()});
  }
  advance();
  ExprPtr value = parseExpr();
  if (!value) return nullptr;
  auto statement = std::make_unique<AssignStatement>(since(name.begin()));
  statement->name = Name{name.text, name.range()};
  statement->path = std::move(path);
  statement->value = std::move(value);
  return statement;
}

std::unique_ptr<Statement> Parser::parseReturn() {
  llvm::SMLoc begin = advance().begin();
  ExprPtr value = parseExpr();
  if (!value) return nullptr;
  auto statement = std::make_unique<ReturnStatement>(since(begin));
  statement->value = std::move(value);
  return statement;
}

/// for b in blocks { ... }
std::unique_ptr<Statement> Parser::parseFor(unsigned depth) {
  llvm::SMLoc begin = advance().begin();
  std::optional<Name> variable = expectName("the name of the loop's value");
  if (!variable) return nullptr;
  if (!acceptWord("in")) return fail("'in'");
  ExprPtr values = parseExpr();
  if (!values) return nullptr;
  auto statement = std::make_unique<ForStatement>(since(begin));
  statement->variable = *variable;
  statement->values = std::move(values);
  if (!parseBlock(statement->body, depth + 1)) return nullptr;
  statement->range = since(begin);
  return statement;
}

/// update { keys = value }
std::unique_ptr<Statement> Parser::parseUpdate(unsigned depth) {
  llvm::SMLoc begin = advance().begin();
  auto statement = std::make_unique<UpdateStatement>(since(begin));
  if (!parseBlock(statement->body, depth + 1)) return nullptr;
  statement->range = since(begin);
  return statement;
}

/// if depth > 2 { ... } else if ... { ... } else { ... }
std::unique_ptr<Statement> Parser::parseIf(unsigned depth) {
  llvm::SMLoc begin = advance().begin();
  if (depth >= kMaxHeight) return tooDeep(previous().range());
  auto statement = std::make_unique<IfStatement>(since(begin));
  statement->condition = parseExpr();
  if (!statement->condition || !parseBlock(statement->body, depth + 1)) return nullptr;
  if (acceptWord("else")) {
    if (atWord("if")) {
      std::unique_ptr<Statement> next = parseIf(depth + 1);
      if (!next) return nullptr;
      statement->otherwise.push_back(std::move(next));
    } else if (!parseBlock(statement->otherwise, depth + 1)) {
      return nullptr;
    }
  }
  statement->range = since(begin);
  return statement;
}

/// assert D / H == 32, "a head has 32 columns"
std::unique_ptr<Statement> Parser::parseAssert() {
  llvm::SMLoc begin = advance().begin();
  ExprPtr condition = parseExpr();
  if (!condition) return nullptr;
  std::optional<std::string> message;
  if (accept(TokenKind::Comma)) {
    if (!at(TokenKind::String)) return fail("a message, in quotes");
    message = advance().text.trim('"').str();
  }
  auto statement = std::make_unique<AssertStatement>(since(begin));
  statement->condition = std::move(condition);
  statement->message = std::move(message);
  return statement;
}
