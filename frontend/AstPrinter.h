// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tree as text, for `--emit=ast` and for tests: one line a declaration or statement, expressions in prefix form.
#pragma once

#include "frontend/Ast.h"

#include "llvm/Support/raw_ostream.h"

namespace nacre {

void printAst(const Ast &ast, llvm::raw_ostream &out);

} // namespace nacre
