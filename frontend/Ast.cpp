// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Ast.h"

#include "llvm/ADT/STLExtras.h"

using namespace nacre;

llvm::StringRef nacre::sign(BinaryOp op) {
  static constexpr llvm::StringLiteral signs[] = {"+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!="};
  return signs[static_cast<int>(op)];
}

bool FunctionDecl::isTyped() const {
  return llvm::all_of(inputs, [](const InputDecl &input) { return input.type.has_value(); });
}
