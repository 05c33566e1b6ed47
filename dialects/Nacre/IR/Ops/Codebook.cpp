// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Ops/Codebook.h"

#include "dialects/Nacre/IR/Expression.h"

using namespace nacre;
using namespace mlir;

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Codebook.cpp.inc"
void NacreDialect::addCodebook() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Codebook.cpp.inc"
      >();
}
