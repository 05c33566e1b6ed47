// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tree of a program, as written: names are not resolved, nothing is checked.
//
// Invariant: no expression is higher than `kMaxHeight` and no block nests deeper, so recursion over the tree is safe.
// All text points into the Source's buffers.
#pragma once

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Casting.h"
#include "llvm/Support/SMLoc.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nacre {

/// 256: far above what people write, far below what a thread's stack can take.
inline constexpr unsigned kMaxHeight = 256;

struct Name {
  llvm::StringRef text;
  llvm::SMRange range;
};

//===--- expressions ---===//

enum class ExprKind { Integer, Real, String, Name, Negate, Binary, Call, Member, Index, List, Map, Range };

struct Expr {
  Expr(ExprKind kind, llvm::SMRange range) : kind(kind), range(range) {}
  virtual ~Expr() = default;
  const ExprKind kind;
  llvm::SMRange range;
  unsigned height = 1; ///< 1 for a leaf
};
using ExprPtr = std::unique_ptr<Expr>;

template <ExprKind Kind> struct ExprOf : Expr {
  explicit ExprOf(llvm::SMRange range) : Expr(Kind, range) {}
  static bool classof(const Expr *expr) { return expr->kind == Kind; }
};

struct IntegerExpr : ExprOf<ExprKind::Integer> {
  using ExprOf::ExprOf;
  int64_t value = 0;
};
struct RealExpr : ExprOf<ExprKind::Real> {
  using ExprOf::ExprOf;
  double value = 0;
};
struct StringExpr : ExprOf<ExprKind::String> {
  using ExprOf::ExprOf;
  llvm::StringRef value; ///< without quotes
};
struct NameExpr : ExprOf<ExprKind::Name> {
  using ExprOf::ExprOf;
  llvm::StringRef name;
};
struct NegateExpr : ExprOf<ExprKind::Negate> {
  using ExprOf::ExprOf;
  ExprPtr operand;
};

enum class BinaryOp { Add, Sub, Mul, Div, Less, LessEqual, Greater, GreaterEqual, Equal, NotEqual };
/// "+", "<=", ...
llvm::StringRef sign(BinaryOp op);

struct BinaryExpr : ExprOf<ExprKind::Binary> {
  using ExprOf::ExprOf;
  BinaryOp op = BinaryOp::Add;
  llvm::SMRange opRange;
  ExprPtr left, right;
};

struct Argument {
  std::optional<Name> name; ///< `eps = 1e-5`
  ExprPtr value;
};
struct CallExpr : ExprOf<ExprKind::Call> {
  using ExprOf::ExprOf;
  ExprPtr callee; ///< a NameExpr or a MemberExpr in a valid program
  std::vector<Argument> arguments;
};
struct MemberExpr : ExprOf<ExprKind::Member> {
  using ExprOf::ExprOf;
  ExprPtr base;
  Name member;
};

/// `i`, `a:b`, `:b`, `a:` or `:`
struct IndexItem {
  llvm::SMRange range;
  bool isSlice = false;
  ExprPtr start; ///< the index itself when not a slice
  ExprPtr end;
};
struct IndexExpr : ExprOf<ExprKind::Index> {
  using ExprOf::ExprOf;
  ExprPtr base;
  std::vector<IndexItem> items;
};
struct ListExpr : ExprOf<ExprKind::List> {
  using ExprOf::ExprOf;
  std::vector<ExprPtr> items;
};
struct MapEntry {
  Name key;
  ExprPtr value;
};
struct MapExpr : ExprOf<ExprKind::Map> {
  using ExprOf::ExprOf;
  std::vector<MapEntry> entries;
};
/// `start..end`, without the end
struct RangeExpr : ExprOf<ExprKind::Range> {
  using ExprOf::ExprOf;
  ExprPtr start, end;
};

/// `nested[W] f32[B, 10]`; or, of an input, the choices `[4, 8]` or `1..6`.
struct TypeExpr {
  llvm::SMRange range;
  ExprPtr widths; ///< of `nested[...]`, else null
  ExprPtr limit;  ///< of `sparse[k]` and `sparse[<=c]`, else null
  bool isTotal = false; ///< `sparse[<=c]`: the limit counts all rows together
  ExprPtr count;  ///< of `code[K]`, else null; then there is no element
  Name element;   ///< f32, i32, bool, or the name of a list of widths
  std::vector<ExprPtr> sizes;
  ExprPtr choices; ///< when set, all above is empty
};

//===--- statements ---===//

enum class StatementKind { Assign, Return, For, If, Assert, Update };

struct Statement {
  Statement(StatementKind kind, llvm::SMRange range) : kind(kind), range(range) {}
  virtual ~Statement() = default;
  const StatementKind kind;
  llvm::SMRange range; ///< of the first token to the last
};
using Block = std::vector<std::unique_ptr<Statement>>;

template <StatementKind Kind> struct StatementOf : Statement {
  explicit StatementOf(llvm::SMRange range) : Statement(Kind, range) {}
  static bool classof(const Statement *statement) { return statement->kind == Kind; }
};
struct AssignStatement : StatementOf<StatementKind::Assign> {
  using StatementOf::StatementOf;
  Name name;
  std::vector<Name> path; ///< `b.keys = x`: what comes after the first name
  ExprPtr value;
  bool isTap = false; ///< `tap x = value`
};
struct ReturnStatement : StatementOf<StatementKind::Return> {
  using StatementOf::StatementOf;
  ExprPtr value;
};
struct ForStatement : StatementOf<StatementKind::For> {
  using StatementOf::StatementOf;
  Name variable;
  ExprPtr values;
  Block body;
};
struct IfStatement : StatementOf<StatementKind::If> {
  using StatementOf::StatementOf;
  ExprPtr condition;
  Block body;
  Block otherwise; ///< empty without `else`; one IfStatement for `else if`
};
struct AssertStatement : StatementOf<StatementKind::Assert> {
  using StatementOf::StatementOf;
  ExprPtr condition;
  std::optional<std::string> message;
};

/// update { keys = ... }
struct UpdateStatement : StatementOf<StatementKind::Update> {
  using StatementOf::StatementOf;
  Block body;
};

//===--- declarations ---===//

enum class DeclKind { Dim, Widths, Param, Instance, Function, Layer, Model, Train, Import };

struct Decl {
  Decl(DeclKind kind, Name name) : kind(kind), name(name) {}
  virtual ~Decl() = default;
  const DeclKind kind;
  Name name;
  std::string doc; ///< the lines of `///` before it
};
using DeclPtr = std::unique_ptr<Decl>;

template <DeclKind Kind> struct DeclOf : Decl {
  explicit DeclOf(Name name) : Decl(Kind, name) {}
  static bool classof(const Decl *decl) { return decl->kind == Kind; }
};

struct DimDecl : DeclOf<DeclKind::Dim> {
  using DeclOf::DeclOf;
  int64_t bound = 0;
};
struct WidthsDecl : DeclOf<DeclKind::Widths> {
  using DeclOf::DeclOf;
  ExprPtr widths;
};
/// The place of a tensor or of a layer's tensors in a published checkpoint.
struct FromClause {
  llvm::StringRef source;
  llvm::SMRange range;
  bool transposed = false;
};
/// One name; `param a, b: f32[4]` makes two that share `type` and `init`.
struct ParamDecl : DeclOf<DeclKind::Param> {
  using DeclOf::DeclOf;
  bool isState = false;  ///< a stream is one, too
  bool isStream = false;
  std::shared_ptr<TypeExpr> type;
  std::shared_ptr<Expr> init; ///< null: by rank
  std::optional<FromClause> from;
};
/// `wq from "attention.self.query.weight" transposed`
struct SourceMapping {
  std::vector<Name> path;
  FromClause from;
};
struct InstanceDecl : DeclOf<DeclKind::Instance> {
  using DeclOf::DeclOf;
  Name layer;
  std::vector<Argument> arguments;
  ExprPtr count; ///< null: one, not an array
  std::optional<FromClause> from;
  std::vector<SourceMapping> mappings;
};
struct InputDecl {
  Name name;
  std::string doc;
  std::optional<TypeExpr> type; ///< absent: any value
};
struct FunctionDecl : DeclOf<DeclKind::Function> {
  using DeclOf::DeclOf;
  std::vector<InputDecl> inputs;
  std::optional<TypeExpr> result;
  Block body;
  llvm::SMRange end;    ///< the closing brace
  bool isTyped() const; ///< every input has a type
};
struct LayerDecl : DeclOf<DeclKind::Layer> {
  using DeclOf::DeclOf;
  std::vector<Name> arguments;
  std::vector<DeclPtr> members; ///< ParamDecl, InstanceDecl, FunctionDecl
};
struct ModelDecl : DeclOf<DeclKind::Model> {
  using DeclOf::DeclOf;
  std::vector<DeclPtr> members;
};
/// `batch = 128`, or `after_step { ... }`, which has no value.
struct TrainEntry {
  Name key;
  ExprPtr value;
  Block block;
};
/// `name` is the model's.
struct TrainDecl : DeclOf<DeclKind::Train> {
  using DeclOf::DeclOf;
  Name function;
  std::vector<TrainEntry> entries;
};
/// `name` is the path, in its quotes.
struct ImportDecl : DeclOf<DeclKind::Import> {
  using DeclOf::DeclOf;
  llvm::StringRef path;
};

/// All declarations of a file.
struct Ast {
  std::vector<DeclPtr> declarations;
  /// Where declarations, members, statements and entries begin; the formatter keeps them apart.
  std::vector<const char *> starts;
};

} // namespace nacre
