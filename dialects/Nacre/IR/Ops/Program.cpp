// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parameters have no behaviour of their own: the generated definitions are all there is.
#include "dialects/Nacre/IR/Ops/Program.h"

using namespace nacre;
using namespace mlir;

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Program.cpp.inc"
void NacreDialect::addProgram() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Program.cpp.inc"
      >();
}
