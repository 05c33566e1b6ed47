// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/Interface.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace nacre;

std::string nacre::prefixOf(const ModelDescription &model) { return llvm::StringRef(model.name).lower(); }

/// Words of C and C++ that may not name an argument, and the two names that every typed function uses itself.
static const llvm::StringSet<> &takenWords() {
  static const llvm::StringSet<> words = {
      "context", "error",    "alignas",   "alignof",  "and",       "asm",         "auto",      "bool",     "break",    "case",
      "catch",   "char",     "class",     "compl",    "concept",   "const",       "continue",  "default",  "delete",   "do",
      "double",  "else",     "enum",      "explicit", "export",    "extern",      "false",     "float",    "for",      "friend",
      "goto",    "if",       "inline",    "int",      "long",      "mutable",     "namespace", "new",      "noexcept", "not",
      "nullptr", "operator", "or",        "private",  "protected", "public",      "register",  "requires", "restrict", "return",
      "short",   "signed",   "sizeof",    "static",   "struct",    "switch",      "template",  "this",     "throw",    "true",
      "try",     "typedef",  "typeid",    "typename", "union",     "unsigned",    "using",     "virtual",  "void",     "volatile",
      "while",   "xor",      "constexpr", "decltype", "typeof",    "thread_local"};
  return words;
}

/// What the library exports beside its functions; a function of such a name gets "_fn" appended.
static bool isTakenSuffix(llvm::StringRef name) {
  return name == "model" || name.starts_with("parameters_") || name.starts_with("context_");
}

std::string nacre::freshName(llvm::StringRef wanted, llvm::StringSet<> &used) {
  std::string name;
  for (char c : wanted)
    name += llvm::isAlnum(c) ? c : '_';
  if (name.empty() || llvm::isDigit(name[0])) name = "a" + name;
  while (takenWords().contains(name) || !used.insert(name).second)
    name += '_';
  return name;
}

static bool isMentioned(const FunctionDescription &function, llvm::StringRef dim) {
  for (const auto *ports : {&function.inputs, &function.outputs})
    for (const PortDescription &port : *ports)
      for (const Dim &size : port.shape)
        if (size.mentions(dim)) return true;
  return false;
}

bool nacre::isChosen(const ModelDescription &model, size_t dim) {
  for (const FunctionDescription &function : model.functions)
    for (const PortDescription &port : function.inputs)
      if (port.choiceDim == int(dim) || port.choiceIndexDim == int(dim)) return true;
  return false;
}

TypedFunction nacre::typedFunction(const ModelDescription &model, const FunctionDescription &function) {
  TypedFunction typed;
  typed.symbol = prefixOf(model) + "_" + function.name + (isTakenSuffix(function.name) ? "_fn" : "");
  llvm::StringSet<> used;
  for (size_t i = 0; i < model.dims.size(); ++i)
    if (isMentioned(function, model.dims[i].name) && !isChosen(model, i))
      typed.arguments.push_back({TypedArgument::DimSize, int(i), freshName(model.dims[i].name, used)});
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    const PortDescription &port = function.inputs[i];
    auto kind = port.shape.empty() ? TypedArgument::InputValue : TypedArgument::InputArray;
    typed.arguments.push_back({kind, int(i), freshName(port.name, used)});
  }
  for (size_t i = 0; i < function.outputs.size(); ++i)
    typed.arguments.push_back({TypedArgument::OutputArray, int(i), freshName(function.outputs[i].name, used)});
  return typed;
}

std::string nacre::tappedSymbol(const TypedFunction &typed) { return typed.symbol + "_tapped"; }

std::vector<std::string> nacre::tapConstants(const ModelDescription &model, const FunctionDescription &function) {
  std::vector<std::string> names;
  llvm::StringSet<> used;
  for (const TapDescription &tap : function.taps)
    names.push_back(freshName(llvm::StringRef(prefixOf(model) + "_" + function.name + "_tap_" + tap.name).upper(), used));
  return names;
}
