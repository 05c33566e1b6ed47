// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model or a layer with its arguments filled in: its parameters are declared in the IR, its parts are instances too.
#pragma once

#include "dialects/Nacre/IR/Operator.h"
#include "dialects/Nacre/IR/Ops/Program.h"
#include "frontend/Ast.h"
#include "frontend/Meaning.h"

#include "llvm/ADT/StringMap.h"

#include <memory>

namespace nacre {

struct Instance {
  llvm::StringRef kind; ///< the name of the layer or the model
  std::string path;     ///< "blocks.0"; empty for the model itself
  const std::vector<DeclPtr> *members = nullptr;
  llvm::StringMap<Meaning> arguments; ///< D = 384, ...
  struct Parameter {
    ParameterOp op;
    const ParamDecl *decl;
  };
  llvm::StringMap<Parameter> parameters;
  llvm::StringMap<Meaning> parts; ///< `const Instance *` or PartArray
  std::vector<std::unique_ptr<Instance>> owned;

  /// The function of that name, or null.
  const FunctionDecl *function(llvm::StringRef name) const;
  /// The declaration of that name, or null.
  const Decl *member(llvm::StringRef name) const;
};

} // namespace nacre
