// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Draws by place: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011) with the key (seed, 0) and the counter (column, row, draw, site). A draw
// depends on nothing else, so that any thread, any split of the work and any target make the same uniform draws. Declared in Elementwise.td.
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Random.h"
#include "dialects/Nacre/IR/Scalar.h"

#include <cmath>

using namespace nacre;
using namespace mlir;

template <typename Adaptor> static LogicalResult inferDraw(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  for (Value number : {op.getSeed(), op.getDraw()})
    if (plainType(number).getRank() != 0 || !plainType(number).getElementType().isInteger(32))
      return context.error("expects a seed and a draw that are one i32 each, but got " + text(dimsOf(number)));
  std::optional<Dims> shape = broadcast(dimsOf(op.getRow()), dimsOf(op.getColumn()));
  if (!shape)
    return context.error("expects rows and columns that broadcast, but got " + text(dimsOf(op.getRow())) + " and " +
                         text(dimsOf(op.getColumn())));
  results.push_back(context.tensor(context.f32(), *shape));
  return context.requireFloat(op.getRow(), "rows");
}

//===-- the reference --------------------------------------------------------------------------------------------------------===//

/// The first two words of a block, as uniform numbers in [0, 1): the upper 24 bits.
static std::pair<double, double> referenceDraw(uint32_t column, uint32_t row, uint32_t draw, uint32_t site, uint32_t seed) {
  uint32_t counter[4] = {column, row, draw, site}, key[2] = {seed, 0};
  for (int round = 0; round < 10; ++round) {
    uint64_t a = uint64_t(0xD2511F53) * counter[0], b = uint64_t(0xCD9E8D57) * counter[2];
    uint32_t next[4] = {uint32_t(b >> 32) ^ counter[1] ^ key[0], uint32_t(b), uint32_t(a >> 32) ^ counter[3] ^ key[1], uint32_t(a)};
    std::copy(next, next + 4, counter);
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return {std::ldexp(counter[0] >> 8, -24), std::ldexp(counter[1] >> 8, -24)};
}

static LogicalResult evaluateDraws(Evaluation &evaluation, int64_t site, llvm::function_ref<double(double, double)> f) {
  const Array &row = evaluation.in(0), &column = evaluation.in(1);
  auto seed = uint32_t(int64_t(evaluation.in(2).data[0])), draw = uint32_t(int64_t(evaluation.in(3).data[0]));
  Array result(row.rank() >= column.rank() ? row.shape : column.shape);
  for (int64_t axis = 0; axis < result.rank(); ++axis)
    for (const Array *part : {&row, &column})
      if (int64_t own = axis - (result.rank() - part->rank()); own >= 0)
        result.shape[axis] = part->shape[own] == 1 ? result.shape[axis] : part->shape[own]; // an axis may be empty
  result = Array(result.shape);
  forEach(result.shape, [&](ArrayRef<int64_t> index) {
    auto [u, v] = referenceDraw(uint32_t(column.at(index)), uint32_t(row.at(index)), draw, uint32_t(site), seed);
    result(index) = f(u, v);
  });
  evaluation.out() = std::move(result);
  return success();
}

//===-- in kernels -----------------------------------------------------------------------------------------------------------===//

namespace {
/// Philox on vectors of i32.
class Philox {
public:
  Philox(ImplicitLocOpBuilder &b, Type type) : b(b), type(type) {}

  /// The first two words of the block.
  std::pair<Value, Value> run(Value column, Value row, Value draw, int64_t site, Value seed) {
    Value c[4] = {column, row, draw, constant(uint32_t(site))}, key0 = seed;
    uint32_t weyl0 = 0, key1 = 0;
    for (int round = 0; round < 10; ++round) {
      auto [low0, high0] = multiply(c[0], 0xD2511F53);
      auto [low1, high1] = multiply(c[2], 0xCD9E8D57);
      Value key = arith::AddIOp::create(b, key0, constant(weyl0));
      c[0] = mixed(high1, c[1], key);
      c[1] = low1;
      c[2] = mixed(high0, c[3], constant(key1));
      c[3] = low0;
      weyl0 += 0x9E3779B9;
      key1 += 0xBB67AE85;
    }
    return {c[0], c[1]};
  }
  /// In [0, 1), a multiple of 2^-24, exactly.
  Scalar uniform(Value word, Type floats) {
    Value upper = arith::ShRUIOp::create(b, word, constant(8));
    return Scalar(b, arith::SIToFPOp::create(b, floats, upper)) * 0x1p-24;
  }

private:
  Value constant(uint32_t value) {
    TypedAttr attribute = b.getI32IntegerAttr(int32_t(value));
    if (auto vector = dyn_cast<ShapedType>(type))
      attribute = DenseElementsAttr::get(vector, cast<Attribute>(attribute));
    return arith::ConstantOp::create(b, attribute);
  }
  std::pair<Value, Value> multiply(Value a, uint32_t factor) {
    auto product = arith::MulUIExtendedOp::create(b, a, constant(factor));
    return {product.getLow(), product.getHigh()};
  }
  Value mixed(Value x, Value y, Value z) { return arith::XOrIOp::create(b, arith::XOrIOp::create(b, x, y), z); }

  ImplicitLocOpBuilder &b;
  Type type;
};
} // namespace

/// The two uniform draws at the place of the operands (row, column, seed, draw).
static std::pair<Scalar, Scalar> emitDraws(ImplicitLocOpBuilder &b, ValueRange x, int64_t site) {
  Type floats = x[0].getType(), integers = b.getI32Type();
  if (auto vector = dyn_cast<VectorType>(floats))
    integers = vector.clone(integers);
  Philox philox(b, integers);
  Value row = arith::FPToSIOp::create(b, integers, x[0]), column = arith::FPToSIOp::create(b, integers, x[1]);
  auto [first, second] = philox.run(column, row, x[3], site, x[2]);
  return {philox.uniform(first, floats), philox.uniform(second, floats)};
}

//===-- the operators --------------------------------------------------------------------------------------------------------===//

LogicalResult RandomUniformOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferDraw(context, op, results);
}
LogicalResult RandomUniformOp::evaluate(Evaluation &evaluation) {
  return evaluateDraws(evaluation, getSite(), [](double u, double) { return u; });
}
void RandomUniformOp::emit(ImplicitLocOpBuilder &b, ValueRange x, SmallVectorImpl<Value> &results) {
  results.push_back(emitDraws(b, x, getSite()).first.value);
}

LogicalResult RandomNormalOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferDraw(context, op, results);
}
LogicalResult RandomNormalOp::evaluate(Evaluation &evaluation) {
  return evaluateDraws(evaluation, getSite(), [](double u, double v) {
    return std::sqrt(-2 * std::log(1 - u)) * std::cos(6.283185307179586 * v);
  });
}
void RandomNormalOp::emit(ImplicitLocOpBuilder &b, ValueRange x, SmallVectorImpl<Value> &results) {
  auto [u, v] = emitDraws(b, x, getSite());
  results.push_back((sqrt(log(1.0 - u) * -2.0) * cos(v * 6.283185307179586)).value);
}

/// The position along the last axis, and that of the row among all rows.
static std::pair<Formula, Formula> places(ImplicitLocOpBuilder &b, ArrayRef<Dim> dims) {
  Formula row(b, 0.0), column(b, 0.0);
  Dim stride = Dim::constant(1);
  for (int64_t axis = int64_t(dims.size()) - 1; axis >= 0; --axis) {
    Dims along(dims.size(), Dim::constant(1));
    along[axis] = dims[axis];
    Formula position = iota(b, along, axis);
    if (axis + 1 == int64_t(dims.size())) {
      column = position;
      continue;
    }
    row = stride.isOne() ? position : row + position * sizeAsNumber(position, stride);
    stride = stride * dims[axis];
  }
  return {row, column};
}

Formula nacre::randomTensor(ImplicitLocOpBuilder &b, ArrayRef<Dim> dims, Distribution distribution, Value seed, Value draw, int64_t site) {
  auto [row, column] = places(b, dims);
  if (distribution == Distribution::Uniform)
    return Formula(b, RandomUniformOp::create(b, row.value, column.value, seed, draw, site));
  return Formula(b, RandomNormalOp::create(b, row.value, column.value, seed, draw, site));
}
