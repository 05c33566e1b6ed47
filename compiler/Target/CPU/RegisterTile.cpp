// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/RegisterTile.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace nacre::cpu {

/// One step of k: a row of vectors of b against one broadcast scalar a row.
static void multiplyAdd(VectorBuilder &b, llvm::ArrayRef<Value> rowPointers, Value aOffset, Value bPointer, int64_t vectors,
                        llvm::MutableArrayRef<Value> sums) {
  Values columns;
  for (int64_t v = 0; v < vectors; ++v)
    columns.push_back(b.load(b.at(bPointer, v * b.lanes())));
  for (size_t row = 0; row < rowPointers.size(); ++row) {
    Value factor = b.loadBroadcast(b.at(rowPointers[row], aOffset));
    for (int64_t v = 0; v < vectors; ++v) {
      Value &sum = sums[row * vectors + v];
      sum = b.fma(factor, columns[v], sum);
    }
  }
}

std::function<Value(VectorBuilder &, Value)> evenRows(Value stride) {
  return [stride](VectorBuilder &b, Value rows) {
    return b.mul(rows, mlir::vector::BroadcastOp::create(b.op, rows.getType(), stride));
  };
}

/// Pointers to the rows of A, each in a register of its own. They come out of a vector because LLVM would otherwise see that
/// they are evenly spaced and step from one to the next inside the loop: 8 additions that compete with the multiply-adds.
static Values pointersToRows(VectorBuilder &b, const TileOperands &operands, int64_t rows) {
  llvm::SmallVector<int64_t> numbers;
  for (int64_t row = 0; row < rows; ++row)
    numbers.push_back(row);
  auto type = mlir::VectorType::get({rows}, b.i64());
  Value all = mlir::arith::ConstantOp::create(b.op, mlir::DenseElementsAttr::get(type, llvm::ArrayRef(numbers)));
  Value offsets = operands.rowOffset(b, all);
  Values pointers;
  for (int64_t row = 0; row < rows; ++row)
    pointers.push_back(b.at(operands.a, b.extract(offsets, row)));
  return pointers;
}

Values emitRegisterTile(VectorBuilder &b, const TileOperands &operands, int64_t rows, int64_t vectors, Values sums) {
  Values rowPointers = pointersToRows(b, operands, rows);
  const size_t count = rows * vectors;
  sums.push_back(b.integer(0)); // offset of k in a row of A
  sums.push_back(operands.b);   // row k of B
  sums = b.loop(b.integer(0), operands.depth, 1, sums, [&](Value, llvm::ArrayRef<Value> carried) {
    Values next(carried);
    multiplyAdd(b, rowPointers, carried[count], carried[count + 1], vectors, llvm::MutableArrayRef(next).take_front(count));
    next[count] = b.add(carried[count], operands.aStep);
    next[count + 1] = b.at(carried[count + 1], operands.bStep);
    return next;
  });
  sums.truncate(count);
  return sums;
}

/// The rows that are left after the full tiles: nothing, one tile, or a full tile's rows and one or two more in two tiles.
static void emitLastRows(VectorBuilder &b, Value row, Value count, const RowTiles &tiles) {
  std::vector<std::function<void()>> cases;
  for (int64_t left = 0; left <= tiles.rows + 2; ++left)
    cases.push_back([&, left] {
      if (left == 0)
        return;
      if (left <= tiles.rows)
        return tiles.tile(row, left);
      const int64_t first = (left + 1) / 2;
      tiles.tile(row, first);
      tiles.tile(b.add(row, first), left - first);
    });
  b.choose(count, cases);
}

void emitRowTiles(VectorBuilder &b, Value count, const RowTiles &tiles) {
  Value left = b.rem(count, tiles.rows);
  Value few = b.less(left, b.integer(3)), many = b.less(b.integer(tiles.rows - 1), count);
  Value some = b.less(b.integer(0), left);
  Value share = b.both(few, b.both(many, some));
  left = b.add(left, b.select(share, b.integer(tiles.rows), b.integer(0)));
  Value full = b.sub(count, left);
  b.loop(b.integer(0), full, tiles.rows, [&](Value row) { tiles.tile(row, tiles.rows); });
  emitLastRows(b, full, left, tiles);
}

} // namespace nacre::cpu
