// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Ops/Convolution.h"

#include "dialects/Nacre/IR/Expression.h"

using namespace nacre;
using namespace mlir;

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Convolution.cpp.inc"
void NacreDialect::addConvolution() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Convolution.cpp.inc"
      >();
}
