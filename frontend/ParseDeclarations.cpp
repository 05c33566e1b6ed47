// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What stands at the top level of a file.
#include "frontend/Parser.h"

#include "llvm/ADT/StringExtras.h"

using namespace nacre;

Ast Parser::parseFile() {
  while (!at(TokenKind::EndOfFile)) {
    size_t before = position;
    markStart();
    parseDeclaration();
    if (position == before) advance(); // a stray closing brace
  }
  return std::move(ast);
}

void Parser::parseDeclaration() {
  std::string doc = docBefore(peek());
  size_t count = ast.declarations.size();
  bool ok = false;
  if (atWord("fn")) {
    auto function = parseFunction();
    ok = function != nullptr;
    if (ok) ast.declarations.push_back(std::move(function));
  } else if (atWord("param") || atWord("state")) {
    diagnostics.error(peek().range(), "expected a declaration, but got '" + peek().text + "', which belongs into a model or a layer");
    advance();
  } else {
    ok = acceptWord("dim")      ? parseDim()
         : acceptWord("widths") ? parseWidths()
         : acceptWord("layer")  ? parseLayer()
         : acceptWord("model")  ? parseModel()
         : acceptWord("train")  ? parseTrain()
         : acceptWord("import") ? parseImport()
                                : fail("dim, widths, layer, model, fn, train or import") != nullptr;
  }
  if (ast.declarations.size() > count) ast.declarations[count]->doc = doc;
  if (!ok) recover(&Parser::atDeclaration);
}

/// dim B <= 4096
bool Parser::parseDim() {
  std::optional<Name> name = expectName("the name of a dim");
  if (!name || !expect(TokenKind::LessEqual, "'<=' and the largest size")) return false;
  auto decl = std::make_unique<DimDecl>(*name);
  if (!at(TokenKind::Integer)) return fail("the largest size, an integer") != nullptr;
  const Token &bound = advance();
  // 2^31 - 1: sizes are stored as 64-bit integers, and their products must stay below 2^63
  if (!llvm::to_integer(bound.text, decl->bound, 10) || decl->bound < 1 || decl->bound > INT32_MAX) {
    diagnostics.error(bound.range(), "expected a bound from 1 to 2147483647, but got " + bound.text);
    return true;
  }
  ast.declarations.push_back(std::move(decl));
  return true;
}

/// widths W = [4, 8]
bool Parser::parseWidths() {
  std::optional<Name> name = expectName("the name of a list of widths");
  if (!name || !expect(TokenKind::Assign)) return false;
  auto decl = std::make_unique<WidthsDecl>(*name);
  decl->widths = parseExpr();
  if (!decl->widths) return false;
  ast.declarations.push_back(std::move(decl));
  return true;
}

/// import "layers.nacre"
bool Parser::parseImport() {
  if (!at(TokenKind::String)) return fail("the path of a file, in quotes") != nullptr;
  const Token &path = advance();
  auto decl = std::make_unique<ImportDecl>(Name{path.text, path.range()});
  decl->path = path.text.trim('"');
  ast.declarations.push_back(std::move(decl));
  return true;
}

/// layer Block(D, H) { ... }
bool Parser::parseLayer() {
  std::optional<Name> name = expectName("the name of a layer");
  if (!name) return false;
  auto decl = std::make_unique<LayerDecl>(*name);
  if (accept(TokenKind::LeftParen)) {
    const Token &opening = previous();
    while (!at(TokenKind::RightParen)) {
      std::optional<Name> argument = expectName("the name of an argument");
      if (!argument) return false;
      decl->arguments.push_back(*argument);
      if (!accept(TokenKind::Comma)) break;
    }
    if (!expectClosing(TokenKind::RightParen, opening)) return false;
  }
  LayerDecl &layer = *decl;
  ast.declarations.push_back(std::move(decl));
  return parseMembers(layer.members);
}

/// model Digits { ... }
bool Parser::parseModel() {
  std::optional<Name> name = expectName("the name of a model");
  if (!name) return false;
  auto decl = std::make_unique<ModelDecl>(*name);
  ModelDecl &model = *decl;
  ast.declarations.push_back(std::move(decl));
  return parseMembers(model.members);
}

/// train Digits.loss { optimizer = adamw(lr = 1e-3)  epochs = 40 }
bool Parser::parseTrain() {
  std::optional<Name> model = expectName("the name of a model");
  if (!model || !expect(TokenKind::Dot, "'.' and the function to minimise")) return false;
  std::optional<Name> function = expectName("the function to minimise");
  if (!function || !expect(TokenKind::LeftBrace)) return false;
  const Token &opening = previous();
  auto decl = std::make_unique<TrainDecl>(*model);
  decl->function = *function;
  while (!at(TokenKind::RightBrace) && !at(TokenKind::EndOfFile)) {
    size_t before = position;
    markStart();
    if (!parseTrainEntry(*decl)) recover(&Parser::atEntry);
    if (position == before) break; // the next declaration: a brace is missing
  }
  ast.declarations.push_back(std::move(decl));
  return expectClosing(TokenKind::RightBrace, opening);
}

/// batch = 128, or after_step { w = ... }
bool Parser::parseTrainEntry(TrainDecl &train) {
  if ((atWord("after_step") || atWord("update")) && peek(1).is(TokenKind::LeftBrace)) {
    const Token &key = advance();
    TrainEntry entry{Name{key.text, key.range()}, nullptr, {}};
    if (!parseBlock(entry.block, 0)) return false;
    train.entries.push_back(std::move(entry));
    return true;
  }
  if (!at(TokenKind::Identifier)) return expectName("a setting of the train block, such as batch") && false;
  const Token &key = advance();
  if (!expect(TokenKind::Assign)) return false;
  ExprPtr value = parseExpr();
  if (!value) return false;
  train.entries.push_back({Name{key.text, key.range()}, std::move(value), {}});
  return true;
}
