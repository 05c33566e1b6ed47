// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Transforms/KernelTable.h"

#include "compiler/Transforms/Groups.h"
#include "dialects/Nacre/Transforms/Recompute.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/raw_ostream.h"

using namespace nacre;
using namespace mlir;

/// Attributes that hold extents; those reach a kernel through its launch.
static bool isExtent(StringRef name) {
  return llvm::is_contained({"shape", "size", "start", "rows", "count", "segments", "axis"}, name);
}

/// Free operators that the kernel computes for itself, before the operators that need them.
static void appendWithFree(Operation *op, const DenseMap<Value, int> &inputs, llvm::SmallVectorImpl<Operation *> &order) {
  if (llvm::is_contained(order, op))
    return;
  for (Value operand : op->getOperands())
    if (!inputs.count(operand) && isFree(operand))
      appendWithFree(operand.getDefiningOp(), inputs, order);
  order.push_back(op);
}

static SmallVector<Operation *> allOps(const KernelBody &body) {
  DenseMap<Value, int> inputs;
  for (Value input : body.inputs)
    inputs[input] = 0;
  SmallVector<Operation *> order;
  for (Operation *op : body.ops)
    appendWithFree(op, inputs, order);
  for (Value output : body.outputs)
    if (!inputs.count(output) && isFree(output))
      appendWithFree(output.getDefiningOp(), inputs, order);
  return order;
}

std::string KernelTable::identity(const KernelBody &body) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << body.skeleton << "/" << body.outer;
  for (const std::string &access : body.access)
    out << " " << access;
  DenseMap<Value, int> number;
  for (Value input : body.inputs)
    number.try_emplace(input, number.size());
  for (Operation *op : allOps(body)) {
    out << "; " << op->getName().getStringRef();
    for (NamedAttribute attribute : op->getAttrs())
      if (!isExtent(attribute.getName()) && attribute.getName() != kLate)
        out << " " << attribute.getName().getValue() << "=" << attribute.getValue();
    for (Value operand : op->getOperands())
      out << " " << number.lookup(operand);
    for (Value result : op->getResults()) {
      Dims dims = dimsOf(result);
      number.try_emplace(result, number.size());
      out << (dims.empty() ? ":0" : dims.back().isOne() ? ":1" : ":n") << plainType(result).getElementType();
    }
  }
  for (Value output : body.outputs)
    out << " ->" << number.lookup(output);
  return text;
}

FlatSymbolRefAttr KernelTable::get(Location loc, const KernelBody &body) {
  FlatSymbolRefAttr &symbol = known[identity(body)];
  if (symbol)
    return symbol;
  OpBuilder builder(anchor);
  std::string name = body.skeleton + std::to_string(counts[body.skeleton]++);
  SmallVector<Attribute> access;
  for (const std::string &text : body.access)
    access.push_back(builder.getStringAttr(text));
  auto kernel = plan::KernelOp::create(builder, loc, name, body.skeleton, body.outer, builder.getArrayAttr(access));
  Block *block = builder.createBlock(&kernel.getBody());
  IRMapping map;
  for (Value input : body.inputs)
    map.map(input, block->addArgument(input.getType(), loc));
  for (Operation *op : allOps(body))
    builder.clone(*op, map);
  SmallVector<Value> outputs;
  for (Value output : body.outputs)
    outputs.push_back(map.lookup(output));
  plan::YieldOp::create(builder, loc, outputs);
  symbol = FlatSymbolRefAttr::get(builder.getContext(), name);
  return symbol;
}
