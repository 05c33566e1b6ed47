// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/ContractRegion.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using nacre::cpu::TileMatrix;

namespace nacre::nvptx::contract {

/// What a thread takes at a time: a column, or four where everything is aligned.
static const cpu::Level elementLevel = {"element", "", "", 1, 0, 0, 0}, quadLevel = {"quad", "", "", 4, 0, 0, 0};

/// Row `row` of a matrix.
static Value rowOf(WarpBuilder &b, const TileMatrix &matrix, Value row, Value checkpoint) {
  Value offset = b.mul(matrix.list ? b.extend(b.loadAs(b.i32(), b.elementAt(b.toGlobal(matrix.list), row))) : row, matrix.row);
  if (checkpoint && matrix.checkpoint)
    offset = b.add(offset, b.mul(checkpoint, matrix.checkpoint));
  return b.elementAt(matrix.pointer, offset);
}

namespace {
/// The rows of extras and outputs that meet one row of sums.
struct Rows {
  Values extras, outputs;
};

class RegionEmitter {
public:
  RegionEmitter(WarpBuilder &b, const BlockTile &tile, const cpu::EpilogueSpec &spec, const Region &region)
      : b(b), tile(tile), spec(spec), region(region) {}

  void storeRows(Value firstRow);

private:
  cpu::VectorBuilder lanesOf(const cpu::Level &level) { return {b.op, b.op.getLoc(), level}; } // where `b` stands
  Value loadExtra(const cpu::Level &level, cpu::Element element, const TileMatrix &extra, Value rowPointer, Value column);
  void storeLanes(const cpu::Level &level, Value staged, Value column, const Rows &rows);
  Value canTakeQuads();

  WarpBuilder &b;
  const BlockTile &tile;
  const cpu::EpilogueSpec &spec;
  const Region &region;
};
} // namespace

void stageSums(WarpBuilder &b, const BlockTile &tile, const SumPlaces &places, llvm::ArrayRef<Value> sums, Value firstRow) {
  Value own = b.add(b.mul(b.add(firstRow, places.row), stagedPitch(tile)), places.column);
  Value base = b.byteAt(b.shared(), b.mul(own, 4));
  for (auto [n, place] : llvm::enumerate(places.places)) {
    Value run = b.pack(sums.slice(n * places.width, places.width));
    b.storeTo(run, b.byteAt(base, (place.first * stagedPitch(tile) + place.second) * 4));
  }
}

/// Columns column.. of an extra's row; one without columns is the same everywhere.
Value RegionEmitter::loadExtra(const cpu::Level &level, cpu::Element element, const TileMatrix &extra, Value rowPointer, Value column) {
  Type type = element == cpu::Element::F32 ? b.f32() : b.i32(), vector = lanesOf(level).vector(type);
  auto single = [&](Value place) { return lanesOf(level).broadcast(b.loadAs(type, place)); };
  Value place = b.elementAt(rowPointer, b.mul(column, extra.column));
  if (level.lanes == 1)
    return single(place);
  return b.ifElse(
      b.equal(extra.column, b.integer(0)), {vector}, [&] { return Values{single(rowPointer)}; },
      [&] { return Values{b.loadAs(vector, place)}; })[0];
}

/// One or four columns of a row, from column `column` of the result on.
void RegionEmitter::storeLanes(const cpu::Level &level, Value staged, Value column, const Rows &rows) {
  Values extras;
  for (auto [element, extra, row] : llvm::zip(spec.extras, region.extras, rows.extras))
    extras.push_back(loadExtra(level, element, extra, row, column));
  cpu::VectorBuilder lanes = lanesOf(level);
  Values results = spec.epilogue(lanes, b.loadAs(lanes.vector(b.f32()), staged), extras);
  for (auto [result, row] : llvm::zip(results, rows.outputs))
    b.storeTo(result, b.elementAt(row, column));
}

/// Whether every row of the tile is whole and can be read and written in quads (an i1).
Value RegionEmitter::canTakeQuads() {
  Value can = b.less(b.integer(tile.columns - 1), region.columns);
  auto check = [&](const TileMatrix &matrix, Value hasColumns) {
    Value aligned = b.both(b.isMultiple(b.addressOf(matrix.pointer), 16), b.isMultiple(matrix.row, 4));
    if (matrix.checkpoint)
      aligned = b.both(aligned, b.isMultiple(matrix.checkpoint, 4));
    can = b.both(can, hasColumns ? b.either(aligned, b.equal(hasColumns, b.integer(0))) : aligned);
  };
  for (const TileMatrix &extra : region.extras)
    check(extra, extra.column);
  for (const TileMatrix &output : region.outputs)
    check(output, nullptr);
  return can;
}

/// The staged half of the tile, a warp a row; `firstRow` of the tile is its first.
void RegionEmitter::storeRows(Value firstRow) {
  Value rows = b.min(b.sub(region.rows, firstRow), b.integer(tile.warpRows()));
  Value quads = canTakeQuads(), end = b.min(region.columns, b.integer(tile.columns));
  b.loop(b.warp(), rows, kWarps, [&](Value local) {
    Value row = b.add(b.add(region.row, firstRow), local);
    Rows pointers;
    for (const TileMatrix &extra : region.extras)
      pointers.extras.push_back(rowOf(b, extra, row, nullptr));
    for (const TileMatrix &output : region.outputs)
      pointers.outputs.push_back(rowOf(b, output, row, region.checkpoint));
    auto walk = [&](const cpu::Level &level) {
      b.loop(b.mul(b.lane(), level.lanes), end, level.lanes * kWarpThreads, [&](Value column) {
        Value staged = b.byteAt(b.shared(), b.mul(b.add(b.mul(local, stagedPitch(tile)), column), 4));
        storeLanes(level, staged, b.add(region.column, column), pointers);
      });
    };
    b.ifElse(quads, [&] { walk(quadLevel); }, [&] { walk(elementLevel); });
  });
}

void emitRegion(WarpBuilder &b, const BlockTile &tile, const cpu::EpilogueSpec &spec, const SumPlaces &places, llvm::ArrayRef<Value> sums,
                const Region &region) {
  RegionEmitter emitter(b, tile, spec, region);
  Value warpRow = b.div(b.warp(), kWarpColumns);
  for (int64_t half = 0; half < kWarpRows; ++half) {
    b.ifThen(b.equal(warpRow, b.integer(half)), [&] { stageSums(b, tile, places, sums, b.integer(0)); });
    b.barrier();
    emitter.storeRows(b.integer(half * tile.warpRows()));
    b.barrier();
  }
}

} // namespace nacre::nvptx::contract
