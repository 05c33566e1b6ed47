// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions derived from a function: a copy whose parameters are read once, and the gradient function that tests call.
#include "dialects/Nacre/Transforms/DerivedFunction.h"
#include "dialects/Nacre/IR/Infer.h"
#include "dialects/Nacre/Transforms/Transforms.h"

using namespace nacre;
using namespace mlir;

ParameterReads nacre::uniqueReads(func::FuncOp function) {
  ParameterReads reads;
  SmallVector<ReadOp> all(function.getOps<ReadOp>());
  for (ReadOp read : all) {
    auto [slot, isNew] = reads.insert({read.getParameterAttr().getAttr(), read});
    if (isNew) {
      read->moveBefore(&function.getBody().front(), function.getBody().front().begin());
      continue;
    }
    read.replaceAllUsesWith(slot->second.getResult());
    read.erase();
  }
  return reads;
}

func::FuncOp nacre::cloneAs(func::FuncOp function, const Twine &name) {
  func::FuncOp copy = function.clone();
  copy.setName(name.str());
  OpBuilder builder(function);
  builder.setInsertionPointAfter(function);
  builder.insert(copy);
  return copy;
}

Assignments nacre::takeAssignments(func::FuncOp function) {
  Assignments assignments;
  for (AssignOp assign : llvm::make_early_inc_range(function.getOps<AssignOp>())) {
    assignments[assign.getParameterAttr().getAttr()] = assign.getValue();
    assign.erase();
  }
  return assignments;
}

LogicalResult nacre::addGradientFunction(func::FuncOp function) {
  func::FuncOp gradient = cloneAs(function, function.getName() + "_gradient");
  auto module = function->getParentOfType<ModuleOp>();
  (void)takeAssignments(gradient);
  ParameterReads reads = uniqueReads(gradient);
  Operation *terminator = gradient.getBody().front().getTerminator();
  ImplicitLocOpBuilder b(gradient.getLoc(), terminator);
  SmallVector<Value> sources, of, seeds;
  for (BlockArgument argument : gradient.getArguments())
    if (plainType(argument).getElementType().isF32())
      sources.push_back(argument);
  for (ParameterOp parameter : module.getOps<ParameterOp>())
    if (auto found = reads.find(parameter.getSymNameAttr()); found != reads.end())
      sources.push_back(found->second);
  for (Value result : terminator->getOperands()) {
    if (!plainType(result).getElementType().isF32())
      continue;
    auto name = b.getNamedAttr("nacre.name", b.getStringAttr("cotangent" + Twine(of.size())));
    (void)gradient.insertArgument(gradient.getNumArguments(), result.getType(), b.getDictionaryAttr(name), gradient.getLoc());
    of.push_back(result);
    seeds.push_back(gradient.getArguments().back());
  }
  FailureOr<SmallVector<Value>> gradients = differentiate(b, of, seeds, sources);
  if (failed(gradients))
    return failure();
  SmallVector<Value> results(terminator->getOperands());
  results.append(gradients->begin(), gradients->end());
  terminator->setOperands(results);
  gradient.setType(FunctionType::get(gradient.getContext(), gradient.getArgumentTypes(), ValueRange(results).getTypes()));
  return success();
}
