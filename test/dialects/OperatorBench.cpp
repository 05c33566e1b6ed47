// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/dialects/OperatorBench.h"

#include "dialects/Nacre/IR/Dims.h"
#include "test/harness/Judge.h"

using namespace nacre;
using namespace nacre::test;

OperatorBench &OperatorBench::get() {
  static OperatorBench bench;
  return bench;
}

OperatorBench::OperatorBench() {
  program = TestProgram::parse("operators", tableProgram(), problem);
  if (!program)
    return;
  primitive = program->primitive();
  differentiated = program->differentiated();
  if (!primitive || !differentiated) {
    problem = "the rewrites fail: " + program->takeMessages();
    return;
  }
  (void)program->takeMessages(); // forms without a gradient say so
}

void OperatorBench::compile() {
  if (compiled || !problem.empty())
    return;
  mlir::OwningOpRef<mlir::ModuleOp> module = differentiated->clone();
  compiled = CompiledProgram::compile(*module, problem);
  if (!compiled)
    problem += ": " + program->takeMessages();
}

static const ValueRange *rangeOf(const OperatorRow &row, llvm::StringRef input) {
  for (const ValueRange &range : row.ranges)
    if (input == range.input)
      return &range;
  return nullptr;
}

std::vector<Array> OperatorBench::inputs(const OperatorRow &row, const Sizes &sizes) {
  llvm::StringMap<int64_t> binding;
  for (auto &[name, size] : sizes.named())
    binding[name] = size;
  auto function = program->surface().lookupSymbol<mlir::func::FuncOp>(functionName(row));
  std::vector<Array> arrays;
  for (mlir::BlockArgument argument : function.getArguments()) {
    auto name = function.getArgAttrOfType<mlir::StringAttr>(argument.getArgNumber(), "nacre.name");
    llvm::SmallVector<int64_t> shape;
    for (const Dim &dim : dimsOf(argument.getType()))
      shape.push_back(*dim.evaluate(binding));
    const ValueRange *range = rangeOf(row, name);
    double low = range ? range->low : -2, high = range ? range->high + double(binding.lookup(range->below)) : 2;
    uint64_t key = arrays.size() + 1;
    bool isFloat = mlir::cast<mlir::RankedTensorType>(argument.getType()).getElementType().isF32();
    arrays.push_back(isFloat ? uniform(shape, low, high, key) : integers(shape, int64_t(low), int64_t(high), key));
  }
  return arrays;
}

std::vector<Array> OperatorBench::cotangents(llvm::ArrayRef<Array> results) {
  std::vector<Array> arrays;
  for (const Array &result : results)
    arrays.push_back(uniform(result.shape, -1, 1, 100 + arrays.size()));
  return arrays;
}

bool OperatorBench::hasGradient(const OperatorRow &row) { return !(row.traits & (Discrete | ForwardOnly)); }
