// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expressions, from the loosest sign to the tightest: `..`, comparisons, + -, * /, unary -, call and index.
#include "frontend/Parser.h"

#include "llvm/ADT/StringExtras.h"

using namespace nacre;

std::nullptr_t Parser::tooDeep(llvm::SMRange range) {
  diagnostics.error(range, "expected at most " + llvm::Twine(kMaxHeight) + " levels of nesting, but got more");
  position = tokens.list.size() - 1; // nothing after it would make sense
  return nullptr;
}

ExprPtr Parser::finish(ExprPtr expr, llvm::ArrayRef<const Expr *> children) {
  unsigned highest = 0;
  for (const Expr *child : children)
    if (child) highest = std::max(highest, child->height);
  expr->height = highest + 1;
  if (expr->height > kMaxHeight) return tooDeep(expr->range);
  return expr;
}

ExprPtr Parser::parseExpr() {
  if (depth >= kMaxHeight) return tooDeep(peek().range());
  ++depth;
  ExprPtr expr = parseRange();
  --depth;
  return expr;
}

ExprPtr Parser::parseRange() {
  ExprPtr start = parseComparison();
  if (!start || !accept(TokenKind::DotDot)) return start;
  ExprPtr end = parseComparison();
  if (!end) return nullptr;
  auto expr = std::make_unique<RangeExpr>(llvm::SMRange(start->range.Start, end->range.End));
  expr->start = std::move(start);
  expr->end = std::move(end);
  const Expr *children[] = {expr->start.get(), expr->end.get()};
  return finish(std::move(expr), children);
}

ExprPtr Parser::makeBinary(BinaryOp op, llvm::SMRange opRange, ExprPtr left, ExprPtr right) {
  if (!left || !right) return nullptr;
  auto expr = std::make_unique<BinaryExpr>(llvm::SMRange(left->range.Start, right->range.End));
  expr->op = op;
  expr->opRange = opRange;
  expr->left = std::move(left);
  expr->right = std::move(right);
  const Expr *children[] = {expr->left.get(), expr->right.get()};
  return finish(std::move(expr), children);
}

static std::optional<BinaryOp> comparison(TokenKind kind) {
  switch (kind) {
  case TokenKind::Less:
    return BinaryOp::Less;
  case TokenKind::LessEqual:
    return BinaryOp::LessEqual;
  case TokenKind::Greater:
    return BinaryOp::Greater;
  case TokenKind::GreaterEqual:
    return BinaryOp::GreaterEqual;
  case TokenKind::Equal:
    return BinaryOp::Equal;
  case TokenKind::NotEqual:
    return BinaryOp::NotEqual;
  default:
    return std::nullopt;
  }
}

ExprPtr Parser::parseComparison() {
  ExprPtr left = parseSum();
  std::optional<BinaryOp> op = comparison(peek().kind);
  if (!left || !op) return left;
  llvm::SMRange opRange = advance().range();
  ExprPtr result = makeBinary(*op, opRange, std::move(left), parseSum());
  if (!result || !comparison(peek().kind)) return result;
  diagnostics.error(peek().range(), "expected one comparison, but got a chain of them");
  return nullptr;
}

ExprPtr Parser::parseSum() {
  ExprPtr left = parseProduct();
  while (left && (at(TokenKind::Plus) || at(TokenKind::Minus))) {
    const Token &token = advance();
    BinaryOp op = token.is(TokenKind::Plus) ? BinaryOp::Add : BinaryOp::Sub;
    left = makeBinary(op, token.range(), std::move(left), parseProduct());
  }
  return left;
}

ExprPtr Parser::parseProduct() {
  ExprPtr left = parseUnary();
  while (left && (at(TokenKind::Star) || at(TokenKind::Slash))) {
    const Token &token = advance();
    BinaryOp op = token.is(TokenKind::Star) ? BinaryOp::Mul : BinaryOp::Div;
    left = makeBinary(op, token.range(), std::move(left), parseUnary());
  }
  return left;
}

ExprPtr Parser::parseUnary() {
  if (!at(TokenKind::Minus)) return parsePostfix();
  if (depth >= kMaxHeight) return tooDeep(peek().range());
  llvm::SMLoc begin = advance().begin();
  ++depth;
  ExprPtr operand = parseUnary();
  --depth;
  if (!operand) return nullptr;
  auto expr = std::make_unique<NegateExpr>(since(begin));
  expr->operand = std::move(operand);
  const Expr *child = expr->operand.get();
  return finish(std::move(expr), child);
}

ExprPtr Parser::parsePostfix() {
  ExprPtr expr = parsePrimary();
  while (expr) {
    if (at(TokenKind::LeftParen))
      expr = parseCall(std::move(expr));
    else if (at(TokenKind::LeftBracket))
      expr = parseIndex(std::move(expr));
    else if (at(TokenKind::Dot))
      expr = parseMember(std::move(expr));
    else
      break;
  }
  return expr;
}

ExprPtr Parser::parseMember(ExprPtr base) {
  advance();
  std::optional<Name> member = expectName("the name of a part");
  if (!member) return nullptr;
  auto expr = std::make_unique<MemberExpr>(since(base->range.Start));
  expr->base = std::move(base);
  expr->member = *member;
  const Expr *child = expr->base.get();
  return finish(std::move(expr), child);
}

ExprPtr Parser::parseCall(ExprPtr callee) {
  advance();
  std::vector<Argument> arguments;
  if (!parseArguments(arguments)) return nullptr;
  auto expr = std::make_unique<CallExpr>(since(callee->range.Start));
  expr->callee = std::move(callee);
  expr->arguments = std::move(arguments);
  llvm::SmallVector<const Expr *> children = {expr->callee.get()};
  for (const Argument &argument : expr->arguments)
    children.push_back(argument.value.get());
  return finish(std::move(expr), children);
}

/// What follows an opening parenthesis, up to and with the closing one.
bool Parser::parseArguments(std::vector<Argument> &arguments) {
  const Token &opening = previous();
  while (!at(TokenKind::RightParen)) {
    Argument argument;
    if (at(TokenKind::Identifier) && peek(1).is(TokenKind::Assign)) {
      const Token &name = advance();
      argument.name = Name{name.text, name.range()};
      advance();
    }
    argument.value = parseExpr();
    if (!argument.value) return false;
    arguments.push_back(std::move(argument));
    if (!accept(TokenKind::Comma)) break;
  }
  return expectClosing(TokenKind::RightParen, opening);
}

ExprPtr Parser::parseIndex(ExprPtr base) {
  const Token &opening = advance();
  std::vector<IndexItem> items;
  do {
    std::optional<IndexItem> item = parseIndexItem();
    if (!item) return nullptr;
    items.push_back(std::move(*item));
  } while (accept(TokenKind::Comma));
  if (!expectClosing(TokenKind::RightBracket, opening)) return nullptr;
  auto expr = std::make_unique<IndexExpr>(since(base->range.Start));
  expr->base = std::move(base);
  expr->items = std::move(items);
  llvm::SmallVector<const Expr *> children = {expr->base.get()};
  for (const IndexItem &item : expr->items)
    children.append({item.start.get(), item.end.get()});
  return finish(std::move(expr), children);
}

std::optional<IndexItem> Parser::parseIndexItem() {
  IndexItem item;
  llvm::SMLoc begin = peek().begin();
  if (!at(TokenKind::Colon) && !(item.start = parseExpr())) return std::nullopt;
  item.isSlice = accept(TokenKind::Colon);
  bool hasEnd = item.isSlice && !at(TokenKind::Comma) && !at(TokenKind::RightBracket);
  if (hasEnd && !(item.end = parseExpr())) return std::nullopt;
  item.range = since(begin);
  return item;
}

ExprPtr Parser::parsePrimary() {
  if (at(TokenKind::Integer) || at(TokenKind::Real)) return parseNumber();
  if (at(TokenKind::LeftBracket)) return parseList();
  if (at(TokenKind::LeftBrace)) return parseMap();
  if (at(TokenKind::String)) {
    const Token &token = advance();
    auto expr = std::make_unique<StringExpr>(token.range());
    expr->value = token.text.trim('"');
    return expr;
  }
  if (at(TokenKind::Identifier)) {
    const Token &token = advance();
    auto expr = std::make_unique<NameExpr>(token.range());
    expr->name = token.text;
    return expr;
  }
  if (!at(TokenKind::LeftParen)) return fail("a value");
  const Token &opening = advance();
  ExprPtr expr = parseExpr();
  if (!expr || !expectClosing(TokenKind::RightParen, opening)) return nullptr;
  expr->range = since(opening.begin());
  return expr;
}

ExprPtr Parser::parseNumber() {
  const Token &token = advance();
  if (token.is(TokenKind::Integer)) {
    auto expr = std::make_unique<IntegerExpr>(token.range());
    if (llvm::to_integer(token.text, expr->value, 10)) return expr;
    if (llvm::all_of(token.text, llvm::isDigit)) diagnostics.error(token.range(), "expected an integer below 2^63, but got " + token.text);
    return expr; // a malformed number was reported by the lexer
  }
  auto expr = std::make_unique<RealExpr>(token.range());
  bool read = llvm::to_float(token.text, expr->value);
  if (!read || expr->value - expr->value != 0) diagnostics.error(token.range(), "expected a finite number, but got " + token.text);
  return expr;
}

ExprPtr Parser::parseList() {
  const Token &opening = advance();
  auto expr = std::make_unique<ListExpr>(opening.range());
  llvm::SmallVector<const Expr *> children;
  while (!at(TokenKind::RightBracket)) {
    ExprPtr item = parseExpr();
    if (!item) return nullptr;
    children.push_back(item.get());
    expr->items.push_back(std::move(item));
    if (!accept(TokenKind::Comma)) break;
  }
  if (!expectClosing(TokenKind::RightBracket, opening)) return nullptr;
  expr->range = since(opening.begin());
  return finish(std::move(expr), children);
}

/// { x: "images", y: "labels" }
ExprPtr Parser::parseMap() {
  const Token &opening = advance();
  auto expr = std::make_unique<MapExpr>(opening.range());
  llvm::SmallVector<const Expr *> children;
  while (!at(TokenKind::RightBrace)) {
    std::optional<Name> key = expectName("the name of an input");
    ExprPtr value = key && expect(TokenKind::Colon) ? parseExpr() : nullptr;
    if (!value) { // past this map's own brace, which ends no block
      recover(&Parser::atStatement);
      accept(TokenKind::RightBrace);
      return nullptr;
    }
    children.push_back(value.get());
    expr->entries.push_back({*key, std::move(value)});
    if (!accept(TokenKind::Comma)) break;
  }
  if (!expectClosing(TokenKind::RightBrace, opening)) return nullptr;
  expr->range = since(opening.begin());
  return finish(std::move(expr), children);
}
