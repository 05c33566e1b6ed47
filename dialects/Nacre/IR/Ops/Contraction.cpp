// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Contraction.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Reduction.h"
#include "dialects/Nacre/IR/Ops/SparseActivation.h"

#include "llvm/ADT/bit.h"

#include <cmath>

using namespace nacre;
using namespace mlir;

//===-- matmul ---------------------------------------------------------------------------------------------------------------===//

LogicalResult MatmulOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getA(), "a left operand")) || failed(context.requireFloat(op.getB(), "a right operand")))
    return failure();
  Dims a = dimsOf(op.getA()), b = dimsOf(op.getB());
  if (a.size() < 2 || b.size() < 2)
    return context.error("expects at least two axes on both sides, but got " + text(a) + " and " + text(b));
  if (a.back() != b[b.size() - 2])
    return context.error("expects a right operand of shape [.., " + a.back().str() + ", _], but got " + text(b));
  std::optional<Dims> batch = broadcast(ArrayRef<Dim>(a).drop_back(2), ArrayRef<Dim>(b).drop_back(2));
  if (!batch)
    return context.error("expects leading axes that broadcast, but got " + text(a) + " and " + text(b));
  batch->push_back(a[a.size() - 2]);
  batch->push_back(b.back());
  results.push_back(context.tensor(context.f32(), *batch));
  return success();
}

FailureOr<Entries> MatmulOp::onEntries(OpBuilder &builder, ArrayRef<Entries> operands) {
  if (operands[0].isDense() || dimsOf(getB()).size() != 2)
    return emitError("matmul expects a sparse value on the left and a matrix on the right; densify(x) makes it dense");
  return Entries{sparseProduct(builder, operands[0], operands[1].values)};
}
LogicalResult MatmulOp::evaluate(Evaluation &evaluation) {
  const Array &a = evaluation.in(0), &b = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  int64_t depth = a.shape.back();
  forEach(result.shape, [&](ArrayRef<int64_t> index) {
    SmallVector<int64_t> ia(index), ib(index);
    double sum = 0;
    for (int64_t k = 0; k < depth; ++k) {
      ia[ia.size() - 1] = k;
      ib[ib.size() - 2] = k;
      sum += a.at(ia) * b.at(ib);
    }
    result(index) = sum;
  });
  evaluation.out() = std::move(result);
  return success();
}

LogicalResult MatmulOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder build(getLoc(), builder);
  Formula g(build, cotangents[0]), a(build, getA()), b(build, getB());
  gradients.push_back(matmul(g, transposed(b)).value);
  if (b.rank() == 2) {
    // One product over all rows, instead of one a batch entry and a sum.
    Dims flat = {product(ArrayRef<Dim>(a.dims()).drop_back()), a.dims().back()};
    Dims flatG = {flat[0], g.dims().back()};
    gradients.push_back(matmul(transposed(reshape(a, flat)), reshape(g, flatG)).value);
  } else {
    gradients.push_back(matmul(transposed(a), g).value);
  }
  return success();
}

FailureOr<Value> MatmulOp::buildStacked(OpBuilder &builder, ValueRange operands, ArrayRef<bool> stacked) {
  if (stacked[1] && plainType(getB()).getRank() < plainType(getA()).getRank())
    return failure();
  return rebuildStackedPointwise(builder, *this, operands, {false, false});
}

StringRef MatmulOp::skeleton() { return "contract"; }
bool MatmulOp::acceptsEpilogue() { return true; }
Value MatmulOp::rowOperand() { return getA(); }
/// As a product by group with one group, which the padding does not belong to.
FailureOr<Value> MatmulOp::limitRows(OpBuilder &builder, Value lengths) {
  Dims a = dimsOf(getA()), w = dimsOf(getB());
  if (a.size() != 3 || w.size() != 2)
    return failure();
  ImplicitLocOpBuilder b(getLoc(), builder);
  Dims rows = {a[0], a[1]};
  Formula isReal = iota(b, rows, 1) < addAxis(toFloat(Formula(b, lengths)), 1);
  auto product = GroupedProductOp::create(b, getA(), addAxis(Formula(b, getB()), 0).value, toInt(1.0 - toFloat(isReal)).value);
  product.setPartial(true);
  return product.getResult();
}
Value MatmulOp::lhs() { return getA(); }
Value MatmulOp::rhs() { return getB(); }
ArrayRef<int64_t> MatmulOp::checkpoints() { return {}; }
Dim MatmulOp::operations() { return product(dimsOf(getResult())) * dimsOf(getA()).back() * Dim::constant(2); }

//===-- linear ---------------------------------------------------------------------------------------------------------------===//

LogicalResult LinearOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getX(), "an input")) || failed(context.requireFloat(op.getW(), "weights")))
    return failure();
  Dims x = dimsOf(op.getX()), w = dimsOf(op.getW());
  if (x.empty())
    return context.error("expects an input with at least one axis");
  if (w.size() != 2 || w[0] != x.back())
    return context.error("expects weights of shape [" + x.back().str() + ", _], but got " + text(w));
  if (op.getB() && dimsOf(op.getB()) != Dims{w[1]})
    return context.error("expects a bias of shape [" + w[1].str() + "], but got " + text(dimsOf(op.getB())));
  x.back() = w[1];
  results.push_back(context.tensor(context.f32(), x));
  return success();
}
LogicalResult LinearOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &w = evaluation.in(1);
  const Array *bias = getB() ? &evaluation.in(2) : nullptr;
  Array result(evaluation.shapeOf(getResult()));
  int64_t depth = w.shape[0], width = w.shape[1];
  for (int64_t i = 0; i < result.size(); ++i) {
    int64_t row = i / width, column = i % width;
    double sum = 0;
    for (int64_t k = 0; k < depth; ++k)
      sum += x.data[row * depth + k] * w.data[k * width + column];
    result.data[i] = sum + (bias ? bias->data[column] : 0);
  }
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult LinearOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX()), w(b, getW());
  Formula y = x.rank() == 1 ? dropAxis(matmul(addAxis(x, 0), w), 0) : matmul(x, w);
  if (getB())
    y = y + Formula(b, getB());
  results.push_back(y.value);
  return success();
}

//===-- differing_bits -------------------------------------------------------------------------------------------------------===//

LogicalResult DifferingBitsOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireInteger(op.getA(), "a left operand")) || failed(context.requireInteger(op.getB(), "a right operand")))
    return failure();
  Dims a = dimsOf(op.getA()), b = dimsOf(op.getB());
  if (a.size() != 2 || b.size() != 2 || a[1] != b[0])
    return context.error("expects words of shapes [N, k] and [k, M], but got " + text(a) + " and " + text(b));
  results.push_back(context.tensor(context.f32(), {a[0], b[1]}));
  return success();
}
LogicalResult DifferingBitsOp::evaluate(Evaluation &evaluation) {
  const Array &a = evaluation.in(0), &b = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  forEach(result.shape, [&](ArrayRef<int64_t> at) {
    for (int64_t k = 0; k < a.shape[1]; ++k)
      result(at) += llvm::popcount(uint32_t(int32_t(a.at({at[0], k}))) ^ uint32_t(int32_t(b.at({k, at[1]}))));
  });
  evaluation.out() = std::move(result);
  return success();
}
StringRef DifferingBitsOp::skeleton() { return "contract"; }
bool DifferingBitsOp::acceptsEpilogue() { return true; }
Dim DifferingBitsOp::operations() { return product(dimsOf(getResult())) * dimsOf(getA()).back() * Dim::constant(3); }
Value DifferingBitsOp::lhs() { return getA(); }
Value DifferingBitsOp::rhs() { return getB(); }
ArrayRef<int64_t> DifferingBitsOp::checkpoints() { return {}; }

//===-- row_logsumexp --------------------------------------------------------------------------------------------------------===//

LogicalResult RowLogSumExpOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getX());
  if (failed(context.requireFloat(op.getX(), "an operand")) || dims.empty())
    return failure();
  dims.back() = Dim::constant(1);
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}
LogicalResult RowLogSumExpOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0);
  Array result(evaluation.shapeOf(getResult()));
  int64_t size = x.shape.back();
  for (int64_t row = 0; row < result.size(); ++row) {
    ArrayRef<double> values = ArrayRef(x.data).slice(row * size, size);
    double top = *llvm::max_element(values), sum = 0;
    for (double value : values)
      sum += std::exp(value - top);
    result.data[row] = std::isinf(top) ? top : top + std::log(sum);
  }
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult RowLogSumExpOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  results.push_back(LogSumExpOp::create(b, getX(), -1, true));
  return success();
}
StringRef RowLogSumExpOp::skeleton() { return "log_sum_exp"; }
std::optional<int64_t> RowLogSumExpOp::foldedEntries() { return 1; }
Dim RowLogSumExpOp::operations() { return product(dimsOf(getX())); }

//===-- weighted_sum ---------------------------------------------------------------------------------------------------------===//

LogicalResult WeightedSumOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(context.requireFloat(op.getWeights(), "weights")) || failed(context.requireFloat(op.getRows(), "rows")))
    return failure();
  Dims weights = dimsOf(op.getWeights()), rows = dimsOf(op.getRows());
  if (weights.size() != 2 || rows.size() != 2 || weights[1] != rows[0])
    return context.error("expects weights [N, M] and rows [M, d], but got " + text(weights) + " and " + text(rows));
  results.push_back(context.tensor(context.f32(), {weights[0], rows[1]}));
  return success();
}
LogicalResult WeightedSumOp::evaluate(Evaluation &evaluation) {
  const Array &weights = evaluation.in(0), &rows = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  forEach(result.shape, [&](ArrayRef<int64_t> at) {
    for (int64_t j = 0; j < rows.shape[0]; ++j)
      result(at) += weights.at({at[0], j}) * rows.at({j, at[1]});
  });
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult WeightedSumOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  results.push_back(matmul(Formula(b, getWeights()), Formula(b, getRows())).value);
  return success();
}
StringRef WeightedSumOp::skeleton() { return "weighted_sum"; }
/// The state of a row is its sum; a symbolic width is left to the definition, because the kernel reads padded rows.
std::optional<int64_t> WeightedSumOp::foldedEntries() {
  return dimsOf(getRows()).back().asConstant() ? std::optional<int64_t>(1) : std::nullopt;
}
Dim WeightedSumOp::operations() { return product(dimsOf(getWeights())) * dimsOf(getRows()).back() * Dim::constant(2); }

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Contraction.cpp.inc"
void NacreDialect::addContraction() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Contraction.cpp.inc"
      >();
}
