// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Ops/Codebook.h"

#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Layout.h"
#include "dialects/Nacre/IR/Ops/Normalization.h"
#include "dialects/Nacre/IR/Ops/SparseActivation.h"

#include <algorithm>
#include <cmath>

using namespace nacre;
using namespace mlir;

static LogicalResult inferCode(InferContext &context, Value ids, int64_t count, SmallVectorImpl<Type> &results) {
  if (failed(context.requireInteger(ids, "ids")))
    return failure();
  if (count < 1 || count > INT32_MAX)
    return context.error("expects a count of at least 1, but got " + Twine(count));
  results.push_back(CodeType::get(context.context, count, plainType(ids)));
  return success();
}

static FailureOr<CodeType> codeOperand(InferContext &context, Value x) {
  if (auto type = dyn_cast<CodeType>(x.getType()))
    return type;
  return context.error("expects codes, but got a tensor; as_code(ids, K) checks that they lie below K");
}

//===-- code_of, as_code, ids ------------------------------------------------------------------------------------------------===//

LogicalResult CodeOfOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferCode(context, op.getIds(), op.getCount(), results);
}
LogicalResult CodeOfOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(0);
  return success();
}
FailureOr<Entries> CodeOfOp::onEntries(OpBuilder &, ArrayRef<Entries> operands) { return operands[0]; }

static StringRef expectedIds() { return "as_code expects ids from 0 to"; }

LogicalResult AsCodeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  return inferCode(context, op.getIds(), op.getCount(), results);
}
LogicalResult AsCodeOp::evaluate(Evaluation &evaluation) {
  for (double id : evaluation.in(0).data)
    if (id < 0 || id >= double(getCount()))
      return emitError(expectedIds()) << " " << getCount() - 1 << ", but got " << int64_t(id);
  evaluation.out() = evaluation.in(0);
  return success();
}
/// What comes in from outside was checked before the first kernel ran.
FailureOr<Entries> AsCodeOp::onEntries(OpBuilder &builder, ArrayRef<Entries> operands) {
  if (isa<BlockArgument>(operands[0].values))
    return operands[0];
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula ids(b, operands[0].values);
  Formula list = reshape(ids, {product(ids.dims())});
  auto checked = CheckedIdsOp::create(b, list.value, std::to_string(getCount() - 1), expectedIds(), "");
  return Entries{reshape(Formula(b, checked.getResult()), ids.dims()).value};
}
Value AsCodeOp::positions() { return getIds(); }
std::optional<int64_t> AsCodeOp::positionBound() { return getCount(); }

LogicalResult CheckedIdsOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.append({plainType(op.getIds()), context.tensor(context.i32(), {Dim::constant(1)})});
  return context.requireInteger(op.getIds(), "ids");
}
LogicalResult CheckedIdsOp::evaluate(Evaluation &evaluation) {
  Array result = evaluation.in(0), report(llvm::ArrayRef<int64_t>{1});
  double limit = double(evaluation.sizeOf(*Dim::parse(getLimit())));
  for (double &id : result.data) {
    double inside = std::min(std::max(id, 0.0), limit);
    report.data[0] = report.data[0] == 0 && inside != id ? id : report.data[0];
    id = inside;
  }
  evaluation.out(0) = std::move(result);
  evaluation.out(1) = std::move(report);
  return success();
}
StringRef CheckedIdsOp::skeleton() { return "checked_ids"; }
Dim CheckedIdsOp::operations() { return Dim(); }

LogicalResult IdsOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  results.push_back(plainType(op.getCodes()));
  return codeOperand(context, op.getCodes());
}
LogicalResult IdsOp::evaluate(Evaluation &evaluation) {
  evaluation.out() = evaluation.in(0);
  return success();
}
FailureOr<Entries> IdsOp::onEntries(OpBuilder &, ArrayRef<Entries> operands) { return operands[0]; }

//===-- nearest_code ---------------------------------------------------------------------------------------------------------===//

LogicalResult NearestCodeOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  Dims x = dimsOf(op.getX()), e = dimsOf(op.getE());
  if (failed(context.requireFloat(op.getX(), "vectors")) || failed(context.requireFloat(op.getE(), "a codebook")))
    return failure();
  bool isOneEach = e.size() == 3 && x.size() >= 2 && e[0] == x[x.size() - 2];
  if (x.empty() || !(e.size() == 2 || isOneEach) || e.back() != x.back())
    return context.error("expects a codebook of shape [_, " + (x.empty() ? std::string("_") : x.back().str()) + "]" +
                         (x.size() < 2 ? "" : " or [" + x[x.size() - 2].str() + ", _, " + x.back().str() + "]") + ", but got " + text(e));
  std::optional<int64_t> count = e[e.size() - 2].asConstant();
  if (!count)
    return context.error("expects a codebook with a fixed number of codes, but got " + text(e));
  if (op.getMetric() != "l2" && op.getMetric() != "cosine")
    return context.error("expects the metric l2 or cosine, but got " + op.getMetric());
  if (op.getK() < 0 || op.getK() > *count)
    return context.error("expects k from 1 to the number of codes, " + Twine(*count) + ", but got " + Twine(op.getK()));
  x.pop_back();
  if (op.getK() > 0)
    x.push_back(Dim::constant(op.getK()));
  results.push_back(CodeType::get(context.context, *count, cast<RankedTensorType>(context.tensor(context.i32(), x))));
  return success();
}

/// How far row j of e is from a vector, by the definition of the metric.
static double distanceTo(const double *x, const double *e, int64_t width, bool isCosine) {
  double distance = 0, dot = 0, xx = 0, ee = 0;
  for (int64_t c = 0; c < width; ++c) {
    distance += (x[c] - e[c]) * (x[c] - e[c]);
    dot += x[c] * e[c];
    xx += x[c] * x[c];
    ee += e[c] * e[c];
  }
  return isCosine ? -dot / (std::fmax(std::sqrt(xx), 1e-12) * std::fmax(std::sqrt(ee), 1e-12)) : distance;
}

LogicalResult NearestCodeOp::evaluate(Evaluation &evaluation) {
  const Array &x = evaluation.in(0), &e = evaluation.in(1);
  int64_t width = e.shape.back(), count = e.shape[e.rank() - 2], heads = e.rank() == 3 ? e.shape[0] : 1, k = std::max<int64_t>(getK(), 1);
  Array result(evaluation.shapeOf(getResult()));
  std::vector<double> far(count);
  std::vector<int64_t> order(count);
  for (int64_t row = 0; row * k < result.size(); ++row) {
    for (int64_t j = 0; j < count; ++j) {
      far[j] = distanceTo(&x.data[row * width], &e.data[(row % heads * count + j) * width], width, getMetric() == "cosine");
      order[j] = j;
    }
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return far[a] < far[b]; });
    std::copy_n(order.begin(), k, result.data.begin() + row * k);
  }
  evaluation.out() = std::move(result);
  return success();
}

/// A score that is larger the nearer a code is: [rows, K] of x [rows, d] and e [K, d], or [H, rows, K] of [H, rows, d] and [H, K, d].
static Formula nearness(Formula x, Formula e, bool isCosine) {
  ImplicitLocOpBuilder &b = *x.b;
  if (isCosine) {
    x = Formula(b, NormalizeOp::create(b, x.value, -1, APFloat(1e-12)));
    e = Formula(b, NormalizeOp::create(b, e.value, -1, APFloat(1e-12)));
    return matmul(x, transposed(e));
  }
  int64_t rows = e.rank() - 2;
  Formula middle = reduceSum(e, rows) / sizeAsNumber(e, e.dims()[rows]);
  Formula codes = e - middle;
  Formula half = transposed(reduceSum(square(codes), rows + 1) * 0.5);
  return matmul(x - middle, transposed(codes)) - (rows ? half : reshape(half, {e.dims()[0]}));
}

LogicalResult NearestCodeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula x = stop(Formula(b, getX())), e = stop(Formula(b, getE()));
  Dims dims = dimsOf(getResult());
  bool isOneEach = e.rank() == 3;
  Dims all = x.dims();
  int64_t k = std::max<int64_t>(getK(), 1);
  Dim rows = product(ArrayRef<Dim>(all).drop_back(isOneEach ? 2 : 1));
  x = isOneEach ? permute(reshape(x, {rows, e.dims()[0], all.back()}), {1, 0, 2}) : reshape(x, {rows, all.back()});
  auto top = TopEntriesOp::create(b, nearness(x, e, getMetric() == "cosine").value, std::to_string(k), "value", "rank");
  Formula ids(b, top.getIndices());
  if (isOneEach) ids = permute(ids, {1, 0, 2});
  results.push_back(CodeOfOp::create(b, reshape(ids, dims).value, *e.dims()[e.rank() - 2].asConstant()));
  return success();
}

//===-- lookup, one_hot ------------------------------------------------------------------------------------------------------===//

LogicalResult LookupOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  FailureOr<CodeType> type = codeOperand(context, op.getCodes());
  if (failed(type) || failed(context.requireFloat(op.getTable(), "a table")))
    return failure();
  Dims table = dimsOf(op.getTable()), dims = dimsOf(op.getCodes());
  Dim count = Dim::constant(type->getCount());
  bool fits = table.size() == 2 ? table[0] == count : table.size() == 3 && table[1] == count && !dims.empty() && dims.back() == table[0];
  if (!fits)
    return context.error("expects a table of shape [" + count.str() + ", _], or [H, " + count.str() + ", _] with codes [.., H], but got " +
                         text(table) + " and codes " + text(dims));
  dims.push_back(table.back());
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}
LogicalResult LookupOp::evaluate(Evaluation &evaluation) {
  const Array &table = evaluation.in(0), &codes = evaluation.in(1);
  Array result(evaluation.shapeOf(getResult()));
  int64_t width = table.shape.back(), heads = table.rank() == 3 ? table.shape[0] : 1, count = table.shape[table.rank() - 2];
  for (int64_t i = 0; i < codes.size(); ++i)
    for (int64_t c = 0; c < width; ++c)
      result.data[i * width + c] = table.data[((i % heads) * count + int64_t(codes.data[i])) * width + c];
  evaluation.out() = std::move(result);
  return success();
}
LogicalResult LookupOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Formula table(b, getTable()), ids(b, IdsOp::create(b, getCodes()));
  if (table.rank() == 3) {
    // One table of all heads' rows; head h begins at h * K. Exact in f32, as positions stay below 2^24.
    Dims dims = table.dims();
    if (std::optional<int64_t> rows = (dims[0] * dims[1]).asConstant(); !rows || *rows > (1 << 24))
      return emitError("lookup expects at most 16777216 rows in all heads together, but got ") << (dims[0] * dims[1]).str();
    Formula first = iota(b, dimsOf(getCodes()), plainType(getCodes()).getRank() - 1) * sizeAsNumber(table, dims[1]);
    ids = toInt(toFloat(ids) + first);
    table = reshape(table, {dims[0] * dims[1], dims[2]});
  }
  results.push_back(EmbeddingOp::create(b, table.value, ids.value));
  return success();
}

LogicalResult OneHotOp::infer(InferContext &context, Adaptor op, SmallVectorImpl<Type> &results) {
  FailureOr<CodeType> type = codeOperand(context, op.getCodes());
  if (failed(type))
    return failure();
  Dims dims = dimsOf(op.getCodes());
  dims.push_back(Dim::constant(type->getCount()));
  results.push_back(context.tensor(context.f32(), dims));
  return success();
}
LogicalResult OneHotOp::evaluate(Evaluation &evaluation) {
  const Array &codes = evaluation.in(0);
  Array result(evaluation.shapeOf(getResult()));
  for (int64_t i = 0; i < codes.size(); ++i)
    result.data[i * result.shape.back() + int64_t(codes.data[i])] = 1;
  evaluation.out() = std::move(result);
  return success();
}
/// One entry a row, so that sums and products of it are sums by code (SparseRewrites.cpp).
LogicalResult OneHotOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &results) {
  ImplicitLocOpBuilder b(getLoc(), builder);
  Dims dims = dimsOf(getResult());
  Value indices = addAxis(Formula(b, IdsOp::create(b, getCodes())), dims.size() - 1).value;
  Value ones = broadcastTo(Formula(b, 1.0), dimsOf(indices)).value;
  results.push_back(PlaceOp::create(b, ones, indices, Value(), dims.back().str(), ""));
  return success();
}

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Codebook.cpp.inc"
void NacreDialect::addCodebook() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Nacre/IR/Ops/Codebook.cpp.inc"
      >();
}
