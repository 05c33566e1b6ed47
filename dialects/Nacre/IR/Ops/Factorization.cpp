// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Ops/Factorization.h"

#include "dialects/Nacre/IR/Expression.h"

#include <cmath>
#include <numeric>

using namespace nacre;
using namespace mlir;

//===-- shapes ---------------------------------------------------------------------------------------------------------------===//

/// A square matrix behind any leading axes.
static LogicalResult checkSquare(const InferContext &context, Value a) {
  Dims dims = dimsOf(a);
  if (failed(context.requireFloat(a, "a matrix")))
    return failure();
  if (dims.size() < 2 || dims[dims.size() - 1] != dims[dims.size() - 2])
    return context.error("expects a matrix of shape [.., n, n], but got " + text(dims));
  return success();
}

/// [.., n, m] for a: [.., n, n], with the same leading axes.
static LogicalResult checkRightSide(const InferContext &context, Value a, Value b) {
  if (failed(checkSquare(context, a)) || failed(context.requireFloat(b, "a right side")))
    return failure();
  Dims matrix = dimsOf(a), side = dimsOf(b);
  matrix.pop_back();
  if (side.size() == matrix.size() + 1 && ArrayRef<Dim>(side).drop_back() == ArrayRef<Dim>(matrix))
    return success();
  std::string lead;
  for (const Dim &dim : matrix)
    lead += dim.str() + ", ";
  return context.error("expects a right side of shape [" + lead + "_], but got " + text(side));
}

static LogicalResult checkBatch(const InferContext &context, Value a) {
  if (dimsOf(a).size() != 3)
    return context.error("expects a batch of matrices [B, n, n], but got " + text(dimsOf(a)));
  return checkSquare(context, a);
}

/// Row `i` of matrix `batch` of an array whose last two axes are rows and columns.
static double *rowOf(Array &x, int64_t batch, int64_t i) {
  int64_t columns = x.shape.back(), rows = x.shape[x.shape.size() - 2];
  return &x.data[(batch * rows + i) * columns];
}
static const double *rowOf(const Array &x, int64_t batch, int64_t i) { return rowOf(const_cast<Array &>(x), batch, i); }

static int64_t batchOf(const Array &a) { return a.size() == 0 ? 0 : a.size() / (a.shape.back() * a.shape.back()); }

/// x with T x = b in place, T the lower or upper triangle of a matrix.
static void substituteInPlace(const Array &a, Array &x, int64_t batch, bool lower, bool unit) {
  int64_t n = a.shape.back(), m = x.shape.back();
  for (int64_t t = 0; t < n; ++t) {
    int64_t i = lower ? t : n - 1 - t;
    for (int64_t c = 0; c < m; ++c) {
      double sum = rowOf(x, batch, i)[c];
      for (int64_t k = lower ? 0 : i + 1; k < (lower ? i : n); ++k)
        sum -= rowOf(a, batch, i)[k] * rowOf(x, batch, k)[c];
      rowOf(x, batch, i)[c] = unit ? sum : sum / rowOf(a, batch, i)[i];
    }
  }
}

/// Gaussian elimination with partial pivoting in place; `order` says which row of the original stands where.
static void eliminate(Array &a, int64_t batch, double *order) {
  int64_t n = a.shape.back();
  std::iota(order, order + n, 0.0);
  for (int64_t k = 0; k < n; ++k) {
    int64_t best = k;
    for (int64_t i = k + 1; i < n; ++i)
      if (std::fabs(rowOf(a, batch, i)[k]) > std::fabs(rowOf(a, batch, best)[k]))
        best = i;
    std::swap(order[k], order[best]);
    std::swap_ranges(rowOf(a, batch, k), rowOf(a, batch, k) + n, rowOf(a, batch, best));
    for (int64_t i = k + 1; i < n; ++i) {
      double factor = rowOf(a, batch, i)[k] /= rowOf(a, batch, k)[k];
      for (int64_t j = k + 1; j < n; ++j)
        rowOf(a, batch, i)[j] -= factor * rowOf(a, batch, k)[j];
    }
  }
}

static void choleskyInPlace(Array &a, int64_t batch) {
  int64_t n = a.shape.back();
  for (int64_t i = 0; i < n; ++i) {
    double *row = rowOf(a, batch, i);
    for (int64_t j = 0; j <= i; ++j) {
      const double *other = rowOf(a, batch, j);
      double sum = row[j] - std::inner_product(row, row + j, other, 0.0);
      row[j] = i == j ? std::sqrt(sum) : sum / other[j];
    }
    std::fill(row + i + 1, row + n, 0.0);
  }
}

//===-- the primitives -------------------------------------------------------------------------------------------------------===//

static Dim cubeOf(Value a) { return product(dimsOf(a)) * dimsOf(a).back(); }

LogicalResult LuOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims dims = dimsOf(op.getA());
  if (failed(checkBatch(context, op.getA())))
    return failure();
  results.append({context.tensor(context.f32(), dims), context.tensor(context.i32(), {dims[0], dims[1]})});
  return success();
}
LogicalResult LuOp::evaluate(Evaluation &evaluation) {
  Array factors = evaluation.in(0), order(evaluation.shapeOf(getOrder()));
  for (int64_t batch = 0; batch < batchOf(factors); ++batch)
    eliminate(factors, batch, &order.data[batch * factors.shape.back()]);
  evaluation.out(0) = std::move(factors);
  evaluation.out(1) = std::move(order);
  return success();
}
StringRef LuOp::skeleton() { return "lu"; }
Dim LuOp::operations() { return cubeOf(getA()); }

LogicalResult CholeskyFactorOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(context.tensor(context.f32(), dimsOf(op.getA())));
  return checkBatch(context, op.getA());
}
LogicalResult CholeskyFactorOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(0);
  for (int64_t batch = 0; batch < batchOf(evaluation.in(0)); ++batch)
    choleskyInPlace(evaluation.out(), batch);
  return success();
}
StringRef CholeskyFactorOp::skeleton() { return "cholesky"; }
Dim CholeskyFactorOp::operations() { return cubeOf(getA()); }

LogicalResult SubstituteOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  if (failed(checkBatch(context, op.getA())) || failed(checkRightSide(context, op.getA(), op.getB())))
    return failure();
  Dims rows = dimsOf(op.getB());
  results.push_back(context.tensor(context.f32(), rows));
  rows.pop_back();
  if (op.getOrder() && dimsOf(op.getOrder()) != rows)
    return context.error("expects an order of shape " + text(rows) + ", but got " + text(dimsOf(op.getOrder())));
  return success();
}
LogicalResult SubstituteOp::evaluate(Evaluation &evaluation) {
  const Array &a = evaluation.in(0), &b = evaluation.in(1), *order = evaluation.in(getOrder());
  Array x = b;
  int64_t n = a.shape.back(), m = b.shape.back();
  for (int64_t batch = 0; batch < batchOf(a); ++batch) {
    for (int64_t i = 0; order && i < n; ++i)
      std::copy_n(rowOf(b, batch, int64_t(order->data[batch * n + i])), m, rowOf(x, batch, i));
    substituteInPlace(a, x, batch, getLower(), getUnit());
  }
  evaluation.out() = std::move(x);
  return success();
}
StringRef SubstituteOp::skeleton() { return "substitute"; }
Dim SubstituteOp::operations() { return product(dimsOf(getB())) * dimsOf(getA()).back(); }

//===-- formulas -------------------------------------------------------------------------------------------------------------===//

/// [.., r, c] as [B, r, c].
static Formula asBatch(Formula x) {
  Dims dims = x.dims();
  return reshape(x, {product(ArrayRef<Dim>(dims).drop_back(2)), dims[dims.size() - 2], dims.back()});
}
static Formula substitute(Formula a, Formula b, Value order, bool lower, bool unit) {
  return Formula(*a.b, SubstituteOp::create(*a.b, a.value, b.value, order, lower, unit));
}
static Formula triangularSolve(Formula a, Formula b, bool lower) {
  return Formula(*a.b, TriangularSolveOp::create(*a.b, a.value, b.value, lower));
}

/// Entries at row >= column of x: [.., n, n]; the others 0, those of the diagonal times `diagonal`.
static Formula lowerTriangle(Formula x, double diagonal) {
  Dims square(2, x.dims().back());
  Formula row = iota(*x.b, square, 0), column = iota(*x.b, square, 1), zero(*x.b, 0.0);
  return select(column < row, x, select(column == row, x * diagonal, zero));
}
static Formula identity(ImplicitLocOpBuilder &b, const Dim &n) {
  return toFloat(iota(b, {n, n}, 0) == iota(b, {n, n}, 1));
}

//===-- cholesky, triangular_solve, solve ------------------------------------------------------------------------------------===//

LogicalResult CholeskyOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(context.tensor(context.f32(), dimsOf(op.getA())));
  return checkSquare(context, op.getA());
}
LogicalResult CholeskyOp::evaluate(Evaluation &evaluation) {
  const Array &a = evaluation.in(0);
  Array lower(a.shape);
  int64_t n = a.shape.back();
  // Column by column, so that the order of the sums is not that of the primitive.
  for (int64_t batch = 0; batch < batchOf(a); ++batch)
    for (int64_t j = 0; j < n; ++j)
      for (int64_t i = j; i < n; ++i) {
        double sum = rowOf(a, batch, i)[j];
        for (int64_t k = 0; k < j; ++k)
          sum -= rowOf(lower, batch, i)[k] * rowOf(lower, batch, j)[k];
        rowOf(lower, batch, i)[j] = i == j ? std::sqrt(sum) : sum / rowOf(lower, batch, j)[j];
      }
  evaluation.out() = std::move(lower);
  return success();
}
LogicalResult CholeskyOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula factor(b, CholeskyFactorOp::create(b, asBatch(Formula(b, getA())).value));
  results.push_back(reshape(factor, dimsOf(getA())).value);
  return success();
}
LogicalResult CholeskyOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula lower(b, getResult()), g = broadcastTo(Formula(b, cotangents[0]), lower.dims()), upper = transposed(lower);
  Formula half = triangularSolve(upper, lowerTriangle(matmul(upper, g), 0.5), false);
  Formula whole = triangularSolve(upper, transposed(half), false);
  gradients.push_back(((whole + transposed(whole)) * 0.5).value);
  return success();
}

LogicalResult TriangularSolveOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(context.tensor(context.f32(), dimsOf(op.getB())));
  return checkRightSide(context, op.getA(), op.getB());
}
LogicalResult TriangularSolveOp::evaluate(Evaluation &evaluation) {
  Array x = evaluation.in(1);
  for (int64_t batch = 0; batch < batchOf(evaluation.in(0)); ++batch)
    substituteInPlace(evaluation.in(0), x, batch, getLower(), false);
  evaluation.out() = std::move(x);
  return success();
}
LogicalResult TriangularSolveOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x = substitute(asBatch(Formula(b, getA())), asBatch(Formula(b, getB())), Value(), getLower(), false);
  results.push_back(reshape(x, dimsOf(getB())).value);
  return success();
}
/// db = T^-T g and dT = the triangle of -db x^T.
LogicalResult TriangularSolveOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getResult()), g = broadcastTo(Formula(b, cotangents[0]), x.dims());
  Formula db = triangularSolve(transposed(Formula(b, getA())), g, !getLower());
  Formula da = getLower() ? lowerTriangle(matmul(db, transposed(x)), 1) : transposed(lowerTriangle(matmul(x, transposed(db)), 1));
  gradients.append({(-da).value, db.value});
  return success();
}

LogicalResult SolveOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(context.tensor(context.f32(), dimsOf(op.getB())));
  return checkRightSide(context, op.getA(), op.getB());
}
/// row -= factor * other
static void subtract(double *row, double factor, const double *other, int64_t size) {
  for (int64_t j = 0; j < size; ++j)
    row[j] -= factor * other[j];
}
/// Gauss-Jordan: not the factors that the definition uses.
LogicalResult SolveOp::evaluate(Evaluation &evaluation) {
  Array a = evaluation.in(0), x = evaluation.in(1);
  int64_t n = a.shape.back(), m = x.shape.back();
  for (int64_t batch = 0; batch < batchOf(a); ++batch)
    for (int64_t k = 0; k < n; ++k) {
      auto row = [&](int64_t i) { return rowOf(a, batch, i); };
      auto side = [&](int64_t i) { return rowOf(x, batch, i); };
      int64_t best = k;
      for (int64_t i = k + 1; i < n; ++i)
        best = std::fabs(row(i)[k]) > std::fabs(row(best)[k]) ? i : best;
      std::swap_ranges(row(k), row(k) + n, row(best));
      std::swap_ranges(side(k), side(k) + m, side(best));
      subtract(side(k), 1 - 1 / row(k)[k], side(k), m);
      subtract(row(k), 1 - 1 / row(k)[k], row(k), n);
      for (int64_t i = 0; i < n; ++i)
        if (i != k) {
          subtract(side(i), row(i)[k], side(k), m);
          subtract(row(i), row(i)[k], row(k), n);
        }
    }
  evaluation.out() = std::move(x);
  return success();
}
LogicalResult SolveOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  auto lu = LuOp::create(b, asBatch(Formula(b, getA())).value);
  Formula factors(b, lu.getFactors()), side = asBatch(Formula(b, getB()));
  Formula x = substitute(factors, substitute(factors, side, lu.getOrder(), true, true), Value(), false, false);
  results.push_back(reshape(x, dimsOf(getB())).value);
  return success();
}
/// db = a^-T g and da = -db x^T.
LogicalResult SolveOp::differentiate(OpBuilder &builder, ValueRange cotangents, SmallVectorImpl<Value> &gradients) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getResult()), g = broadcastTo(Formula(b, cotangents[0]), x.dims());
  Formula db(b, SolveOp::create(b, transposed(Formula(b, getA())).value, g.value));
  gradients.append({(-matmul(db, transposed(x))).value, db.value});
  return success();
}

//===-- cayley, householder --------------------------------------------------------------------------------------------------===//

LogicalResult CayleyOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX());
  if (failed(context.requireFloat(op.getX(), "an input")) || failed(context.requireFloat(op.getP(), "parameters")))
    return failure();
  if (x.empty() || dimsOf(op.getP()) != Dims{x.back(), x.back()})
    return context.error("expects parameters of shape [n, n] for an input of shape [.., n], but got " + text(dimsOf(op.getP())) + " for " + text(x));
  results.push_back(context.tensor(context.f32(), x));
  return success();
}
/// The other way round than the definition: I + A and I - A commute, so y = z (I - A) with z (I + A) = x, row by row.
LogicalResult CayleyOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &p = evaluation.in(1);
  int64_t n = x.shape.back();
  Array plus(ArrayRef<int64_t>{n, n}), order(ArrayRef<int64_t>{n});
  auto skew = [&](int64_t i, int64_t j) { return p.data[i * n + j] - p.data[j * n + i]; };
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j)
      plus.data[i * n + j] = (i == j ? 1 : 0) + skew(j, i); // transposed, because rows are solved for
  eliminate(plus, 0, order.data.data());
  Array result(x.shape), z(ArrayRef<int64_t>{n, 1});
  for (int64_t start = 0; start < x.size(); start += n) {
    for (int64_t i = 0; i < n; ++i)
      z.data[i] = x.data[start + int64_t(order.data[i])];
    substituteInPlace(plus, z, 0, true, true);
    substituteInPlace(plus, z, 0, false, false);
    for (int64_t j = 0; j < n; ++j) {
      result.data[start + j] = z.data[j];
      for (int64_t i = 0; i < n; ++i)
        result.data[start + j] -= z.data[i] * skew(i, j);
    }
  }
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult CayleyOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x(b, getX()), p(b, getP());
  Dims dims = x.dims();
  Formula rows = reshape(x, {product(ArrayRef<Dim>(dims).drop_back()), dims.back()});
  Formula skew = p - transposed(p);
  Formula side = transposed(rows - matmul(rows, skew));
  Formula y(b, SolveOp::create(b, (identity(b, dims.back()) - skew).value, side.value));
  results.push_back(reshape(transposed(y), dims).value);
  return success();
}

LogicalResult HouseholderOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), v = dimsOf(op.getV());
  if (failed(context.requireFloat(op.getX(), "an input")) || failed(context.requireFloat(op.getV(), "reflections")))
    return failure();
  if (x.empty() || v.size() != 2 || v[1] != x.back() || !v[0].asConstant())
    return context.error("expects reflections of shape [r, n] with a fixed r for an input of shape [.., n], but got " + text(v) + " for " + text(x));
  results.push_back(context.tensor(context.f32(), x));
  return success();
}
LogicalResult HouseholderOp::evaluate(Evaluation &evaluation) {
  const Array &v = evaluation.in(1);
  Array y = evaluation.in(0);
  int64_t n = v.shape[1];
  for (int64_t start = 0; start < y.size(); start += n)
    for (int64_t i = 0; i < v.shape[0]; ++i) {
      const double *axis = &v.data[i * n];
      double along = std::inner_product(axis, axis + n, &y.data[start], 0.0) / std::inner_product(axis, axis + n, axis, 0.0);
      for (int64_t j = 0; j < n; ++j)
        y.data[start + j] -= 2 * along * axis[j];
    }
  evaluation.out() = std::move(y);
  return success();
}
LogicalResult HouseholderOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula y(b, getX()), v(b, getV());
  for (int64_t i = 0; i < *v.dims()[0].asConstant(); ++i) {
    Formula axis = dropAxis(slice(v, 0, Dim::constant(i), Dim::constant(1)), 0);
    Formula scale = 2.0 / reduceSum(square(axis), 0);
    y = y - reduceSum(y * axis, -1) * scale * axis;
  }
  results.push_back(y.value);
  return success();
}

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Factorization.cpp.inc"
void NacreDialect::addFactorization() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Factorization.cpp.inc"
      >();
}
