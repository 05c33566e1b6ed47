// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What stands inside a model or a layer, and types.
#include "frontend/Parser.h"

using namespace nacre;

bool Parser::parseMembers(std::vector<DeclPtr> &members) {
  if (!expect(TokenKind::LeftBrace)) return false;
  const Token &opening = previous();
  while (!at(TokenKind::RightBrace) && !at(TokenKind::EndOfFile)) {
    if (atDeclaration() && !atWord("fn")) break; // a brace is missing
    size_t before = position;
    markStart();
    if (!parseMember(members)) recover(&Parser::atMember);
    if (position == before) advance();
  }
  return expectClosing(TokenKind::RightBrace, opening);
}

bool Parser::parseMember(std::vector<DeclPtr> &members) {
  std::string doc = docBefore(peek());
  size_t count = members.size();
  bool ok = false;
  if (acceptWord("param")) {
    ok = parseParam(members, "param");
  } else if ((atWord("state") || atWord("stream")) && peek(1).is(TokenKind::Identifier)) {
    ok = parseParam(members, advance().text);
  } else if (atWord("fn")) {
    auto function = parseFunction();
    ok = function != nullptr;
    if (ok) members.push_back(std::move(function));
  } else if (at(TokenKind::Identifier) && peek(1).is(TokenKind::Colon)) {
    ok = parseInstance(members);
  } else {
    fail("param, state, stream, fn, or the name and layer of a part");
  }
  for (size_t i = count; i < members.size(); ++i)
    members[i]->doc = doc;
  return ok;
}

/// param a, b: f32[64] ~ zeros from "a.bias" transposed
bool Parser::parseParam(std::vector<DeclPtr> &members, llvm::StringRef kind) {
  bool isState = kind != "param";
  std::vector<Name> names;
  do {
    std::optional<Name> name = expectName(isState ? "the name of a state" : "the name of a parameter");
    if (!name) return false;
    names.push_back(*name);
  } while (accept(TokenKind::Comma));
  if (!expect(TokenKind::Colon, "':' and a type")) return false;
  std::optional<TypeExpr> type = parseType();
  if (!type) return false;
  auto sharedType = std::make_shared<TypeExpr>(std::move(*type));
  std::shared_ptr<Expr> init;
  if (accept(TokenKind::Tilde) && !(init = parseExpr())) return false;
  std::optional<FromClause> from;
  if (atWord("from") && !(from = parseFrom())) return false;
  if (from && kind == "stream") {
    diagnostics.error(from->range, "expected no 'from' behind a stream, which is in no file");
    return true;
  }
  if (from && names.size() > 1) {
    diagnostics.error(from->range, "expected one parameter before 'from', but got " + llvm::Twine(names.size()));
    return true;
  }
  for (const Name &name : names) {
    auto decl = std::make_unique<ParamDecl>(name);
    decl->isState = isState;
    decl->isStream = kind == "stream";
    decl->type = sharedType;
    decl->init = init;
    decl->from = from;
    members.push_back(std::move(decl));
  }
  return true;
}

/// from "encoder.weight" transposed
std::optional<FromClause> Parser::parseFrom() {
  if (!acceptWord("from")) return fail("'from' and a name in the checkpoint"), std::nullopt;
  if (!at(TokenKind::String)) return fail("a name in the checkpoint, in quotes"), std::nullopt;
  const Token &source = advance();
  FromClause clause{source.text.trim('"'), source.range(), false};
  clause.transposed = acceptWord("transposed");
  return clause;
}

/// blocks: Block(384, 12)[6] from "layer.{i}" { wq from "query.weight" transposed }
bool Parser::parseInstance(std::vector<DeclPtr> &members) {
  std::optional<Name> name = expectName("a name");
  if (!name || !expect(TokenKind::Colon)) return false;
  std::optional<Name> layer = expectName("the name of a layer");
  if (!layer) return false;
  auto decl = std::make_unique<InstanceDecl>(*name);
  decl->layer = *layer;
  if (!expect(TokenKind::LeftParen, "'(' and the layer's arguments") || !parseArguments(decl->arguments)) return false;
  if (accept(TokenKind::LeftBracket)) {
    const Token &opening = previous();
    decl->count = parseExpr();
    if (!decl->count || !expectClosing(TokenKind::RightBracket, opening)) return false;
  }
  if (atWord("from") && !(decl->from = parseFrom())) return false;
  if (at(TokenKind::LeftBrace) && !parseMappings(*decl)) return false;
  members.push_back(std::move(decl));
  return true;
}

bool Parser::parseMappings(InstanceDecl &instance) {
  const Token &opening = advance();
  while (!at(TokenKind::RightBrace) && !at(TokenKind::EndOfFile)) {
    size_t before = position;
    markStart();
    if (!parseMapping(instance)) recover(&Parser::atEntry);
    if (position == before) break;
  }
  return expectClosing(TokenKind::RightBrace, opening);
}

/// attention.wq from "attention.self.query.weight" transposed
bool Parser::parseMapping(InstanceDecl &instance) {
  SourceMapping mapping;
  do {
    std::optional<Name> name = expectName("the name of a parameter of the layer");
    if (!name) return false;
    mapping.path.push_back(*name);
  } while (accept(TokenKind::Dot));
  std::optional<FromClause> from = parseFrom();
  if (!from) return false;
  mapping.from = *from;
  instance.mappings.push_back(std::move(mapping));
  return true;
}

/// fn f(x: f32[B], m: W) -> f32[B, m] { ... }
std::unique_ptr<FunctionDecl> Parser::parseFunction() {
  advance();
  std::optional<Name> name = expectName("the name of a function");
  if (!name) return nullptr;
  auto decl = std::make_unique<FunctionDecl>(*name);
  if (!parseInputs(*decl)) return nullptr;
  if (accept(TokenKind::Arrow) && !(decl->result = parseType())) return nullptr;
  if (!parseBlock(decl->body, 0)) return nullptr;
  decl->end = previous().range();
  return decl;
}

bool Parser::parseInputs(FunctionDecl &function) {
  if (!expect(TokenKind::LeftParen, "'(' and the inputs")) return false;
  const Token &opening = previous();
  while (!at(TokenKind::RightParen)) {
    InputDecl input;
    input.doc = docBefore(peek());
    std::optional<Name> name = expectName("the name of an input");
    if (!name) return false;
    input.name = *name;
    if (accept(TokenKind::Colon) && !(input.type = parseType())) return false;
    function.inputs.push_back(std::move(input));
    if (!accept(TokenKind::Comma)) break;
  }
  return expectClosing(TokenKind::RightParen, opening);
}

/// Types of values that this version cannot hold are read to the end of the line's meaning, so that one error is all.
void Parser::rejectLaterTypes() {
  notYet(peek().range(), "'" + peek().text + "'");
  advance();
}

/// f32[B, 10] | nested[W] f32[B, 10] | sparse[32] f32[B, 512] | sparse[<=c] f32[B, 512] | code[512][B] | [4, 8] | 1..6
std::optional<TypeExpr> Parser::parseType() {
  TypeExpr type;
  llvm::SMLoc begin = peek().begin();
  if (at(TokenKind::LeftBracket) || at(TokenKind::Integer)) {
    type.choices = parseExpr();
    if (!type.choices) return std::nullopt;
  } else if (!parseTensorType(type)) {
    return std::nullopt;
  }
  type.range = since(begin);
  return type;
}

bool Parser::parseTensorType(TypeExpr &type) {
  if (atWord("stream")) return rejectLaterTypes(), false;
  bool isCode = atWord("code") && peek(1).is(TokenKind::LeftBracket);
  if (isCode) return parseBracketed(type.count) && (!at(TokenKind::LeftBracket) || parseSizes(type));
  if (atWord("nested") && peek(1).is(TokenKind::LeftBracket) && !parseBracketed(type.widths)) return false;
  if (atWord("sparse") && peek(1).is(TokenKind::LeftBracket)) {
    type.isTotal = peek(2).is(TokenKind::LessEqual);
    if (!parseBracketed(type.limit, type.isTotal)) return false;
  }
  std::optional<Name> element = expectName("a type, such as f32[B, 64]");
  if (!element) return false;
  type.element = *element;
  return !at(TokenKind::LeftBracket) || parseSizes(type);
}

/// The word at hand and what stands in brackets behind it: nested[W], sparse[<=c], code[K].
bool Parser::parseBracketed(ExprPtr &inside, bool skipsSign) {
  advance();
  const Token &opening = advance();
  if (skipsSign) advance();
  inside = parseExpr();
  return inside && expectClosing(TokenKind::RightBracket, opening);
}

/// [B, 10]
bool Parser::parseSizes(TypeExpr &type) {
  const Token &opening = advance();
  while (!at(TokenKind::RightBracket)) {
    ExprPtr size = parseExpr();
    if (!size) return false;
    type.sizes.push_back(std::move(size));
    if (!accept(TokenKind::Comma)) break;
  }
  return expectClosing(TokenKind::RightBracket, opening);
}
