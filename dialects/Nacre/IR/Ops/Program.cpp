// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parameters have no behaviour of their own; taps are the identity, and a choice is one of its operands.
#include "dialects/Nacre/IR/Ops/Program.h"

using namespace nacre;
using namespace mlir;

LogicalResult TapOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(0);
  return success();
}
LogicalResult TapOp::differentiate(OpBuilder &, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  gradients.push_back(cotangents[0]);
  return success();
}

LogicalResult CondOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(evaluation.in(0).data[0] != 0 ? 1 : 2);
  return success();
}
/// Both sides take the whole cotangent: `differentiate` drops what leaves a side that was not taken.
LogicalResult CondOp::differentiate(OpBuilder &, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  gradients.append({Value(), cotangents[0], cotangents[0]});
  return success();
}

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Program.cpp.inc"
void NacreDialect::addProgram() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Program.cpp.inc"
      >();
}
