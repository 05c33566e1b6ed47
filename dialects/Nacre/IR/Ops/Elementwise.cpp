// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pointwise operators that are not formulas of one line, and what all of them share.
#include "dialects/Nacre/IR/Ops/Elementwise.h"

#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Scalar.h"

#include <cmath>

using namespace nacre;
using namespace mlir;

static LogicalResult inferBroadcast(InferContext &context, ValueRange operands, Type element, SmallVectorImpl<Type> &results) {
  Dims shape;
  for (Value operand : operands) {
    Dims dims = dimsOf(operand);
    std::optional<Dims> joined = broadcast(shape, dims);
    if (!joined)
      return context.error("expects shapes that broadcast, but got " + text(shape) + " and " + text(dims));
    shape = *joined;
  }
  results.push_back(context.tensor(element, shape));
  return success();
}

LogicalResult nacre::inferBinary(InferContext &context, Value a, Value b, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(a, "a left operand")) || failed(context.requireFloat(b, "a right operand")))
    return failure();
  return inferBroadcast(context, {a, b}, context.f32(), results);
}

LogicalResult nacre::inferCompare(InferContext &context, Value a, Value b, SmallVectorImpl<Type> &results) {
  if (plainType(a).getElementType() != plainType(b).getElementType())
    return context.error("compares values of one type, but got two; to_float(x) turns i32 into f32");
  return inferBroadcast(context, {a, b}, context.i1(), results);
}

LogicalResult nacre::evaluateUnary(Evaluation &evaluation, llvm::function_ref<double(double)> f) {
  evaluation.out() = evaluation.in(0);
  for (double &x : evaluation.out().data)
    x = f(x);
  return success();
}

static SmallVector<int64_t, 4> broadcastShape(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  SmallVector<int64_t, 4> shape(a.begin(), a.end());
  for (size_t i = 0; i < b.size(); ++i) {
    int64_t &size = shape[a.size() - b.size() + i];
    size = size == 1 ? b[i] : size;
  }
  return shape;
}

LogicalResult nacre::evaluateBinary(Evaluation &evaluation, llvm::function_ref<double(double, double)> f) {
  const Array &a = evaluation.in(0), &b = evaluation.in(1);
  Array result(broadcastShape(a.shape, b.shape));
  forEach(result.shape, [&](ArrayRef<int64_t> index) { result(index) = f(a.at(index), b.at(index)); });
  evaluation.out() = std::move(result);
  return success();
}

Operation *nacre::rebuild(OpBuilder &builder, Operation *op, ValueRange operands) {
  OperationState state(op->getLoc(), op->getName());
  state.addOperands(operands);
  state.addAttributes(op->getAttrDictionary().getValue());
  SmallVector<Type> types;
  auto infer = cast<InferTypeOpInterface>(op);
  if (failed(infer.inferReturnTypes(op->getContext(), op->getLoc(), operands, op->getAttrDictionary(),
                                    op->getPropertiesStorage(), {}, types)))
    return nullptr;
  state.addTypes(types);
  return builder.create(state);
}

FailureOr<Value> nacre::rebuildStackedPointwise(OpBuilder &builder, Operation *op, ValueRange operands, ArrayRef<bool> stacked) {
  ImplicitLocOpBuilder b(op->getLoc(), builder);
  int64_t rank = plainType(op->getResult(0)).getRank();
  SmallVector<Value> aligned;
  for (auto [operand, isStacked] : llvm::zip(operands, stacked)) {
    Formula x(b, operand);
    while (isStacked && x.rank() < rank + 1)
      x = addAxis(x, 1);
    aligned.push_back(x.value);
  }
  Operation *copy = rebuild(builder, op, aligned);
  if (!copy)
    return failure();
  return copy->getResult(0);
}

//===-- stop -----------------------------------------------------------------------------------------------------------------===//

LogicalResult StopOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(plainType(op.getX()));
  return success();
}
LogicalResult StopOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(0);
  return success();
}
void StopOp::emit(ImplicitLocOpBuilder &builder, ValueRange operands, SmallVectorImpl<Value> &results) {
  results.push_back(operands[0]);
}

//===-- select ---------------------------------------------------------------------------------------------------------------===//

LogicalResult SelectOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (!plainType(op.getCondition()).getElementType().isInteger(1))
    return context.error("expects a condition of bool");
  Type element = plainType(op.getA()).getElementType();
  if (element != plainType(op.getB()).getElementType())
    return context.error("expects two values of one type");
  return inferBroadcast(context, {op.getCondition(), op.getA(), op.getB()}, element, results);
}
LogicalResult SelectOp::evaluate(Evaluation &evaluation) {
  const Array &condition = evaluation.in(0), &a = evaluation.in(1), &b = evaluation.in(2);
  Array result(broadcastShape(condition.shape, broadcastShape(a.shape, b.shape)));
  forEach(result.shape, [&](ArrayRef<int64_t> index) { result(index) = condition.at(index) ? a.at(index) : b.at(index); });
  evaluation.out() = std::move(result);
  return success();
}
void SelectOp::emit(ImplicitLocOpBuilder &builder, ValueRange operands, SmallVectorImpl<Value> &results) {
  results.push_back(select(Scalar(builder, operands[0]), Scalar(builder, operands[1]), Scalar(builder, operands[2])).value);
}
LogicalResult SelectOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula g(b, cotangents[0]), condition(b, getCondition()), zero(b, 0.0);
  gradients.append({Value(), select(condition, g, zero).value, select(condition, zero, g).value});
  return success();
}

//===-- multiply_add ---------------------------------------------------------------------------------------------------------===//

LogicalResult MultiplyAddOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getA(), "a factor")) || failed(context.requireFloat(op.getB(), "a factor")) ||
      failed(context.requireFloat(op.getC(), "a summand")))
    return failure();
  return inferBroadcast(context, {op.getA(), op.getB(), op.getC()}, context.f32(), results);
}
LogicalResult MultiplyAddOp::evaluate(Evaluation &evaluation) {
  const Array &a = evaluation.in(0), &b = evaluation.in(1), &c = evaluation.in(2);
  Array result(broadcastShape(a.shape, broadcastShape(b.shape, c.shape)));
  forEach(result.shape, [&](ArrayRef<int64_t> index) { result(index) = a.at(index) * b.at(index) + c.at(index); });
  evaluation.out() = std::move(result);
  return success();
}
void MultiplyAddOp::emit(ImplicitLocOpBuilder &builder, ValueRange operands, SmallVectorImpl<Value> &results) {
  results.push_back((Scalar(builder, operands[0]) * Scalar(builder, operands[1]) + Scalar(builder, operands[2])).value);
}
LogicalResult MultiplyAddOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder build(getLoc(), builder);
  Formula g(build, cotangents[0]), a(build, getA()), b(build, getB());
  gradients.append({(g * b).value, (g * a).value, g.value});
  return success();
}

//===-- to_float -------------------------------------------------------------------------------------------------------------===//

LogicalResult ToFloatOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (plainType(op.getX()).getElementType().isF32())
    return context.error("expects i32 or bool, but got f32");
  results.push_back(context.tensor(context.f32(), dimsOf(op.getX())));
  return success();
}
LogicalResult ToFloatOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(0);
  return success();
}
void ToFloatOp::emit(ImplicitLocOpBuilder &b, ValueRange operands, SmallVectorImpl<Value> &results) {
  Type type = operands[0].getType();
  Type f32 = b.getF32Type();
  if (auto vector = dyn_cast<VectorType>(type))
    f32 = VectorType::get(vector.getShape(), f32);
  if (getElementTypeOrSelf(type).isInteger(1))
    results.push_back(arith::UIToFPOp::create(b, f32, operands[0]));
  else
    results.push_back(arith::SIToFPOp::create(b, f32, operands[0]));
}

//===-- to_int ---------------------------------------------------------------------------------------------------------------===//

LogicalResult ToIntOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (plainType(op.getX()).getElementType().isInteger(32))
    return context.error("expects f32 or bool, but got i32");
  results.push_back(context.tensor(context.i32(), dimsOf(op.getX())));
  return success();
}
LogicalResult ToIntOp::evaluate(Evaluation &evaluation) {
  return evaluateUnary(evaluation, [](double x) { return std::trunc(x); });
}
void ToIntOp::emit(ImplicitLocOpBuilder &b, ValueRange operands, SmallVectorImpl<Value> &results) {
  Type type = operands[0].getType(), i32 = b.getI32Type();
  if (auto vector = dyn_cast<VectorType>(type))
    i32 = VectorType::get(vector.getShape(), i32);
  if (getElementTypeOrSelf(type).isInteger(1))
    results.push_back(arith::ExtUIOp::create(b, i32, operands[0]));
  else
    results.push_back(arith::FPToSIOp::create(b, i32, operands[0]));
}

//===-- constant -------------------------------------------------------------------------------------------------------------===//

LogicalResult ConstantOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  bool isFloat = isa<FloatAttr>(op.getValue());
  results.push_back(context.tensor(isFloat ? context.f32() : context.i32(), {}));
  return success();
}
LogicalResult ConstantOp::evaluate(Evaluation &evaluation) {
  auto real = dyn_cast<FloatAttr>(getValue());
  double value = real ? real.getValueAsDouble() : double(cast<IntegerAttr>(getValue()).getInt());
  evaluation.out() = Array({}, value);
  return success();
}
void ConstantOp::emit(ImplicitLocOpBuilder &b, ValueRange operands, SmallVectorImpl<Value> &results) {
  if (auto real = dyn_cast<FloatAttr>(getValue()))
    results.push_back(arith::ConstantOp::create(b, b.getF32FloatAttr(real.getValueAsDouble())));
  else
    results.push_back(arith::ConstantOp::create(b, cast<IntegerAttr>(getValue())));
}

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Elementwise.cpp.inc"
void NacreDialect::addElementwise() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Elementwise.cpp.inc"
      >();
}
