// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/KernelEpilogue.h"

#include "dialects/Nacre/IR/Operator.h"

#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace nacre::cpu {

std::vector<plan::ViewAttr> viewsOf(plan::LaunchOp launch) {
  std::vector<plan::ViewAttr> views;
  for (Attribute view : launch.getViews())
    views.push_back(cast<plan::ViewAttr>(view));
  return views;
}

/// The values that leave the epilogue.
static llvm::SmallVector<Value> outputsOf(plan::KernelOp kernel) {
  Block &body = kernel.getBody().front();
  for (Operation &op : body)
    if (isa<RowFold>(op))
      return {op.getOperand(0)};
  return llvm::to_vector(body.getTerminator()->getOperands());
}

/// The arguments that the epilogue reads: not those of the heart, nor what a fold has besides its rows.
static llvm::ArrayRef<BlockArgument> extrasOf(plan::KernelOp kernel, int64_t heartOperands) {
  Block &body = kernel.getBody().front();
  size_t tables = 0;
  for (Operation &op : body)
    if (isa<RowFold>(op))
      tables = op.getNumOperands() - 1;
  return llvm::ArrayRef<BlockArgument>(body.getArguments()).drop_front(heartOperands).drop_back(tables);
}

/// Lanes of the values that the element-wise operators make of a vector of sums.
static Values emitOperators(VectorBuilder &b, plan::KernelOp kernel, int64_t heartOperands, Value sum, llvm::ArrayRef<Value> extras) {
  Block &body = kernel.getBody().front();
  llvm::DenseMap<Value, Value> lanes;
  for (auto [argument, value] : llvm::zip(extrasOf(kernel, heartOperands), extras))
    lanes[argument] = value;
  for (Operation &op : body.without_terminator()) {
    if (isa<RowFold>(op))
      break;
    if (isa<Skeleton>(op)) {
      lanes[op.getResult(0)] = sum;
      continue;
    }
    if (isa<View>(op)) { // of a number: the same number; of the sums: the kernel walks them in that order
      lanes[op.getResult(0)] = lanes[op.getOperand(0)];
      continue;
    }
    llvm::SmallVector<Value> arguments, results;
    for (Value operand : op.getOperands())
      arguments.push_back(lanes[operand]);
    cast<Pointwise>(op).emit(b.op, arguments, results);
    for (auto [result, value] : llvm::zip(op.getResults(), results))
      lanes[result] = isa<VectorType>(value.getType()) ? value : b.broadcast(value);
  }
  Values outputs;
  for (Value output : outputsOf(kernel))
    outputs.push_back(lanes[output]);
  return outputs;
}

EpilogueSpec epilogueOf(plan::KernelOp kernel, int64_t heartOperands) {
  EpilogueSpec spec;
  for (BlockArgument extra : extrasOf(kernel, heartOperands))
    spec.extras.push_back(cast<StringAttr>(kernel.getAccess()[extra.getArgNumber()]).getValue() == "f32" ? Element::F32 : Element::I32);
  spec.outputs = static_cast<int64_t>(outputsOf(kernel).size());
  spec.epilogue = [kernel, heartOperands](VectorBuilder &b, Value sum, llvm::ArrayRef<Value> extras) {
    return emitOperators(b, kernel, heartOperands, sum, extras);
  };
  return spec;
}

} // namespace nacre::cpu
