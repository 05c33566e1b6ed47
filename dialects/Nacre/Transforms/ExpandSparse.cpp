// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sparse values become entries, codes become integers: neither type is left.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/SparseActivation.h"
#include "dialects/Nacre/Transforms/Transforms.h"

#include "llvm/ADT/DenseMap.h"

using namespace nacre;
using namespace mlir;

static bool isSparse(Value value) { return isa<SparseType>(value.getType()); }
static bool isCode(Value value) { return isa<CodeType>(value.getType()); }

namespace {
class Expander {
public:
  explicit Expander(func::FuncOp function) : function(function) {}
  LogicalResult run();

private:
  void expandArguments();
  void expandArgument(unsigned index);
  LogicalResult expandBody();
  LogicalResult expand(Operation &op);
  FailureOr<Entries> expandPointwise(OpBuilder &builder, Operation &op, ArrayRef<Entries> operands);
  void expandReturn(Operation &terminator);
  void eraseCodes();
  /// The entries of a sparse value, the integers behind codes, or the value as it is.
  Entries entriesOf(Value value) {
    auto found = forms.find(value);
    return found == forms.end() ? Entries{value} : found->second;
  }

  func::FuncOp function;
  DenseMap<Value, Entries> forms;
  SmallVector<Operation *> dead;
};
} // namespace

/// The sizes of what holds the entries of a type.
static Dims slotsOf(SparseType type) {
  if (!type.isPerRow())
    return {type.getCount()};
  Dims dims = dimsOf(type);
  dims.back() = type.getCount();
  return dims;
}

SmallVector<Type> nacre::entryTypes(SparseType type) {
  MLIRContext *context = type.getContext();
  Dims slots = slotsOf(type);
  Type integers = tensorOf(context, IntegerType::get(context, 32), slots);
  SmallVector<Type> types = {tensorOf(context, Float32Type::get(context), slots), integers};
  if (!type.isPerRow())
    types.push_back(integers);
  return types;
}

SmallVector<StringRef> nacre::entryNames(SparseType type) {
  if (type.isPerRow())
    return {"values", "indices"};
  return {"values", "indices", "rows"};
}

/// One argument for each part of the entries, named after it.
void Expander::expandArgument(unsigned index) {
  BlockArgument argument = function.getArgument(index);
  auto type = cast<SparseType>(argument.getType());
  auto name = function.getArgAttrOfType<StringAttr>(index, "nacre.name");
  Builder builder(function.getContext());
  Entries form;
  form.dense = dimsOf(type);
  Value *parts[] = {&form.values, &form.indices, &form.rows};
  SmallVector<Type> types = entryTypes(type);
  for (auto [i, partName] : llvm::enumerate(entryNames(type))) {
    auto text = builder.getStringAttr((name ? name.getValue() : "") + Twine("_") + partName);
    auto attributes = builder.getDictionaryAttr(builder.getNamedAttr("nacre.name", text));
    (void)function.insertArgument(index + 1 + i, types[i], attributes, function.getLoc());
    *parts[i] = function.getArgument(index + 1 + i);
  }
  forms[argument] = form;
}

void Expander::expandArguments() {
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (isSparse(function.getArgument(i)))
      expandArgument(i);
}

/// f(z) with f(0) = 0: the same operator on the values; dense operands are taken at their places.
FailureOr<Entries> Expander::expandPointwise(OpBuilder &builder, Operation &op, ArrayRef<Entries> operands) {
  Entries result = *llvm::find_if(operands, [](const Entries &operand) { return !operand.isDense(); });
  SmallVector<Value> plain;
  for (const Entries &operand : operands)
    plain.push_back(operand.isDense() ? atEntries(builder, result, operand.values) : operand.values);
  OperationState state(op.getLoc(), op.getName(), plain, result.values.getType(), op.getAttrs());
  result.values = builder.create(state)->getResult(0);
  return result;
}

LogicalResult Expander::expand(Operation &op) {
  OpBuilder builder(&op);
  SmallVector<Entries> operands;
  for (Value operand : op.getOperands())
    operands.push_back(entriesOf(operand));
  auto rule = dyn_cast<OnEntries>(op);
  if (!rule && !isa<Pointwise>(op))
    return op.emitError() << op.getName().stripDialect() << " has no meaning for a sparse value; densify(x) makes it dense";
  FailureOr<Entries> result = rule ? rule.onEntries(builder, operands) : expandPointwise(builder, op, operands);
  if (failed(result))
    return failure();
  if (isSparse(op.getResult(0)) || isCode(op.getResult(0)))
    forms[op.getResult(0)] = *result;
  else
    op.getResult(0).replaceAllUsesWith(result->values);
  dead.push_back(&op);
  return success();
}

LogicalResult Expander::expandBody() {
  SmallVector<Operation *> ops;
  for (Operation &op : function.getBody().front().without_terminator())
    ops.push_back(&op);
  auto isTyped = [](Value value) { return isSparse(value) || isCode(value); };
  for (Operation *op : ops) {
    bool touches = llvm::any_of(op->getOperands(), isTyped) || llvm::any_of(op->getResults(), isTyped);
    bool staysOnCodes = isa<View>(op) || !isa<OnEntries>(op);
    if (touches && !(staysOnCodes && llvm::none_of(op->getOperands(), isSparse)) && failed(expand(*op)))
      return failure();
  }
  return success();
}

void Expander::expandReturn(Operation &terminator) {
  SmallVector<Value> results;
  for (Value operand : terminator.getOperands()) {
    Entries form = entriesOf(operand);
    for (Value part : {form.values, form.indices, form.rows})
      if (part)
        results.push_back(part);
  }
  terminator.setOperands(results);
}

void Expander::eraseCodes() {
  auto erase = [](Value value) {
    if (auto code = dyn_cast<CodeType>(value.getType()))
      value.setType(code.getElement());
  };
  Block &body = function.getBody().front();
  llvm::for_each(body.getArguments(), erase);
  for (Operation &op : body)
    llvm::for_each(op.getResults(), erase);
}

LogicalResult Expander::run() {
  expandArguments();
  if (failed(expandBody()))
    return failure();
  Block &body = function.getBody().front();
  expandReturn(*body.getTerminator());
  for (Operation *op : llvm::reverse(dead)) {
    if (isCode(op->getResult(0)))
      op->getResult(0).replaceAllUsesWith(forms[op->getResult(0)].values); // comparisons and the like read the integers
    op->erase();
  }
  for (unsigned i = function.getNumArguments(); i-- > 0;)
    if (isSparse(function.getArgument(i)))
      (void)function.eraseArgument(i);
  eraseCodes();
  function.setType(FunctionType::get(function.getContext(), body.getArgumentTypes(), body.getTerminator()->getOperandTypes()));
  return success();
}

LogicalResult nacre::expandSparse(func::FuncOp function) { return Expander(function).run(); }
