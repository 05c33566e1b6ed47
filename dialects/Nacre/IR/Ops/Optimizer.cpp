// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Ops/Optimizer.h"
#include "dialects/Nacre/IR/Scalar.h"

#include <cmath>

using namespace nacre;
using namespace mlir;

/// `like` holds the operands of the parameter's shape: gradient and moments.
template <typename Adaptor>
static LogicalResult inferUpdate(InferContext &context, Adaptor op, std::initializer_list<std::pair<StringRef, Value>> like,
                                 SmallVectorImpl<Type> &results) {
  for (auto [what, value] : like)
    if (plainType(value) != plainType(op.getW()))
      return context.error("expects " + what + " of shape " + text(dimsOf(op.getW())) + ", but got " + text(dimsOf(value)));
  for (Value number : {op.getRate(), op.getStep()})
    if (plainType(number).getRank() != 0 || failed(context.requireFloat(number, "a rate and a step")))
      return context.error("expects a rate and a step that are one number, but got " + text(dimsOf(number)));
  results.append(like.size(), plainType(op.getW())); // the parameter and its moments
  return context.requireFloat(op.getW(), "a parameter");
}

//===-- adam -----------------------------------------------------------------------------------------------------------------===//

LogicalResult AdamOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferUpdate(context, op, {{"a gradient", op.getG()}, {"a first moment", op.getM()}, {"a second moment", op.getV()}}, results);
}
LogicalResult AdamOp::evaluate(Evaluation &evaluation) {
  double rate = evaluation.in(4).data[0], step = evaluation.in(5).data[0];
  double b1 = getBeta1().convertToDouble(), b2 = getBeta2().convertToDouble(), eps = getEps().convertToDouble();
  double decay = getDecay().convertToDouble();
  Array w = evaluation.in(0), m = evaluation.in(2), v = evaluation.in(3);
  for (int64_t i = 0; i < w.size(); ++i) {
    double g = evaluation.in(1).data[i];
    m.data[i] = b1 * m.data[i] + (1 - b1) * g;
    v.data[i] = b2 * v.data[i] + (1 - b2) * g * g;
    double direction = m.data[i] / (1 - std::pow(b1, step)) / (std::sqrt(v.data[i] / (1 - std::pow(b2, step))) + eps);
    w.data[i] -= rate * (direction + decay * w.data[i]);
  }
  evaluation.out(0) = std::move(w);
  evaluation.out(1) = std::move(m);
  evaluation.out(2) = std::move(v);
  return success();
}
void AdamOp::emit(ImplicitLocOpBuilder &b, ValueRange x, SmallVectorImpl<Value> &results) {
  Scalar w(b, x[0]), g(b, x[1]), m(b, x[2]), v(b, x[3]), rate(b, x[4]), step(b, x[5]);
  double b1 = getBeta1().convertToDouble(), b2 = getBeta2().convertToDouble();
  m = m * b1 + g * (1 - b1);
  v = v * b2 + g * g * (1 - b2);
  // 1 - beta^step as 1 - exp(step log beta): uniform over the row, so the compiler hoists it.
  Scalar correction1 = 1.0 - exp(step * std::log(b1)), correction2 = 1.0 - exp(step * std::log(b2));
  Scalar direction = (m / correction1) / (sqrt(v / correction2) + getEps().convertToDouble());
  w = w - rate * (direction + w * getDecay().convertToDouble());
  results.append({w.value, m.value, v.value});
}

//===-- sgd ------------------------------------------------------------------------------------------------------------------===//

LogicalResult SgdOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferUpdate(context, op, {{"a gradient", op.getG()}, {"a velocity", op.getU()}}, results);
}
LogicalResult SgdOp::evaluate(Evaluation &evaluation) {
  double rate = evaluation.in(3).data[0], step = evaluation.in(4).data[0];
  double momentum = getMomentum().convertToDouble(), decay = getDecay().convertToDouble();
  Array w = evaluation.in(0), u = evaluation.in(2);
  for (int64_t i = 0; i < w.size(); ++i) {
    double d = evaluation.in(1).data[i] + decay * w.data[i];
    u.data[i] = step == 1 ? d : momentum * u.data[i] + d;
    w.data[i] -= rate * (getNesterov() ? d + momentum * u.data[i] : u.data[i]);
  }
  evaluation.out(0) = std::move(w);
  evaluation.out(1) = std::move(u);
  return success();
}
void SgdOp::emit(ImplicitLocOpBuilder &b, ValueRange x, SmallVectorImpl<Value> &results) {
  Scalar w(b, x[0]), g(b, x[1]), u(b, x[2]), rate(b, x[3]), step(b, x[4]);
  double momentum = getMomentum().convertToDouble();
  Scalar d = g + w * getDecay().convertToDouble();
  u = select(step == splat(step, 1), d, u * momentum + d);
  w = w - rate * (getNesterov() ? d + u * momentum : u);
  results.append({w.value, u.value});
}

//===-- lion -----------------------------------------------------------------------------------------------------------------===//

LogicalResult LionOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferUpdate(context, op, {{"a gradient", op.getG()}, {"a momentum", op.getM()}}, results);
}
LogicalResult LionOp::evaluate(Evaluation &evaluation) {
  double rate = evaluation.in(3).data[0], decay = getDecay().convertToDouble();
  double b1 = getBeta1().convertToDouble(), b2 = getBeta2().convertToDouble();
  Array w = evaluation.in(0), m = evaluation.in(2);
  for (int64_t i = 0; i < w.size(); ++i) {
    double g = evaluation.in(1).data[i], direction = b1 * m.data[i] + (1 - b1) * g;
    w.data[i] -= rate * ((direction > 0) - (direction < 0) + decay * w.data[i]);
    m.data[i] = b2 * m.data[i] + (1 - b2) * g;
  }
  evaluation.out(0) = std::move(w);
  evaluation.out(1) = std::move(m);
  return success();
}
void LionOp::emit(ImplicitLocOpBuilder &b, ValueRange x, SmallVectorImpl<Value> &results) {
  Scalar w(b, x[0]), g(b, x[1]), m(b, x[2]), rate(b, x[3]);
  double b1 = getBeta1().convertToDouble(), b2 = getBeta2().convertToDouble();
  Scalar direction = m * b1 + g * (1 - b1), zero = splat(w, 0);
  direction = select(direction > 0.0, splat(w, 1), select(direction < 0.0, splat(w, -1), zero));
  w = w - rate * (direction + w * getDecay().convertToDouble());
  m = m * b2 + g * (1 - b2);
  results.append({w.value, m.value});
}

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Optimizer.cpp.inc"
void NacreDialect::addOptimizer() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Optimizer.cpp.inc"
      >();
}
