// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/AstPrinter.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Format.h"

using namespace nacre;
using llvm::raw_ostream;

namespace {

class Printer {
public:
  explicit Printer(raw_ostream &out) : out(out) {}

  void print(const Decl &decl, unsigned indent) {
    for (llvm::StringRef rest = decl.doc; !rest.empty();) {
      auto [line, more] = rest.split('\n');
      start(indent) << "doc \"" << line << "\"\n";
      rest = more;
    }
    llvm::TypeSwitch<const Decl *>(&decl)
        .Case([&](const DimDecl *dim) { start(indent) << "dim " << dim->name.text << " <= " << dim->bound << "\n"; })
        .Case([&](const WidthsDecl *widths) { print(*widths, indent); })
        .Case([&](const ParamDecl *param) { print(*param, indent); })
        .Case([&](const InstanceDecl *instance) { print(*instance, indent); })
        .Case([&](const FunctionDecl *function) { print(*function, indent); })
        .Case([&](const LayerDecl *layer) { print(*layer, indent); })
        .Case([&](const ModelDecl *model) {
          start(indent) << "model " << model->name.text << "\n";
          for (const DeclPtr &member : model->members)
            print(*member, indent + 1);
        })
        .Case([&](const TrainDecl *train) { print(*train, indent); })
        .Case([&](const ImportDecl *import) { start(indent) << "import \"" << import->path << "\"\n"; });
  }

private:
  raw_ostream &start(unsigned indent) { return out.indent(2 * indent); }

  void print(const WidthsDecl &widths, unsigned indent) {
    start(indent) << "widths " << widths.name.text << " = ";
    print(*widths.widths);
    out << "\n";
  }

  void print(const ParamDecl &param, unsigned indent) {
    start(indent) << (param.isStream ? "stream " : param.isState ? "state " : "param ") << param.name.text << ": ";
    print(*param.type);
    if (param.init) {
      out << " ~ ";
      print(*param.init);
    }
    if (param.from) print(*param.from);
    out << "\n";
  }

  void print(const FromClause &from) { out << " from \"" << from.source << "\"" << (from.transposed ? " transposed" : ""); }

  void print(const InstanceDecl &instance, unsigned indent) {
    start(indent) << "part " << instance.name.text << ": (" << instance.layer.text;
    print(instance.arguments);
    out << ")";
    if (instance.count) {
      out << " count ";
      print(*instance.count);
    }
    if (instance.from) print(*instance.from);
    out << "\n";
    for (const SourceMapping &mapping : instance.mappings) {
      start(indent + 1) << "map ";
      llvm::interleave(
          mapping.path, out, [&](const Name &name) { out << name.text; }, ".");
      print(mapping.from);
      out << "\n";
    }
  }

  void print(const FunctionDecl &function, unsigned indent) {
    start(indent) << "fn " << function.name.text << "(";
    llvm::interleaveComma(function.inputs, out, [&](const InputDecl &input) {
      out << input.name.text;
      if (!input.type) return;
      out << ": ";
      print(*input.type);
    });
    out << ")";
    if (function.result) {
      out << " -> ";
      print(*function.result);
    }
    out << "\n";
    print(function.body, indent + 1);
  }

  void print(const LayerDecl &layer, unsigned indent) {
    start(indent) << "layer " << layer.name.text << "(";
    llvm::interleaveComma(layer.arguments, out, [&](const Name &name) { out << name.text; });
    out << ")\n";
    for (const DeclPtr &member : layer.members)
      print(*member, indent + 1);
  }

  void print(const TrainDecl &train, unsigned indent) {
    start(indent) << "train " << train.name.text << "." << train.function.text << "\n";
    for (const TrainEntry &entry : train.entries) {
      start(indent + 1) << entry.key.text << (entry.value ? " = " : "");
      if (entry.value) print(*entry.value);
      out << "\n";
      print(entry.block, indent + 2);
    }
  }

  void print(const Block &block, unsigned indent) {
    for (const auto &statement : block)
      print(*statement, indent);
  }

  void print(const Statement &statement, unsigned indent) {
    start(indent);
    if (const auto *assign = llvm::dyn_cast<AssignStatement>(&statement)) {
      out << (assign->isTap ? "tap " : "") << assign->name.text;
      for (const Name &member : assign->path)
        out << "." << member.text;
      out << " = ";
      print(*assign->value);
    } else if (const auto *update = llvm::dyn_cast<UpdateStatement>(&statement)) {
      out << "update\n";
      return print(update->body, indent + 1);
    } else if (const auto *result = llvm::dyn_cast<ReturnStatement>(&statement)) {
      out << "return ";
      print(*result->value);
    } else if (const auto *assertion = llvm::dyn_cast<AssertStatement>(&statement)) {
      out << "assert ";
      print(*assertion->condition);
      if (assertion->message) out << ", \"" << *assertion->message << "\"";
    } else if (const auto *branch = llvm::dyn_cast<IfStatement>(&statement)) {
      out << "if ";
      print(*branch->condition);
      out << "\n";
      print(branch->body, indent + 1);
      if (branch->otherwise.empty()) return;
      start(indent) << "else\n";
      return print(branch->otherwise, indent + 1);
    } else {
      const auto &loop = *llvm::cast<ForStatement>(&statement);
      out << "for " << loop.variable.text << " in ";
      print(*loop.values);
      out << "\n";
      return print(loop.body, indent + 1);
    }
    out << "\n";
  }

  void print(const TypeExpr &type) {
    if (type.choices) return print(*type.choices);
    auto bracketed = [&](llvm::StringRef word, const ExprPtr &inside) {
      if (!inside) return;
      out << word;
      print(*inside);
      out << "]";
    };
    bracketed("nested[", type.widths);
    bracketed(type.isTotal ? "sparse[<=" : "sparse[", type.limit);
    bracketed("code[", type.count);
    if (type.widths || type.limit) out << " ";
    out << type.element.text;
    if (type.sizes.empty()) return;
    out << "[";
    llvm::interleaveComma(type.sizes, out, [&](const ExprPtr &size) { print(*size); });
    out << "]";
  }

  void print(llvm::ArrayRef<Argument> arguments) {
    for (const Argument &argument : arguments) {
      out << " ";
      if (argument.name) out << argument.name->text << "=";
      print(*argument.value);
    }
  }

  void printIndex(const IndexExpr &index) {
    out << "(index ";
    print(*index.base);
    for (const IndexItem &item : index.items) {
      out << " ";
      if (item.start) print(*item.start);
      if (item.isSlice) out << ":";
      if (item.end) print(*item.end);
    }
    out << ")";
  }

  void printEntry(const MapEntry &entry) {
    out << entry.key.text << ":";
    print(*entry.value);
  }

  void print(const Expr &expr) {
    llvm::TypeSwitch<const Expr *>(&expr)
        .Case([&](const IntegerExpr *number) { out << number->value; })
        .Case([&](const RealExpr *number) { out << llvm::format("%.17g", number->value); })
        .Case([&](const StringExpr *text) { out << '"' << text->value << '"'; })
        .Case([&](const NameExpr *name) { out << name->name; })
        .Case([&](const NegateExpr *negate) {
          out << "(- ";
          print(*negate->operand);
          out << ")";
        })
        .Case([&](const BinaryExpr *binary) {
          out << "(" << sign(binary->op) << " ";
          print(*binary->left);
          out << " ";
          print(*binary->right);
          out << ")";
        })
        .Case([&](const CallExpr *call) {
          out << "(call ";
          print(*call->callee);
          print(call->arguments);
          out << ")";
        })
        .Case([&](const MemberExpr *member) {
          print(*member->base);
          out << "." << member->member.text;
        })
        .Case([&](const IndexExpr *index) { printIndex(*index); })
        .Case([&](const ListExpr *list) {
          out << "[";
          llvm::interleave(
              list->items, out, [&](const ExprPtr &item) { print(*item); }, " ");
          out << "]";
        })
        .Case([&](const MapExpr *map) {
          out << "{";
          llvm::interleave(
              map->entries, out, [&](const MapEntry &entry) { printEntry(entry); }, " ");
          out << "}";
        })
        .Case([&](const RangeExpr *range) {
          print(*range->start);
          out << "..";
          print(*range->end);
        });
  }

  raw_ostream &out;
};

} // namespace

void nacre::printAst(const Ast &ast, raw_ostream &out) {
  Printer printer(out);
  for (const DeclPtr &decl : ast.declarations)
    printer.print(*decl, 0);
}
