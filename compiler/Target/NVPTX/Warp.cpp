// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/Warp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace nacre::nvptx {

static constexpr int32_t kAllLanes = -1, kWholeWarp = 31; // the mask of members; the clamp of a shuffle

// 8 x 2 sums a thread: as many columns of a panel as two loads bring, and few enough registers for four warps a scheduler. Tasks are
// small, for there are thousands of warps and each has a scratch: 32 rows of 64 columns, read in place where they can be. Not measured.
const cpu::Level &warpLevel() {
  static const cpu::Level level = [] {
    cpu::Level warp = {"warp", "", "", kWarpLanes, 8, 2, 8};
    warp.taskRows = warp.foldRows = warp.directRows = 32;
    warp.taskColumns = 64;
    warp.depth = 256;
    return warp;
  }();
  return level;
}

static Value integer(OpBuilder &b, Location loc, int32_t value) { return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value)); }

Value laneOf(OpBuilder &b, Location loc) { return NVVM::LaneIdOp::create(b, loc, b.getI32Type()); }

static Value shuffleWord(OpBuilder &b, Location loc, Value word, Value source) {
  return NVVM::ShflOp::create(b, loc, word.getType(), integer(b, loc, kAllLanes), word, source, integer(b, loc, kWholeWarp), NVVM::ShflKind::idx,
                              UnitAttr());
}

Value fromLane(OpBuilder &b, Location loc, Value value, Value source) {
  Type type = value.getType(), word = b.getI32Type();
  if (type.isF32() || type == word)
    return shuffleWord(b, loc, value, source);
  if (type.isInteger(1)) {
    Value wide = arith::ExtUIOp::create(b, loc, word, value);
    return arith::TruncIOp::create(b, loc, type, shuffleWord(b, loc, wide, source));
  }
  Value shift = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(32));
  Value low = shuffleWord(b, loc, arith::TruncIOp::create(b, loc, word, value), source);
  Value high = shuffleWord(b, loc, arith::TruncIOp::create(b, loc, word, arith::ShRUIOp::create(b, loc, value, shift)), source);
  Value upper = arith::ShLIOp::create(b, loc, arith::ExtUIOp::create(b, loc, type, high), shift);
  return arith::OrIOp::create(b, loc, upper, arith::ExtUIOp::create(b, loc, type, low));
}

Value ballot(OpBuilder &b, Location loc, Value predicate) {
  return NVVM::VoteSyncOp::create(b, loc, b.getI32Type(), integer(b, loc, kAllLanes), predicate, NVVM::VoteSyncKind::ballot);
}

void synchronizeLanes(OpBuilder &b, Location loc) { NVVM::SyncWarpOp::create(b, loc, integer(b, loc, kAllLanes)); }

} // namespace nacre::nvptx
