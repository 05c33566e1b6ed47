// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums on tensor cores: a warp multiplies pieces of 16 rows by 8 columns that it reads from shared tiles as the factors lie in memory,
// by runs of k or by runs of i: four kinds of product in one kernel, chosen by the strides.
#include "compiler/Target/NVPTX/ContractRing.h"

using namespace mlir;

namespace nacre::nvptx::contract {
namespace {

constexpr int64_t kPieceRows = 16, kPieceColumns = 8;
constexpr int64_t kRowPadding = 32; // bytes between runs of i of f32: lanes (g, t) then read 32 different banks

class TensorProduct final : public Product {
public:
  TensorProduct(WarpBuilder &b, const BlockTile &tile, const Factor &left, const Factor &right, TensorNumber number)
      : b(b), tile(tile), left(left), right(right), number(number), isTf32(number == TensorNumber::Tf32),
        group(b.div(b.lane(), 4)), inGroup(b.rem(b.lane(), 4)), warpRow(b.mul(b.div(b.warp(), kWarpColumns), tile.warpRows())),
        warpColumn(b.mul(b.rem(b.warp(), kWarpColumns), tile.warpColumns())) {}

  Values begin() override { return Values(pieces() * 4, b.scalar(0)); }
  Values add(Value begin, Value end, llvm::ArrayRef<Value> sums) override;
  SumPlaces places() override;
  int64_t sharedBytes() const override { return std::max(ringOf(true, true).bytes(), ringOf(false, false).bytes()); }

private:
  int64_t rowPieces() const { return tile.warpRows() / kPieceRows; }
  int64_t columnPieces() const { return tile.warpColumns() / kPieceColumns; }
  int64_t pieces() const { return rowPieces() * columnPieces(); }
  int64_t depth() const { return kStepRowBytes / elementBytes(); }
  int64_t elementBytes() const { return isTf32 ? 4 : 2; }
  SharedTile tileOf(int64_t extent, bool byStep) const {
    return {extent, depth(), elementBytes(), extent * elementBytes() + (isTf32 ? kRowPadding : 0), byStep};
  }
  RingShape ringOf(bool leftByStep, bool rightByStep) const {
    return {tileOf(tile.rows, leftByStep), tileOf(tile.columns, rightByStep), isTf32 ? 4 : 2};
  }
  Values addAs(bool leftByStep, bool rightByStep, Value begin, Value end, llvm::ArrayRef<Value> sums);
  Values stage(const RingShape &ring, Value leftTile, Value rightTile, llvm::ArrayRef<Value> sums);
  Values leftPiece(const SharedTile &shape, Value place, int64_t part, int64_t piece);
  Values rightPieces(const SharedTile &shape, Value place, int64_t part, int64_t piece);
  Value wordOf(const SharedTile &shape, Value place, int64_t k, Value i, int64_t offset);

  WarpBuilder &b;
  BlockTile tile;
  Factor left, right;
  TensorNumber number;
  bool isTf32;
  Value group, inGroup; // g and t of the lane
  Value warpRow, warpColumn;
};

} // namespace

/// f32 (k + t, i + offset) of a tile of runs of i.
Value TensorProduct::wordOf(const SharedTile &shape, Value place, int64_t k, Value i, int64_t offset) {
  Value own = b.add(b.mul(inGroup, shape.pitch), b.mul(i, 4));
  return b.loadAs(b.f32(), b.byteAt(b.byteAt(place, own), k * shape.pitch + offset * 4));
}

/// The four registers of a piece of A: (g, t), (g + 8, t), and these one half of the steps further.
Values TensorProduct::leftPiece(const SharedTile &shape, Value place, int64_t part, int64_t piece) {
  Value lane = b.lane();
  if (shape.byStep) {
    Value i = b.add(b.add(warpRow, piece * kPieceRows), b.rem(lane, 16));
    return b.loadMatrices(b.byteAt(place, chunkOfRow(b, i, b.add(b.div(lane, 16), part * 2))), false);
  }
  if (isTf32) {
    Value i = b.add(warpRow, group);
    Values words;
    for (int64_t half = 0; half < 2; ++half)
      for (int64_t low = 0; low < 2; ++low)
        words.push_back(wordOf(shape, place, part * 8 + half * 4, i, piece * kPieceRows + low * 8));
    return words;
  }
  Value k = b.add(b.add(b.rem(lane, 8), b.mul(b.div(lane, 16), 8)), part * 16);
  Value chunk = b.add(b.add(b.div(warpRow, 8), piece * 2), b.rem(b.div(lane, 8), 2));
  Value offset = b.add(b.mul(k, shape.pitch), b.mul(b.differ(chunk, b.rem(k, 8)), kChunkBytes));
  return b.loadMatrices(b.byteAt(place, offset), true);
}

/// The registers of two neighbouring pieces of B: two each, one half of the steps apart.
Values TensorProduct::rightPieces(const SharedTile &shape, Value place, int64_t part, int64_t piece) {
  Value lane = b.lane();
  if (shape.byStep) {
    Value i = b.add(b.add(warpColumn, piece * kPieceColumns), b.add(b.rem(lane, 8), b.mul(b.div(lane, 16), 8)));
    return b.loadMatrices(b.byteAt(place, chunkOfRow(b, i, b.add(b.rem(b.div(lane, 8), 2), part * 2))), false);
  }
  if (isTf32) {
    Value i = b.add(warpColumn, group);
    Values words;
    for (int64_t next = 0; next < 2; ++next)
      for (int64_t half = 0; half < 2; ++half)
        words.push_back(wordOf(shape, place, part * 8 + half * 4, i, (piece + next) * kPieceColumns));
    return words;
  }
  Value k = b.add(b.rem(lane, 16), part * 16);
  Value chunk = b.add(b.add(b.div(warpColumn, 8), piece), b.div(lane, 16));
  Value offset = b.add(b.mul(k, shape.pitch), b.mul(b.differ(chunk, b.rem(k, 8)), kChunkBytes));
  return b.loadMatrices(b.byteAt(place, offset), true);
}

/// One tile of steps: two parts, as a row of 64 bytes holds two instructions' steps.
Values TensorProduct::stage(const RingShape &ring, Value leftTile, Value rightTile, llvm::ArrayRef<Value> sums) {
  Values next(sums);
  auto rounded = [&](Values words) {
    if (isTf32)
      for (Value &word : words)
        word = b.toTf32(word);
    return words;
  };
  for (int64_t part = 0; part < 2; ++part) {
    llvm::SmallVector<Values> rows;
    for (int64_t i = 0; i < rowPieces(); ++i)
      rows.push_back(rounded(leftPiece(ring.left, leftTile, part, i)));
    for (int64_t j = 0; j < columnPieces(); j += 2) {
      Values columns = rounded(rightPieces(ring.right, rightTile, part, j));
      for (int64_t i = 0; i < rowPieces(); ++i)
        for (int64_t half = 0; half < 2; ++half) {
          auto piece = llvm::MutableArrayRef(next).slice((i * columnPieces() + j + half) * 4, 4);
          Values sum = b.multiply(number, rows[i], llvm::ArrayRef(columns).slice(half * 2, 2), piece);
          llvm::copy(sum, piece.begin());
        }
    }
  }
  return next;
}

Values TensorProduct::addAs(bool leftByStep, bool rightByStep, Value begin, Value end, llvm::ArrayRef<Value> sums) {
  RingShape ring = ringOf(leftByStep, rightByStep);
  auto emit = isTf32 ? emitRing : emitRoundingRing;
  return emit(b, ring, left, right, begin, end, sums, [&](Value leftTile, Value rightTile, llvm::ArrayRef<Value> carried) {
    return stage(ring, leftTile, rightTile, carried);
  });
}

Values TensorProduct::add(Value begin, Value end, llvm::ArrayRef<Value> sums) {
  llvm::SmallVector<Type> types(sums.size(), b.f32());
  Value one = b.integer(1);
  auto withLeft = [&](bool leftByStep) {
    return b.ifElse(
        b.equal(right.step, one), types, [&] { return addAs(leftByStep, true, begin, end, sums); },
        [&] { return addAs(leftByStep, false, begin, end, sums); });
  };
  return b.ifElse(b.equal(left.step, one), types, [&] { return withLeft(true); }, [&] { return withLeft(false); });
}

SumPlaces TensorProduct::places() {
  SumPlaces result{2, {}, group, b.add(warpColumn, b.mul(inGroup, 2))};
  for (int64_t i = 0; i < rowPieces(); ++i)
    for (int64_t j = 0; j < columnPieces(); ++j)
      for (int64_t low = 0; low < 2; ++low)
        result.places.push_back({i * kPieceRows + low * 8, j * kPieceColumns});
  return result;
}

std::unique_ptr<Product> createTensorProduct(WarpBuilder &b, const BlockTile &tile, const Factor &left, const Factor &right,
                                             TensorNumber number) {
  return std::make_unique<TensorProduct>(b, tile, left, right, number);
}

} // namespace nacre::nvptx::contract
