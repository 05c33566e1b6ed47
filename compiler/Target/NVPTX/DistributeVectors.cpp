// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/DistributeVectors.h"

#include "compiler/Target/NVPTX/DistributedAccess.h"
#include "compiler/Target/NVPTX/Warp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;

namespace nacre::nvptx {
namespace {

bool isDistributed(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return vector && vector.getRank() == 1 && vector.getNumElements() == kWarpLanes;
}

struct LaneTypes final : TypeConverter {
  LaneTypes() {
    addConversion([](Type type) { return type; });
    addConversion([](VectorType type) -> Type { return isDistributed(type) ? type.getElementType() : Type(type); });
  }
};

bool touchesVectors(Operation *op) {
  return llvm::any_of(op->getOperandTypes(), isDistributed) || llvm::any_of(op->getResultTypes(), isDistributed);
}

/// add : vector<32xf32>  ->  add : f32
struct DistributeElementwise final : ConversionPattern {
  DistributeElementwise(const TypeConverter &types, MLIRContext *context)
      : ConversionPattern(types, MatchAnyOpTypeTag(), /*benefit=*/1, context) {}
  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands, ConversionPatternRewriter &rewriter) const override {
    if (!OpTrait::hasElementwiseMappableTraits(op) && !isa<LLVM::GEPOp>(op))
      return rewriter.notifyMatchFailure(op, "works not lane by lane");
    SmallVector<Type> types;
    if (failed(typeConverter->convertTypes(op->getResultTypes(), types)))
      return failure();
    OperationState state(op->getLoc(), op->getName(), operands, types, op->getAttrs());
    rewriter.replaceOp(op, rewriter.create(state)->getResults());
    return success();
  }
};

/// dense<c>  ->  c;  dense<[a, a + d, a + 2d, ...]>  ->  a + d * lane
struct DistributeConstant final : OpConversionPattern<arith::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(arith::ConstantOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    auto dense = dyn_cast<DenseElementsAttr>(op.getValue());
    if (!dense || !isDistributed(op.getType()))
      return failure();
    if (dense.isSplat()) {
      rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, dense.getSplatValue<TypedAttr>());
      return success();
    }
    auto type = dyn_cast<IntegerType>(dense.getElementType());
    if (!type || type.getWidth() < 32)
      return rewriter.notifyMatchFailure(op, "a constant that is no progression of integers");
    auto numbers = llvm::to_vector(llvm::map_range(dense.getValues<APInt>(), [](const APInt &value) { return value.getSExtValue(); }));
    int64_t step = numbers[1] - numbers[0];
    for (auto [lane, number] : llvm::enumerate(numbers))
      if (number != numbers[0] + static_cast<int64_t>(lane) * step)
        return rewriter.notifyMatchFailure(op, "a constant that is no progression of integers");
    Location loc = op.getLoc();
    auto constant = [&](int64_t value) { return arith::ConstantOp::create(rewriter, loc, rewriter.getIntegerAttr(type, value)).getResult(); };
    Value lane = laneOf(rewriter, loc);
    if (type.getWidth() > 32)
      lane = arith::ExtUIOp::create(rewriter, loc, type, lane);
    Value scaled = arith::MulIOp::create(rewriter, loc, lane, constant(step));
    rewriter.replaceOpWithNewOp<arith::AddIOp>(op, scaled, constant(numbers[0]));
    return success();
  }
};

/// A scalar is in all threads already.
struct DistributeBroadcast final : OpConversionPattern<vector::BroadcastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::BroadcastOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (!isDistributed(op.getType()))
      return failure();
    rewriter.replaceOp(op, adaptor.getSource());
    return success();
  }
};

struct DistributeExtract final : OpConversionPattern<vector::ExtractOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::ExtractOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (!isDistributed(op.getSource().getType()) || op.hasDynamicPosition() || op.getNumIndices() != 1)
      return failure();
    Value lane = arith::ConstantOp::create(rewriter, op.getLoc(), rewriter.getI32IntegerAttr(static_cast<int32_t>(op.getStaticPosition()[0])));
    rewriter.replaceOp(op, fromLane(rewriter, op.getLoc(), adaptor.getSource(), lane));
    return success();
  }
};

/// A rotation is one shuffle; any other order looks up where its lanes come from, in a table.
struct DistributeShuffle final : OpConversionPattern<vector::ShuffleOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::ShuffleOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (!isDistributed(op.getV1().getType()) || !isDistributed(op.getType()))
      return failure();
    Location loc = op.getLoc();
    ArrayRef<int64_t> order = op.getMask();
    auto integer = [&](int64_t value) { return arith::ConstantOp::create(rewriter, loc, rewriter.getI32IntegerAttr(int32_t(value))).getResult(); };
    bool isRotation = llvm::all_of(llvm::enumerate(order), [&](auto entry) {
      return entry.value() == (static_cast<int64_t>(entry.index()) + order[0]) % kWarpLanes;
    });
    if (isRotation && order[0] < kWarpLanes) {
      Value source = arith::AddIOp::create(rewriter, loc, laneOf(rewriter, loc), integer(order[0]));
      rewriter.replaceOp(op, fromLane(rewriter, loc, adaptor.getV1(), arith::AndIOp::create(rewriter, loc, source, integer(kWarpLanes - 1))));
      return success();
    }
    Value source = tableEntry(rewriter, op, order);
    Value lane = arith::AndIOp::create(rewriter, loc, source, integer(kWarpLanes - 1));
    Value isFirst = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::slt, source, integer(kWarpLanes));
    Value first = fromLane(rewriter, loc, adaptor.getV1(), lane), second = fromLane(rewriter, loc, adaptor.getV2(), lane);
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, isFirst, first, second);
    return success();
  }

private:
  /// order[lane], from a constant of the module.
  static Value tableEntry(ConversionPatternRewriter &rewriter, vector::ShuffleOp op, ArrayRef<int64_t> order) {
    Location loc = op.getLoc();
    auto module = op->getParentOfType<ModuleOp>();
    SmallVector<int32_t> numbers(order.begin(), order.end());
    auto content = DenseElementsAttr::get(RankedTensorType::get({kWarpLanes}, rewriter.getI32Type()), ArrayRef<int32_t>(numbers));
    LLVM::GlobalOp table;
    for (auto global : module.getOps<LLVM::GlobalOp>())
      if (global.getValueOrNull() == content)
        table = global;
    if (!table) {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToStart(module.getBody());
      auto type = LLVM::LLVMArrayType::get(rewriter.getI32Type(), kWarpLanes);
      std::string name = ("order" + Twine(llvm::range_size(module.getOps<LLVM::GlobalOp>()))).str();
      table = LLVM::GlobalOp::create(rewriter, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal, name, content);
    }
    Value address = LLVM::AddressOfOp::create(rewriter, loc, table);
    Value place = LLVM::GEPOp::create(rewriter, loc, address.getType(), rewriter.getI32Type(), address, ValueRange{laneOf(rewriter, loc)});
    return LLVM::LoadOp::create(rewriter, loc, rewriter.getI32Type(), place, /*alignment=*/4, false, false, /*isInvariant=*/true);
  }
};

/// The lanes of a mask as the bits of an integer.
struct DistributeMaskBits final : OpConversionPattern<LLVM::BitcastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LLVM::BitcastOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (!isDistributed(op.getArg().getType()) || !op.getType().isInteger(kWarpLanes) || !adaptor.getArg().getType().isInteger(1))
      return failure();
    rewriter.replaceOp(op, ballot(rewriter, op.getLoc(), adaptor.getArg()));
    return success();
  }
};

} // namespace

LogicalResult distributeVectors(ModuleOp module) {
  MLIRContext *context = module.getContext();
  storeScalarsOnce(module);
  LaneTypes types;
  RewritePatternSet patterns(context);
  ConversionTarget target(*context);
  target.markUnknownOpDynamicallyLegal([](Operation *op) { return !touchesVectors(op); });
  scf::populateSCFStructuralTypeConversionsAndLegality(types, patterns, target);
  addAccessLegality(target);
  patterns.add<DistributeElementwise>(types, context);
  patterns.add<DistributeConstant, DistributeBroadcast, DistributeExtract, DistributeShuffle, DistributeMaskBits>(types, context, /*benefit=*/2);
  populateAccessPatterns(types, patterns);
  return applyFullConversion(module, target, std::move(patterns));
}

} // namespace nacre::nvptx
