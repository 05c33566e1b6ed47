// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/Reference/Evaluate.h"

#include "dialects/Nacre/IR/Ops/NestedWidth.h"
#include "dialects/Nacre/IR/Ops/Program.h"

#include "llvm/ADT/DenseMap.h"

using namespace nacre;
using namespace mlir;

namespace {
/// One run of one function.
class Evaluator {
public:
  Evaluator(func::FuncOp function, ParameterValues &parameters, ResultObserver observer)
      : function(function), parameters(parameters), observer(observer) {}

  LogicalResult bind(ArrayRef<Array> inputs);
  FailureOr<std::vector<Members>> run();

private:
  LogicalResult bindArgument(BlockArgument argument, const Array &input);
  LogicalResult step(Operation &op);
  LogicalResult evaluateOp(Operation &op);
  /// Runs `op` on the given operand arrays and appends to each result's members.
  LogicalResult apply(Evaluable op, std::vector<const Array *> operands);

  func::FuncOp function;
  ParameterValues &parameters;
  ResultObserver observer;
  llvm::StringMap<int64_t> binding;
  DenseMap<Value, Members> values;
};
} // namespace

static ArrayRef<int64_t> widthsOf(Type type) {
  auto nested = dyn_cast<NestedType>(type);
  return nested ? nested.getWidths() : ArrayRef<int64_t>();
}

/// All members along a new first axis; the members as they are when their shapes differ.
static Array joined(const Members &members) {
  SmallVector<int64_t> shape = {int64_t(members.size())};
  shape.append(members[0].shape.begin(), members[0].shape.end());
  Array result(shape);
  size_t next = 0;
  for (const Array &member : members) {
    if (member.shape != members[0].shape)
      return Array();
    std::copy(member.data.begin(), member.data.end(), result.data.begin() + next);
    next += member.data.size();
  }
  return result;
}

LogicalResult Evaluator::bindArgument(BlockArgument argument, const Array &input) {
  if (auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "nacre.name"))
    if (auto choices = function.getArgAttrOfType<DenseI64ArrayAttr>(argument.getArgNumber(), "nacre.choices")) {
      // The width and its position in the list are both sizes of the call.
      if (auto dim = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "nacre.dim"))
        name = dim;
      binding[name.getValue()] = int64_t(input.data[0]);
      binding[(name.getValue() + ".index").str()] = llvm::find(choices.asArrayRef(), int64_t(input.data[0])) - choices.asArrayRef().begin();
    }
  Dims dims = dimsOf(argument);
  if (int64_t(dims.size()) != input.rank())
    return function.emitError("input ") << argument.getArgNumber() << " expects rank " << dims.size() << ", but got " << input.rank();
  for (auto [dim, size] : llvm::zip(dims, input.shape)) {
    const auto &terms = dim.getTerms();
    bool isName = terms.size() == 1 && terms.begin()->second == 1 && terms.begin()->first.size() == 1;
    if (isName)
      binding.try_emplace(terms.begin()->first[0], size);
    if (dim.evaluate(binding).value_or(size) != size)
      return function.emitError("input ") << argument.getArgNumber() << " expects shape " << text(dims) << ", but an axis is " << size;
  }
  values[argument] = {input};
  return success();
}

LogicalResult Evaluator::bind(ArrayRef<Array> inputs) {
  if (inputs.size() != function.getNumArguments())
    return function.emitError("expects ") << function.getNumArguments() << " inputs, but got " << inputs.size();
  for (auto [argument, input] : llvm::zip(function.getArguments(), inputs))
    if (failed(bindArgument(argument, input)))
      return failure();
  return success();
}

LogicalResult Evaluator::apply(Evaluable op, std::vector<const Array *> operands) {
  Evaluation evaluation(op, std::move(operands), binding);
  if (failed(op.evaluate(evaluation)))
    return failure();
  std::vector<Array> results = evaluation.takeResults();
  for (auto [result, array] : llvm::zip(op->getResults(), results)) {
    if (observer)
      observer(result, array);
    values[result].push_back(std::move(array));
  }
  return success();
}

LogicalResult Evaluator::evaluateOp(Operation &op) {
  auto evaluable = dyn_cast<Evaluable>(op);
  if (!evaluable)
    return op.emitError("the reference evaluator has no meaning for this operator");
  ArrayRef<int64_t> widths = op.getNumResults() ? widthsOf(op.getResult(0).getType()) : ArrayRef<int64_t>();
  std::vector<Array> whole; // joined nested operands of an op that leaves the type
  whole.reserve(op.getNumOperands());
  for (size_t i = 0; i < std::max<size_t>(widths.size(), 1); ++i) {
    std::vector<const Array *> operands;
    for (Value operand : op.getOperands()) {
      const Members &members = values[operand];
      if (widthsOf(operand.getType()).empty()) {
        operands.push_back(&members[0]);
      } else if (!widths.empty()) {
        operands.push_back(&members[i]);
      } else if (auto pick = dyn_cast<PickOp>(op)) {
        int64_t width = Dim::parse(pick.getWidth())->evaluate(binding).value_or(0);
        auto list = widthsOf(operand.getType());
        auto found = llvm::find(list, width);
        if (found == list.end())
          return op.emitError("the width ") << width << " is not in the list";
        operands.push_back(&members[found - list.begin()]);
      } else {
        whole.push_back(joined(members));
        operands.push_back(&whole.back());
      }
    }
    if (!widths.empty())
      binding[kWidth] = widths[i];
    if (failed(apply(evaluable, std::move(operands))))
      return failure();
  }
  return success();
}

LogicalResult Evaluator::step(Operation &op) {
  if (auto read = dyn_cast<ReadOp>(op)) {
    auto found = parameters.find(read.getParameter().str());
    if (found == parameters.end())
      return op.emitError("no value is given for parameter '") << read.getParameter() << "'";
    values[read] = {found->second};
    return success();
  }
  if (auto assign = dyn_cast<AssignOp>(op)) {
    parameters[assign.getParameter().str()] = values[assign.getValue()][0];
    return success();
  }
  return evaluateOp(op);
}

FailureOr<std::vector<Members>> Evaluator::run() {
  for (Operation &op : function.getBody().front().without_terminator())
    if (failed(step(op)))
      return failure();
  std::vector<Members> results;
  for (Value value : function.getBody().front().getTerminator()->getOperands())
    results.push_back(values[value]);
  return results;
}

FailureOr<std::vector<Members>> nacre::evaluate(func::FuncOp function, ArrayRef<Array> inputs, ParameterValues &parameters,
                                               ResultObserver observer) {
  Evaluator evaluator(function, parameters, observer);
  if (failed(evaluator.bind(inputs)))
    return failure();
  return evaluator.run();
}
