// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Ops/Factorization.h"

#include "dialects/Nacre/IR/Expression.h"

using namespace nacre;
using namespace mlir;

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Factorization.cpp.inc"
void NacreDialect::addFactorization() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Factorization.cpp.inc"
      >();
}
