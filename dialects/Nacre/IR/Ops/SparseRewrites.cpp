// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Keeps sparse what derivative rules write densely: `place` moves down through whatever maps zero to zero, `take` moves up to what it
// reads. So the cotangent of a sparse value stays as sparse as the value, and a dense row of latents never comes into being.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Contraction.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Layout.h"
#include "dialects/Nacre/IR/Ops/Reduction.h"
#include "dialects/Nacre/IR/Ops/SparseActivation.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace nacre;
using namespace mlir;

static PlaceOp placeOf(Value value) { return value.getDefiningOp<PlaceOp>(); }
static Entries entriesOf(PlaceOp place) { return {place.getValues(), place.getIndices(), place.getRows(), dimsOf(place)}; }
static bool isSamePlace(PlaceOp a, PlaceOp b) {
  return a.getIndices() == b.getIndices() && a.getRows() == b.getRows() && dimsOf(a) == dimsOf(b);
}
static bool isZero(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto number = constant ? dyn_cast<FloatAttr>(constant.getValue()) : FloatAttr();
  return number && number.getValueAsDouble() == 0;
}
static Value placed(OpBuilder &b, Location loc, PlaceOp like, Value values) {
  return PlaceOp::create(b, loc, values, like.getIndices(), like.getRows(), like.getSize(), like.getCount());
}

/// The place whose entries decide the whole result, because the operator gives 0 wherever the place has nothing. Null when there is none.
static PlaceOp decidingPlace(Operation *op) {
  PlaceOp deciding;
  auto follows = [&](Value value) {
    PlaceOp place = placeOf(value);
    bool fits = place && (!deciding || isSamePlace(deciding, place));
    deciding = fits ? place : deciding;
    return fits;
  };
  bool decides = false;
  if (isa<NegOp, StopOp, DivOp>(op))
    decides = follows(op->getOperand(0));
  else if (isa<MulOp>(op))
    decides = follows(op->getOperand(0)) || follows(op->getOperand(1));
  else if (isa<AddOp, SubOp>(op))
    decides = follows(op->getOperand(0)) && follows(op->getOperand(1));
  else if (isa<SelectOp>(op))
    decides = (isZero(op->getOperand(1)) || follows(op->getOperand(1))) && (isZero(op->getOperand(2)) || follows(op->getOperand(2)));
  bool isWhole = decides && deciding && dimsOf(deciding) == dimsOf(op->getResult(0));
  return isWhole ? deciding : PlaceOp();
}

/// Whether `pulled` can bring a value to entries: floats can be taken, truth values and integers only as functions of such.
static bool canPull(Value value) {
  if (plainType(value).getElementType().isF32())
    return true;
  Operation *op = value.getDefiningOp();
  return op && isa<Pointwise>(op) && op->getNumResults() == 1 && llvm::all_of(op->getOperands(), canPull);
}

/// A value at the places of entries.
static Value pulled(OpBuilder &b, const Entries &at, Value value) {
  if (plainType(value).getElementType().isF32()) {
    PlaceOp place = placeOf(value);
    bool isHere = place && place.getIndices() == at.indices && place.getRows() == at.rows;
    return isHere ? place.getValues() : atEntries(b, at, value);
  }
  SmallVector<Value> operands;
  for (Value operand : value.getDefiningOp()->getOperands())
    operands.push_back(pulled(b, at, operand));
  return rebuild(b, value.getDefiningOp(), operands)->getResult(0);
}

namespace {

/// f(place(v, i), x)  ->  place(f(v, take(x, i)), i), where f is 0 wherever nothing is placed.
struct MovePlaceDown final : OpInterfaceRewritePattern<Pointwise> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(Pointwise op, PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 1)
      return rewriter.notifyMatchFailure(op, "several results");
    PlaceOp place = decidingPlace(op);
    if (!place || !llvm::all_of(op->getOperands(), canPull))
      return rewriter.notifyMatchFailure(op, "no placed operand decides where the result is 0");
    Entries at = entriesOf(place);
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(pulled(rewriter, at, operand));
    rewriter.replaceOp(op, placed(rewriter, op->getLoc(), place, rebuild(rewriter, op, operands)->getResult(0)));
    return success();
  }
};

/// reshape(place(v, i))  ->  place(reshape(v), reshape(i)), where the last axis stays.
struct MovePlaceThroughReshape final : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    PlaceOp place = placeOf(op.getX());
    Dims dims = dimsOf(op.getResult());
    if (!place || place.getRows() || dims.size() < 1 || dims.back() != dimsOf(place).back())
      return rewriter.notifyMatchFailure(op, "not a placed value with its last axis");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    dims.back() = dimsOf(place.getValues()).back();
    Value values = reshape(Formula(b, place.getValues()), dims).value, indices = reshape(Formula(b, place.getIndices()), dims).value;
    rewriter.replaceOpWithNewOp<PlaceOp>(op, values, indices, Value(), place.getSize(), place.getCount());
    return success();
  }
};

/// reduce_sum(place(v, i)) along rows  ->  segment_sum(v, i); along the last axis  ->  the sum of the values in use.
struct SumPlaced final : OpRewritePattern<ReduceSumOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReduceSumOp op, PatternRewriter &rewriter) const override {
    PlaceOp place = placeOf(op.getX());
    if (!place)
      return rewriter.notifyMatchFailure(op, "not a placed value");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Dims dims = dimsOf(place), slots = dimsOf(place.getValues());
    if (op.getAxis() == dims.size() - 1) {
      rewriter.replaceOp(op, sparseRowSum(b, entriesOf(place)));
      return success();
    }
    if (dims.size() != 2)
      return rewriter.notifyMatchFailure(op, "more than one axis of rows");
    if (place.getRows())
      slots.push_back(Dim::constant(1));
    Value values = reshape(Formula(b, place.getValues()), slots).value, indices = reshape(Formula(b, place.getIndices()), slots).value;
    Value sums = SegmentSumOp::create(b, values, indices, place.getSize());
    rewriter.replaceOp(op, reshape(Formula(b, sums), dimsOf(op.getResult())).value);
    return success();
  }
};

/// The sum of the rows of a product is the product of the sum of the rows: reduce_sum(matmul(x, w))  ->  matmul(reduce_sum(x), w), and
/// reduce_sum(gather_rows_sum(v, i, t))  ->  matmul(segment_sum(v, i), t). It is the gradient of what is subtracted from every row before
/// an encoder, for which no row of the product need be made.
struct SumOfProductRows final : OpRewritePattern<ReduceSumOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReduceSumOp op, PatternRewriter &rewriter) const override {
    Value product = op.getX();
    auto negated = product.getDefiningOp<NegOp>();
    if (negated && negated->hasOneUse())
      product = negated.getX();
    if (dimsOf(product).size() != 2 || op.getAxis() != 0 || !product.hasOneUse() || !product.getDefiningOp())
      return rewriter.notifyMatchFailure(op, "not the rows of a matrix that nobody else wants");
    // Where the product was: behind it, w may be updated in place.
    rewriter.setInsertionPoint(product.getDefiningOp());
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    std::optional<Formula> sum = sumOfRows(b, product);
    if (!sum)
      return rewriter.notifyMatchFailure(op, "not a product");
    rewriter.replaceOp(op, product == op.getX() ? sum->value : (-*sum).value);
    return success();
  }

private:
  static std::optional<Formula> sumOfRows(ImplicitLocOpBuilder &b, Value product) {
    if (auto dense = product.getDefiningOp<MatmulOp>(); dense && dimsOf(dense.getA()).size() == 2)
      return matmul(reduceSum(Formula(b, dense.getA()), 0), Formula(b, dense.getB()));
    auto sparse = product.getDefiningOp<GatherRowsSumOp>();
    if (!sparse || sparse.getRows() || dimsOf(sparse.getValues()).size() != 2)
      return std::nullopt;
    Formula table(b, sparse.getTable());
    Formula sums(b, SegmentSumOp::create(b, sparse.getValues(), sparse.getIndices(), table.dims()[0].str()));
    return matmul(addAxis(sums, 0), table);
  }
};

/// The operand of a transposition of a matrix, or null.
Value transposedOf(Value value) {
  auto permute = value.getDefiningOp<PermuteOp>();
  return permute && permute.getOrder() == ArrayRef<int64_t>{1, 0} ? permute.getX() : Value();
}

/// matmul(place(v, i), w)      ->  the rows of w, gathered and added;
/// matmul(place(v, i)^T, g)    ->  segment_outer(v, i, g);
/// matmul(x^T, place(v, i))    ->  segment_outer(v, i, x)^T.
struct MultiplyPlaced final : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatmulOp op, PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value lhs = op.getA(), rhs = op.getB();
    if (PlaceOp place = placeOf(lhs); place && dimsOf(rhs).size() == 2) {
      rewriter.replaceOp(op, sparseProduct(b, entriesOf(place), rhs));
      return success();
    }
    Value turned = transposedOf(lhs);
    if (PlaceOp place = turned ? placeOf(turned) : PlaceOp(); place && dimsOf(rhs).size() == 2) {
      rewriter.replaceOp(op, outer(b, place, rhs));
      return success();
    }
    if (PlaceOp place = placeOf(rhs); place && dimsOf(rhs).size() == 2 && dimsOf(lhs).size() == 2) {
      Value rows = turned ? turned : transposed(Formula(b, lhs)).value;
      rewriter.replaceOp(op, transposed(Formula(b, outer(b, place, rows))).value);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no operand is placed");
  }

private:
  static Value outer(ImplicitLocOpBuilder &b, PlaceOp place, Value rows) {
    return SegmentOuterOp::create(b, place.getValues(), place.getIndices(), rows, place.getRows(), place.getSize());
  }
};

/// take(x, i)  ->  v, where (v, i) are the top entries of x.
struct TakeOfTop final : OpRewritePattern<TakeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TakeOp op, PatternRewriter &rewriter) const override {
    auto top = op.getIndices().getDefiningOp<TopEntriesOp>();
    if (!top || op.getRows() || top.getX() != op.getX())
      return rewriter.notifyMatchFailure(op, "not the entries that were chosen from it");
    rewriter.replaceOp(op, top.getValues());
    return success();
  }
};

/// Whether nobody but selections and takes wants a value, or what is made of it element by element: then it need never be stored.
static bool isOnlySelected(Value value) {
  return llvm::all_of(value.getUsers(), [](Operation *user) {
    if (isa<TakeOp, TopEntriesOp>(user))
      return true;
    return isa<Pointwise>(user) && llvm::all_of(user->getResults(), isOnlySelected);
  });
}

/// take(f(x), i)  ->  f(take(x, i)), and take(matmul(x, w), i)  ->  sampled_product(x, w^T, i): the few entries are made again, where
/// the whole would be kept for them alone.
struct MoveTakeUp final : OpRewritePattern<TakeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TakeOp op, PatternRewriter &rewriter) const override {
    Operation *source = op.getX().getDefiningOp();
    if (!source || op.getRows() || source->getNumResults() != 1 || !isOnlySelected(op.getX()))
      return rewriter.notifyMatchFailure(op, "its operand is kept for others");
    Dims slots = dimsOf(op.getIndices());
    slots.back() = dimsOf(op.getX()).back();
    if (dimsOf(op.getX()) != slots)
      return rewriter.notifyMatchFailure(op, "its operand repeats");
    if (auto product = dyn_cast<MatmulOp>(source)) {
      if (dimsOf(product.getB()).size() != 2)
        return rewriter.notifyMatchFailure(op, "several right operands");
      ImplicitLocOpBuilder b(op.getLoc(), rewriter);
      Value table = transposed(Formula(b, product.getB())).value;
      rewriter.replaceOpWithNewOp<SampledProductOp>(op, product.getA(), table, op.getIndices(), Value());
      return success();
    }
    if (!isa<Pointwise>(source) || !llvm::all_of(source->getOperands(), canPull))
      return rewriter.notifyMatchFailure(op, "its operand is neither element-wise nor a product");
    Entries at{op.getResult(), op.getIndices(), Value(), slots};
    SmallVector<Value> operands;
    for (Value operand : source->getOperands())
      operands.push_back(pulled(rewriter, at, operand));
    // Operands of one entry a row come as they are, so all of them may be narrower than the slots.
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Formula made(b, rebuild(rewriter, source, operands)->getResult(0));
    rewriter.replaceOp(op, broadcastTo(made, dimsOf(op.getResult())).value);
    return success();
  }
};

} // namespace

void PlaceOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<MovePlaceDown, MovePlaceThroughReshape, SumPlaced, MultiplyPlaced, SumOfProductRows>(context);
}
void TakeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<TakeOfTop, MoveTakeUp>(context);
}
