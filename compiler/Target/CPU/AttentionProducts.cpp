// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/AttentionProducts.h"

#include "compiler/Target/CPU/RegisterTile.h"

namespace nacre::cpu::attention {

static void emitKeyTile(VectorBuilder &b, const KeyProduct &product, Value firstRow, Value column, int64_t vectors, AfterTile afterTile) {
  const int64_t rows = b.level.tileRows, count = rows * vectors;
  Values pointers, tile;
  Value last = b.add(product.count, -1);
  for (int64_t r = 0; r < rows; ++r)
    pointers.push_back(b.at(product.rows, b.mul(b.min(b.add(firstRow, r), last), product.rowStride)));
  for (int64_t i = 0; i < count; ++i)
    tile.push_back(product.start ? b.load(b.at(b.at(product.start, column), i % vectors * b.lanes())) : b.splat(0));
  TileOperands operands{pointers, b.integer(1), b.at(product.panel, column), b.integer(product.stride), product.depth};
  tile = emitRegisterTile(b, operands, vectors, tile);
  Value target = b.at(product.target, b.add(b.mul(firstRow, product.stride), column));
  for (int64_t i = 0; i < count; ++i)
    b.store(tile[i], b.at(target, i / vectors * product.stride + i % vectors * b.lanes()));
  if (afterTile)
    afterTile(tile, column, vectors);
}

void emitKeyProduct(VectorBuilder &b, const KeyProduct &product, AfterTile afterTile) {
  const int64_t most = b.level.tileVectors;
  Value vectors = b.ceilDiv(product.reach, b.lanes());
  b.loop(b.integer(0), vectors, most, [&](Value vector) {
    Value column = b.mul(vector, b.lanes());
    std::vector<std::function<void()>> widths = {[] {}};
    for (int64_t width = 1; width <= most; ++width)
      widths.push_back([&, width] {
        b.loop(b.integer(0), product.count, b.level.tileRows,
               [&](Value row) { emitKeyTile(b, product, row, column, width, afterTile); });
      });
    b.choose(b.min(b.sub(vectors, vector), b.integer(most)), widths);
  });
}

static void emitTallTile(VectorBuilder &b, const TallProduct &product, Value firstRow, Value column, int64_t vectors) {
  const int64_t rows = b.level.tallRows;
  Values places, masks, tile;
  for (int64_t v = 0; v < vectors; ++v)
    masks.push_back(product.masked ? b.mask(b.sub(product.width, b.add(column, v * b.lanes()))) : Value());
  for (int64_t r = 0; r < rows; ++r) {
    Value row = b.add(firstRow, r), place = b.at(product.row(row), column);
    for (int64_t v = 0; v < vectors; ++v) {
      places.push_back(b.at(place, v * b.lanes()));
      Value before = product.masked ? b.load(places.back(), masks[v]) : b.load(places.back());
      tile.push_back(product.factor ? b.mulf(before, product.factor(row)) : before);
    }
  }
  Value a = b.at(product.a, b.mul(firstRow, product.aRow));
  Values pointers;
  for (int64_t r = 0; r < rows; ++r)
    pointers.push_back(b.at(a, r * product.aRow));
  TileOperands operands{pointers, b.integer(product.aStep), b.at(product.right, column), product.rightStride, product.depth};
  tile = emitRegisterTile(b, operands, vectors, tile);
  for (int64_t i = 0; i < rows * vectors; ++i)
    product.masked ? b.store(tile[i], places[i], masks[i % vectors]) : b.store(tile[i], places[i]);
}

void emitTallProduct(VectorBuilder &b, const TallProduct &product) {
  Value vectors = b.ceilDiv(product.width, b.lanes());
  b.loop(b.integer(0), vectors, 2, [&](Value vector) {
    Value column = b.mul(vector, b.lanes());
    auto rowsOf = [&](int64_t width) {
      b.loop(b.integer(0), product.rows, b.level.tallRows,
             [&](Value row) { emitTallTile(b, product, row, column, width); });
    };
    b.ifElse(b.less(b.add(vector, 1), vectors), [&] { rowsOf(2); }, [&] { rowsOf(1); });
  });
}

} // namespace nacre::cpu::attention
