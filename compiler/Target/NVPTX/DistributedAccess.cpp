// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/DistributedAccess.h"

#include "compiler/Target/NVPTX/DistributeVectors.h"
#include "compiler/Target/NVPTX/Warp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nacre::nvptx {
namespace {

/// pointer + lane, counted in elements of `element`.
Value atLane(OpBuilder &b, Location loc, Value pointer, Type element) {
  return LLVM::GEPOp::create(b, loc, pointer.getType(), element, pointer, ValueRange{laneOf(b, loc)});
}

/// Runs `body` in the threads whose `predicate` holds; it returns what they have, the others have `otherwise`.
Value onLanes(OpBuilder &b, Location loc, Value predicate, Value otherwise, llvm::function_ref<Value(OpBuilder &)> body) {
  auto branch = scf::IfOp::create(b, loc, otherwise ? TypeRange(otherwise.getType()) : TypeRange(), predicate, /*withElseRegion=*/!!otherwise);
  branch->setAttr(kLaneBranch, b.getUnitAttr());
  OpBuilder inside = branch.getThenBodyBuilder();
  Value result = body(inside);
  if (!otherwise)
    return nullptr;
  scf::YieldOp::create(inside, loc, result);
  OpBuilder outside = branch.getElseBodyBuilder();
  scf::YieldOp::create(outside, loc, otherwise);
  return branch.getResult(0);
}

template <typename Op> Op markLane(OpBuilder &b, Op access) {
  access->setAttr(kLaneAccess, b.getUnitAttr());
  return access;
}

unsigned alignmentOf(Type element) { return std::max(1u, element.getIntOrFloatBitWidth() / 8); }

Value loadElement(OpBuilder &b, Location loc, Type element, Value place) {
  return markLane(b, LLVM::LoadOp::create(b, loc, element, place, alignmentOf(element)));
}

void storeElement(OpBuilder &b, Location loc, Value value, Value place) {
  markLane(b, LLVM::StoreOp::create(b, loc, value, place, alignmentOf(value.getType())));
}

struct DistributeLoad final : OpConversionPattern<LLVM::LoadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LLVM::LoadOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Type element = typeConverter->convertType(op.getType());
    if (element == op.getType())
      return failure();
    rewriter.replaceOp(op, loadElement(rewriter, op.getLoc(), element, atLane(rewriter, op.getLoc(), adaptor.getAddr(), element)));
    return success();
  }
};

struct DistributeStore final : OpConversionPattern<LLVM::StoreOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LLVM::StoreOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Value value = adaptor.getValue();
    if (value.getType() == op.getValue().getType())
      return failure();
    storeElement(rewriter, op.getLoc(), value, atLane(rewriter, op.getLoc(), adaptor.getAddr(), value.getType()));
    rewriter.eraseOp(op);
    return success();
  }
};

struct DistributeMaskedLoad final : OpConversionPattern<LLVM::MaskedLoadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LLVM::MaskedLoadOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (!adaptor.getPassThru())
      return rewriter.notifyMatchFailure(op, "says not what the lanes that are not loaded hold");
    Location loc = op.getLoc();
    Type element = typeConverter->convertType(op.getType());
    rewriter.replaceOp(op, onLanes(rewriter, loc, adaptor.getMask(), adaptor.getPassThru(), [&](OpBuilder &b) {
                         return loadElement(b, loc, element, atLane(b, loc, adaptor.getData(), element));
                       }));
    return success();
  }
};

struct DistributeMaskedStore final : OpConversionPattern<LLVM::MaskedStoreOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LLVM::MaskedStoreOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value value = adaptor.getValue();
    onLanes(rewriter, loc, adaptor.getMask(), nullptr, [&](OpBuilder &b) {
      storeElement(b, loc, value, atLane(b, loc, adaptor.getData(), value.getType()));
      return Value();
    });
    rewriter.eraseOp(op);
    return success();
  }
};

/// Each thread at a pointer of its own; without values for them, all lanes are loaded.
struct DistributeGather final : OpConversionPattern<LLVM::masked_gather> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LLVM::masked_gather op, OneToNOpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type element = typeConverter->convertType(op.getType());
    Value place = adaptor.getPtrs().front(), mask = adaptor.getMask().front();
    Value otherwise = adaptor.getPassThru().empty()
                          ? arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(element)).getResult()
                          : adaptor.getPassThru().front().front();
    rewriter.replaceOp(op, onLanes(rewriter, loc, mask, otherwise, [&](OpBuilder &b) -> Value {
                         return LLVM::LoadOp::create(b, loc, element, place, alignmentOf(element));
                       }));
    return success();
  }
};

struct DistributeScatter final : OpConversionPattern<LLVM::masked_scatter> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LLVM::masked_scatter op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    onLanes(rewriter, loc, adaptor.getMask(), nullptr, [&](OpBuilder &b) {
      LLVM::StoreOp::create(b, loc, adaptor.getValue(), adaptor.getPtrs(), alignmentOf(adaptor.getValue().getType()));
      return Value();
    });
    rewriter.eraseOp(op);
    return success();
  }
};

/// A thread's element goes behind those of the lower lanes that are set.
struct DistributeCompress final : OpConversionPattern<LLVM::masked_compressstore> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LLVM::masked_compressstore op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value bits = ballot(rewriter, loc, adaptor.getMask()), one = arith::ConstantOp::create(rewriter, loc, rewriter.getI32IntegerAttr(1));
    Value below = arith::SubIOp::create(rewriter, loc, arith::ShLIOp::create(rewriter, loc, one, laneOf(rewriter, loc)), one);
    Value position = math::CtPopOp::create(rewriter, loc, arith::AndIOp::create(rewriter, loc, bits, below));
    onLanes(rewriter, loc, adaptor.getMask(), nullptr, [&](OpBuilder &b) {
      Value value = adaptor.getValue(), pointer = adaptor.getPtr();
      Value place = LLVM::GEPOp::create(b, loc, pointer.getType(), value.getType(), pointer, ValueRange{position});
      LLVM::StoreOp::create(b, loc, value, place, alignmentOf(value.getType()));
      return Value();
    });
    rewriter.eraseOp(op);
    return success();
  }
};

/// The hardware has other warps to run meanwhile.
struct DropPrefetch final : OpConversionPattern<LLVM::Prefetch> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LLVM::Prefetch op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void populateAccessPatterns(const TypeConverter &types, RewritePatternSet &patterns) {
  patterns.add<DistributeLoad, DistributeStore, DistributeMaskedLoad, DistributeMaskedStore, DistributeGather, DistributeScatter,
               DistributeCompress, DropPrefetch>(types, patterns.getContext(), /*benefit=*/2);
}

void addAccessLegality(ConversionTarget &target) { target.addIllegalOp<LLVM::Prefetch>(); }

void storeScalarsOnce(ModuleOp module) {
  SmallVector<LLVM::StoreOp> stores;
  module.walk([&](LLVM::StoreOp store) {
    if (!isa<VectorType>(store.getValue().getType()))
      stores.push_back(store);
  });
  for (LLVM::StoreOp store : stores) {
    OpBuilder b(store);
    Location loc = store.getLoc();
    Value zero = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
    Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, laneOf(b, loc), zero);
    onLanes(b, loc, isFirst, nullptr, [&](OpBuilder &inside) {
      store->moveBefore(inside.getInsertionBlock(), inside.getInsertionPoint());
      return Value();
    });
  }
}

} // namespace nacre::nvptx
