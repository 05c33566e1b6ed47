// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums in f32 on the plain units: a thread holds up to 8 x 8 sums, each a chain of fused multiply-adds with k ascending.
#include "compiler/Target/NVPTX/ContractRing.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace nacre::nvptx::contract {
namespace {

// Tiles of runs of i, so that a step of k is read as quads; 4 floats between rows spread transposing copies over the banks.
constexpr int64_t kDepth = 8, kStages = 4, kPitchPadding = 16; // bytes

// A warp's threads stand in 8 rows of 4; each has quads 32 rows and 16 columns apart.
constexpr int64_t kLaneColumns = 4, kQuad = 4, kLaneRows = kWarpThreads / kLaneColumns;

class FusedProduct final : public Product {
public:
  FusedProduct(WarpBuilder &b, const BlockTile &tile, const Factor &left, const Factor &right, bool words)
      : b(b), tile(tile), left(left), right(right), words(words), ring{tileOf(tile.rows), tileOf(tile.columns), kStages} {}

  Values begin() override { return Values(sumRows() * sumColumns(), b.scalar(0)); }
  Values add(Value begin, Value end, llvm::ArrayRef<Value> sums) override;
  SumPlaces places() override;
  int64_t sharedBytes() const override { return ring.bytes(); }

private:
  static SharedTile tileOf(int64_t extent) { return {extent, kDepth, 4, extent * 4 + kPitchPadding, false}; }
  int64_t sumRows() const { return tile.warpRows() / kLaneRows; }
  int64_t sumColumns() const { return tile.warpColumns() / kLaneColumns; }
  Value rowOfThread() { return b.mul(b.div(b.lane(), kLaneColumns), kQuad); }
  Value columnOfThread() {
    return b.add(b.mul(b.rem(b.warp(), kWarpColumns), tile.warpColumns()), b.mul(b.rem(b.lane(), kLaneColumns), kQuad));
  }
  Values quadsAt(Value place, int64_t count, int64_t apart);
  Value step(Value x, Value y, Value sum);

  WarpBuilder &b;
  BlockTile tile;
  Factor left, right;
  bool words;
  RingShape ring;
};

} // namespace

/// `count` numbers of a step, in quads whose beginnings are `apart` elements apart.
Values FusedProduct::quadsAt(Value place, int64_t count, int64_t apart) {
  Values numbers;
  for (int64_t n = 0; n < count; n += kQuad) {
    Value quad = b.loadAs(b.quad(), b.byteAt(place, n / kQuad * apart * 4));
    for (int64_t lane = 0; lane < kQuad; ++lane)
      numbers.push_back(b.element(quad, lane));
  }
  return numbers;
}

Value FusedProduct::step(Value x, Value y, Value sum) {
  if (!words)
    return b.fma(x, y, sum);
  Value bits = math::CtPopOp::create(b.op, b.differ(b.bitsOf(x), b.bitsOf(y)));
  return b.addf(sum, b.toFloat(bits));
}

Values FusedProduct::add(Value begin, Value end, llvm::ArrayRef<Value> sums) {
  Value row = b.add(b.mul(b.div(b.warp(), kWarpColumns), tile.warpRows()), rowOfThread()), column = columnOfThread();
  return emitRing(b, ring, left, right, begin, end, sums, [&](Value leftTile, Value rightTile, llvm::ArrayRef<Value> carried) {
    Values next(carried);
    Value leftPlace = b.byteAt(leftTile, b.mul(row, 4)), rightPlace = b.byteAt(rightTile, b.mul(column, 4));
    for (int64_t k = 0; k < kDepth; ++k) {
      Values x = quadsAt(b.byteAt(leftPlace, k * ring.left.pitch), sumRows(), kLaneRows * kQuad);
      Values y = quadsAt(b.byteAt(rightPlace, k * ring.right.pitch), sumColumns(), kLaneColumns * kQuad);
      for (int64_t i = 0; i < sumRows(); ++i)
        for (int64_t j = 0; j < sumColumns(); ++j)
          next[i * sumColumns() + j] = step(x[i], y[j], next[i * sumColumns() + j]);
    }
    return next;
  });
}

SumPlaces FusedProduct::places() {
  SumPlaces result{kQuad, {}, rowOfThread(), columnOfThread()};
  for (int64_t i = 0; i < sumRows(); ++i)
    for (int64_t j = 0; j < sumColumns(); j += kQuad)
      result.places.push_back({i / kQuad * kLaneRows * kQuad + i % kQuad, j / kQuad * kLaneColumns * kQuad});
  return result;
}

std::unique_ptr<Product> createFusedProduct(WarpBuilder &b, const BlockTile &tile, const Factor &left, const Factor &right, bool words) {
  return std::make_unique<FusedProduct>(b, tile, left, right, words);
}

} // namespace nacre::nvptx::contract
