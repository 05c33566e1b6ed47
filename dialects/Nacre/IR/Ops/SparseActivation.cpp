// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Ops/SparseActivation.h"

#include "dialects/Nacre/IR/Expression.h"

using namespace nacre;
using namespace mlir;

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/SparseActivation.cpp.inc"
void NacreDialect::addSparseActivation() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/SparseActivation.cpp.inc"
      >();
}
