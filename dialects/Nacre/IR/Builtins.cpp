// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Builtins.h"

#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Layout.h"
#include "dialects/Nacre/IR/Ops/NestedWidth.h"
#include "dialects/Nacre/IR/Ops/Program.h"

#include "llvm/ADT/STLExtras.h"

using namespace nacre;
using namespace mlir;

#include "dialects/Nacre/IR/Builtins.inc"

llvm::ArrayRef<Builtin> nacre::builtins() { return kBuiltins; }

const Builtin *nacre::findBuiltin(llvm::StringRef name) {
  auto found = llvm::lower_bound(builtins(), name, [](const Builtin &builtin, StringRef key) { return builtin.name < key; });
  return found != builtins().end() && found->name == name ? &*found : nullptr;
}

/// The number of values that each declared operand takes, for ops with several optional ones.
static SmallVector<int32_t> segmentSizes(const Builtin &builtin, ArrayRef<Value> operands) {
  SmallVector<int32_t> sizes;
  size_t extra = operands.size() - builtin.operands.size(), next = 0;
  for (const BuiltinOperand &operand : builtin.operands) {
    size_t count = operand.variadic ? 1 + extra : 1;
    sizes.push_back(llvm::count_if(operands.slice(next, count), [](Value value) { return bool(value); }));
    next += count;
  }
  return sizes;
}

/// Infers the result types of `state` and creates it; diagnostics go to its location.
static FailureOr<Operation *> createInferred(OpBuilder &builder, OperationState &state) {
  // The op holds its attributes and their defaults from its creation on, so it is created first; every builtin has one result.
  state.addTypes(builder.getNoneType());
  Operation *op = builder.create(state);
  SmallVector<Type> types;
  auto infer = cast<InferTypeOpInterface>(op);
  if (failed(infer.inferReturnTypes(builder.getContext(), state.location, op->getOperands(), op->getAttrDictionary(),
                                    op->getPropertiesStorage(), {}, types))) {
    op->erase();
    return failure();
  }
  op->getResult(0).setType(types[0]);
  return op;
}

FailureOr<Operation *> nacre::buildBuiltin(OpBuilder &builder, Location location, const Builtin &builtin, ArrayRef<Value> operands,
                                           ArrayRef<NamedAttribute> attributes) {
  OperationState state(location, builtin.operation);
  for (Value operand : operands)
    if (operand)
      state.addOperands(operand);
  state.addAttributes(attributes);
  if (state.name.getRegisteredInfo()->hasTrait<OpTrait::AttrSizedOperandSegments>())
    state.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(segmentSizes(builtin, operands)));
  return createInferred(builder, state);
}

Value nacre::buildConstant(OpBuilder &builder, Location location, double value) {
  return ConstantOp::create(builder, location, builder.getF64FloatAttr(value));
}
Value nacre::buildConstant(OpBuilder &builder, Location location, int32_t value) {
  return ConstantOp::create(builder, location, builder.getI32IntegerAttr(value));
}
Value nacre::buildParameterRead(OpBuilder &builder, Location location, ParameterOp parameter) {
  return ReadOp::create(builder, location, parameter.getType(), parameter.getSymName());
}

FailureOr<Value> nacre::buildSlice(OpBuilder &builder, Location location, Value x, int64_t axis, const Dim &start, const Dim &size) {
  OperationState state(location, SliceOp::getOperationName());
  state.addOperands(x);
  int64_t counted = normalizeAxis(axis, plainType(x).getRank()).value_or(axis);
  state.addAttribute("axis", builder.getI64IntegerAttr(counted));
  state.addAttribute("start", builder.getStringAttr(start.str()));
  state.addAttribute("size", builder.getStringAttr(size.str()));
  FailureOr<Operation *> op = createInferred(builder, state);
  if (failed(op))
    return failure();
  return (*op)->getResult(0);
}

FailureOr<Value> nacre::buildNewAxis(OpBuilder &builder, Location location, Value x, int64_t axis) {
  if (isa<SparseType, CodeType>(x.getType()))
    return emitError(location, "expected a tensor for a new axis; densify(x) and ids(x) make one");
  ImplicitLocOpBuilder b(location, builder);
  return addAxis(Formula(b, x), axis).value;
}

FailureOr<Value> nacre::buildIndex(OpBuilder &builder, Location location, Value x, int64_t axis, const Dim &index) {
  FailureOr<Value> part = buildSlice(builder, location, x, axis, index, Dim::constant(1));
  if (failed(part))
    return failure();
  ImplicitLocOpBuilder b(location, builder);
  return dropAxis(Formula(b, *part), axis).value;
}

FailureOr<Value> nacre::buildPick(OpBuilder &builder, Location location, Value nested, const Dim &width) {
  OperationState state(location, PickOp::getOperationName());
  state.addOperands(nested);
  state.addAttribute("width", builder.getStringAttr(width.str()));
  FailureOr<Operation *> op = createInferred(builder, state);
  if (failed(op))
    return failure();
  return (*op)->getResult(0);
}
