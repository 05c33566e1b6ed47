// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tokens to tree, by recursive descent; frontend/Grammar.md is the grammar.
//
// After an error the parser goes on at the next statement, member or declaration, so that one file yields all its errors.
// Recursion is bounded by `kMaxHeight`, whatever the input.
#pragma once

#include "frontend/Ast.h"
#include "frontend/Lexer.h"

namespace nacre {

class Parser {
public:
  /// `tokens` is borrowed and outlives the parser.
  Parser(const Tokens &tokens, Diagnostics &diagnostics) : tokens(tokens), diagnostics(diagnostics) {}

  /// The whole file; what could not be read is missing from the tree and reported.
  Ast parseFile();

private:
  // Tokens and recovery: Parser.cpp
  const Token &peek(size_t ahead = 0) const;
  const Token &previous() const { return tokens.list[position - 1]; }
  const Token &advance();
  bool at(TokenKind kind) const { return peek().is(kind); }
  bool atWord(llvm::StringRef word) const { return peek().isWord(word); }
  bool accept(TokenKind kind);
  bool acceptWord(llvm::StringRef word);
  /// Reports "expected <what>, but got <token>" and returns false when the next token is another.
  bool expect(TokenKind kind, llvm::StringRef what = "");
  std::nullptr_t fail(llvm::StringRef expected);
  std::optional<Name> expectName(llvm::StringRef what);
  bool expectClosing(TokenKind closing, const Token &opening);
  llvm::SMRange since(llvm::SMLoc begin) const { return {begin, previous().end()}; }
  void markStart() { ast.starts.push_back(peek().text.begin()); }
  std::string docBefore(const Token &token) const;
  std::nullptr_t notYet(llvm::SMRange range, const llvm::Twine &what);
  /// Skips to where `isStart` holds or to the closing brace of the present block, over balanced inner braces.
  void recover(bool (Parser::*isStart)() const);
  bool atDeclaration() const;
  bool atMember() const;
  bool atStatement() const;
  bool atEntry() const;
  void skipBraces();

  // Declarations: ParseDeclarations.cpp, ParseMembers.cpp
  void parseDeclaration();
  bool parseDim();
  bool parseWidths();
  bool parseImport();
  bool parseTrain();
  bool parseTrainEntry(TrainDecl &train);
  bool parseLayer();
  bool parseModel();
  bool parseMembers(std::vector<DeclPtr> &members);
  bool parseMember(std::vector<DeclPtr> &members);
  bool parseParam(std::vector<DeclPtr> &members, llvm::StringRef kind);
  std::optional<FromClause> parseFrom();
  bool parseInstance(std::vector<DeclPtr> &members);
  bool parseMappings(InstanceDecl &instance);
  bool parseMapping(InstanceDecl &instance);
  std::unique_ptr<FunctionDecl> parseFunction();
  bool parseInputs(FunctionDecl &function);
  std::optional<TypeExpr> parseType();
  bool parseTensorType(TypeExpr &type);
  bool parseBracketed(ExprPtr &inside, bool skipsSign = false);
  bool parseSizes(TypeExpr &type);
  void rejectLaterTypes();

  // Statements: ParseStatements.cpp
  bool parseBlock(Block &block, unsigned depth);
  std::unique_ptr<Statement> parseStatement(unsigned depth);
  std::unique_ptr<Statement> parseAssign();
  std::unique_ptr<Statement> parseTap();
  std::unique_ptr<Statement> parseReturn();
  std::unique_ptr<Statement> parseFor(unsigned depth);
  std::unique_ptr<Statement> parseIf(unsigned depth);
  std::unique_ptr<Statement> parseAssert();
  std::unique_ptr<Statement> parseUpdate(unsigned depth);
  /// Whether `name = ` or `name.member = ` follows.
  bool atAssignment() const;

  // Expressions: ParseExpressions.cpp. All return null after an error was reported.
  ExprPtr parseExpr();
  ExprPtr parseRange();
  ExprPtr parseComparison();
  ExprPtr parseSum();
  ExprPtr parseProduct();
  ExprPtr parseUnary();
  ExprPtr parsePostfix();
  ExprPtr parsePrimary();
  ExprPtr parseNumber();
  ExprPtr parseList();
  ExprPtr parseMap();
  ExprPtr parseCall(ExprPtr callee);
  bool parseArguments(std::vector<Argument> &arguments);
  ExprPtr parseMember(ExprPtr base);
  ExprPtr parseIndex(ExprPtr base);
  std::optional<IndexItem> parseIndexItem();
  ExprPtr makeBinary(BinaryOp op, llvm::SMRange opRange, ExprPtr left, ExprPtr right);
  /// Sets the height from the children; null and an error when it passes the limit.
  ExprPtr finish(ExprPtr expr, llvm::ArrayRef<const Expr *> children);
  std::nullptr_t tooDeep(llvm::SMRange range);

  const Tokens &tokens;
  Diagnostics &diagnostics;
  size_t position = 0;
  unsigned depth = 0; ///< of the expression being parsed
  Ast ast;
};

/// Splits and parses one buffer.
Ast parse(llvm::StringRef text, Diagnostics &diagnostics);

} // namespace nacre
