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

//===-- select_equal ---------------------------------------------------------------------------------------------------------===//

LogicalResult SelectEqualOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (plainType(op.getA()).getElementType() != plainType(op.getB()).getElementType())
    return context.error("expects two values of one type to compare");
  if (failed(context.requireFloat(op.getX(), "a choice")) || failed(context.requireFloat(op.getY(), "a choice")))
    return failure();
  return inferBroadcast(context, {op.getA(), op.getB(), op.getX(), op.getY()}, context.f32(), results);
}
LogicalResult SelectEqualOp::evaluate(Evaluation &evaluation) {
  const Array &a = evaluation.in(0), &b = evaluation.in(1), &x = evaluation.in(2), &y = evaluation.in(3);
  Array result(evaluation.shapeOf(getResult()));
  forEach(result.shape, [&](ArrayRef<int64_t> index) { result(index) = a.at(index) == b.at(index) ? x.at(index) : y.at(index); });
  evaluation.out() = std::move(result);
  return success();
}
void SelectEqualOp::emit(ImplicitLocOpBuilder &builder, ValueRange operands, SmallVectorImpl<Value> &results) {
  auto scalar = [&](unsigned i) { return Scalar(builder, operands[i]); };
  results.push_back(select(scalar(0) == scalar(1), scalar(2), scalar(3)).value);
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

//===-- straight_through -----------------------------------------------------------------------------------------------------===//

LogicalResult StraightThroughOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getY(), "a value")) || failed(context.requireFloat(op.getX(), "a value to send the gradient to")))
    return failure();
  if (dimsOf(op.getY()) != dimsOf(op.getX()))
    return context.error("expects two values of one shape, but got " + text(dimsOf(op.getY())) + " and " + text(dimsOf(op.getX())));
  results.push_back(plainType(op.getY()));
  return success();
}
LogicalResult StraightThroughOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(0);
  return success();
}
void StraightThroughOp::emit(ImplicitLocOpBuilder &, ValueRange operands, SmallVectorImpl<Value> &results) { results.push_back(operands[0]); }
LogicalResult StraightThroughOp::differentiate(OpBuilder &, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  gradients.append({Value(), cotangents[0]});
  return success();
}

//===-- bits and hashes ------------------------------------------------------------------------------------------------------===//

/// `element` in the shape of `like`: a scalar or a vector.
static Type shapedLike(Value like, Type element) {
  auto vector = dyn_cast<VectorType>(like.getType());
  return vector ? Type(VectorType::get(vector.getShape(), element)) : element;
}
static Value integerLike(ImplicitLocOpBuilder &b, Type type, uint64_t number) {
  Type element = getElementTypeOrSelf(type);
  auto attribute = IntegerAttr::get(element, APInt(element.getIntOrFloatBitWidth(), number, false, true));
  if (auto vector = dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(b, DenseElementsAttr::get(vector, Attribute(attribute)));
  return arith::ConstantOp::create(b, attribute);
}

LogicalResult AppendBitOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireInteger(op.getWord(), "a word")) || failed(context.requireFloat(op.getX(), "an operand")))
    return failure();
  if (op.getBit() > 31)
    return context.error("expects a bit from 0 to 31, but got " + Twine(op.getBit()));
  return inferBroadcast(context, {op.getWord(), op.getX()}, context.i32(), results);
}
LogicalResult AppendBitOp::evaluate(Evaluation &evaluation) {
  return evaluateBinary(evaluation, [&](double word, double x) {
    uint32_t bits = uint32_t(int32_t(word)) | (x > 0 ? uint32_t(1) << getBit() : 0);
    return double(int32_t(bits));
  });
}
void AppendBitOp::emit(ImplicitLocOpBuilder &b, ValueRange operands, SmallVectorImpl<Value> &results) {
  Type type = operands[0].getType();
  Value isSet = (Scalar(b, operands[1]) > 0.0).value;
  Value bit = arith::SelectOp::create(b, isSet, integerLike(b, type, uint64_t(1) << getBit()), integerLike(b, type, 0));
  results.push_back(arith::OrIOp::create(b, operands[0], bit));
}

LogicalResult BitDifferenceOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireInteger(op.getA(), "a left operand")) || failed(context.requireInteger(op.getB(), "a right operand")))
    return failure();
  return inferBroadcast(context, {op.getA(), op.getB()}, context.i32(), results);
}
LogicalResult BitDifferenceOp::evaluate(Evaluation &evaluation) {
  return evaluateBinary(evaluation, [](double a, double b) {
    int count = 0;
    for (uint32_t bits = uint32_t(int32_t(a)) ^ uint32_t(int32_t(b)); bits; bits >>= 1)
      count += int(bits & 1);
    return double(count);
  });
}
void BitDifferenceOp::emit(ImplicitLocOpBuilder &b, ValueRange operands, SmallVectorImpl<Value> &results) {
  results.push_back(math::CtPopOp::create(b, arith::XOrIOp::create(b, operands[0], operands[1])));
}

LogicalResult HashEntryOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireInteger(op.getFeature(), "features")) || failed(context.requireInteger(op.getToken(), "tokens")))
    return failure();
  return inferBroadcast(context, {op.getFeature(), op.getToken()}, context.i32(), results);
}
static constexpr uint64_t kGolden = 0x9E3779B97F4A7C15u; // 2^64 / golden ratio: splitmix64's step
static constexpr uint64_t kMix[] = {0xBF58476D1CE4E5B9u, 0x94D049BB133111EBu};

LogicalResult HashEntryOp::evaluate(Evaluation &evaluation) {
  return evaluateBinary(evaluation, [&](double feature, double token) {
    uint64_t z = uint64_t(int64_t(token)) + kGolden * (uint64_t(int64_t(feature)) * 64 + getLookup() + 1);
    z = (z ^ (z >> 30)) * kMix[0];
    z = (z ^ (z >> 27)) * kMix[1];
    return double((z ^ (z >> 31)) % getModulus());
  });
}
void HashEntryOp::emit(ImplicitLocOpBuilder &b, ValueRange operands, SmallVectorImpl<Value> &results) {
  Type wide = shapedLike(operands[0], b.getI64Type());
  auto number = [&](uint64_t value) { return integerLike(b, wide, value); };
  auto times = [&](Value x, uint64_t factor) -> Value { return arith::MulIOp::create(b, x, number(factor)); };
  auto folded = [&](Value x, uint64_t shift) -> Value {
    return arith::XOrIOp::create(b, x, arith::ShRUIOp::create(b, x, number(shift)));
  };
  Value feature = arith::ExtSIOp::create(b, wide, operands[0]), token = arith::ExtSIOp::create(b, wide, operands[1]);
  Value place = arith::AddIOp::create(b, times(feature, 64), number(getLookup() + 1));
  Value z = arith::AddIOp::create(b, token, times(place, kGolden));
  z = folded(times(folded(times(folded(z, 30), kMix[0]), 27), kMix[1]), 31);
  results.push_back(arith::TruncIOp::create(b, shapedLike(operands[0], b.getI32Type()), arith::RemUIOp::create(b, z, number(getModulus()))));
}

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Elementwise.cpp.inc"
void NacreDialect::addElementwise() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Elementwise.cpp.inc"
      >();
}
