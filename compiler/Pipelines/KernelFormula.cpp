// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Pipelines/KernelFormula.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

using namespace nacre;
using namespace mlir;

namespace {

constexpr size_t kLongest = 100; // characters of a nested expression before it has a line of its own

class FormulaPrinter {
public:
  FormulaPrinter(plan::KernelOp kernel, ArrayRef<std::string> inputs, ArrayRef<std::string> outputs)
      : block(kernel.getBody().front()), skeleton(kernel.getSkeleton()), outputs(outputs) {
    for (auto [i, argument] : llvm::enumerate(block.getArguments()))
      texts[argument] = inputs[i];
  }
  std::vector<std::string> print();

private:
  void printOp(Operation &op);
  std::string callText(Operation &op);
  std::string resultName(Value result);
  ValueRange yielded() { return block.getTerminator()->getOperands(); }

  Block &block;
  StringRef skeleton;
  ArrayRef<std::string> outputs;
  llvm::DenseMap<Value, std::string> texts;
  std::vector<std::string> lines;
  int temporaries = 0;
};

} // namespace

static std::string attributeText(Attribute value) {
  std::string text;
  llvm::raw_string_ostream out(text);
  if (auto number = dyn_cast<FloatAttr>(value))
    out << llvm::format("%.9g", number.getValueAsDouble());
  else if (auto word = dyn_cast<StringAttr>(value))
    out << word.getValue();
  else if (auto whole = dyn_cast<IntegerAttr>(value); whole && !whole.getType().isInteger(1))
    out << whole.getInt();
  else if (auto list = dyn_cast<DenseI64ArrayAttr>(value)) {
    out << "[";
    llvm::interleaveComma(list.asArrayRef(), out);
    out << "]";
  } else
    value.print(out, /*elideType=*/true);
  return text;
}

/// A number stands for itself.
static bool isNumber(Operation &op) { return op.getNumOperands() == 0 && op.getAttrs().size() == 1 && op.hasAttr("value"); }

std::string FormulaPrinter::callText(Operation &op) {
  if (isNumber(op))
    return attributeText(op.getAttr("value"));
  std::vector<std::string> parts;
  for (Value operand : op.getOperands())
    parts.push_back(texts[operand]);
  for (NamedAttribute attribute : op.getAttrs())
    if (attribute.getName() != "operandSegmentSizes")
      parts.push_back((attribute.getName().getValue() + " = " + attributeText(attribute.getValue())).str());
  return (op.getName().stripDialect() + "(" + llvm::join(parts, ", ") + ")").str();
}

std::string FormulaPrinter::resultName(Value result) {
  for (auto [i, value] : llvm::enumerate(yielded()))
    if (value == result)
      return outputs[i];
  return result.use_empty() ? "_" : "t" + std::to_string(++temporaries);
}

void FormulaPrinter::printOp(Operation &op) {
  std::string call = callText(op);
  bool isYielded = llvm::any_of(op.getResults(), [&](Value result) { return llvm::is_contained(yielded(), result); });
  if (op.getNumResults() == 1 && !isYielded && (isNumber(op) || (op.hasOneUse() && call.size() <= kLongest))) {
    texts[op.getResult(0)] = call;
    return;
  }
  std::vector<std::string> names;
  for (Value result : op.getResults())
    names.push_back(texts[result] = resultName(result));
  lines.push_back(llvm::join(names, ", ") + " = " + call);
}

std::vector<std::string> FormulaPrinter::print() {
  for (Operation &op : block.without_terminator())
    printOp(op);
  std::vector<std::string> sources;
  for (Value argument : block.getArguments())
    sources.push_back(texts[argument]);
  bool copies = skeleton == "rows";
  if (!copies && block.without_terminator().empty()) // what is written has no operator of its own
    return {llvm::join(outputs, ", ") + " = " + skeleton.str() + "(" + llvm::join(sources, ", ") + ")"};
  for (auto [i, value] : llvm::enumerate(yielded()))
    if (texts[value] != outputs[i])
      lines.push_back(outputs[i] + " = " + texts[value]);
  return lines;
}

std::vector<std::string> nacre::formulaOf(plan::KernelOp kernel, ArrayRef<std::string> inputs, ArrayRef<std::string> outputs) {
  return FormulaPrinter(kernel, inputs, outputs).print();
}

std::string nacre::operatorsOf(plan::KernelOp kernel) {
  std::vector<std::string> names;
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (!isNumber(op) && (names.empty() || names.back() != op.getName().stripDialect()))
      names.push_back(op.getName().stripDialect().str());
  if (names.empty())
    return kernel.getSkeleton() == "rows" ? "copy" : kernel.getSkeleton().str();
  return llvm::join(names, " ");
}
