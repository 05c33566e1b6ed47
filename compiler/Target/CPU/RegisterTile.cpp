// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/RegisterTile.h"

#include "mlir/Dialect/Math/IR/Math.h"

namespace nacre::cpu {

static Value differingBits(VectorBuilder &b, Value x, Value y) {
  return b.toFloat(mlir::math::CtPopOp::create(b.op, mlir::arith::XOrIOp::create(b.op, b.bitsOf(x), b.bitsOf(y))));
}

/// One step of k: a row of vectors of b against one broadcast scalar a row.
static void accumulate(VectorBuilder &b, const TileOperands &operands, Value aOffset, Value bPointer, int64_t vectors,
                       llvm::MutableArrayRef<Value> sums) {
  Values columns;
  for (int64_t v = 0; v < vectors; ++v)
    columns.push_back(b.load(b.at(bPointer, v * b.lanes())));
  for (size_t row = 0; row < operands.rows.size(); ++row) {
    Value factor = b.loadBroadcast(b.at(operands.rows[row], aOffset));
    for (int64_t v = 0; v < vectors; ++v) {
      Value &sum = sums[row * vectors + v];
      sum = operands.words ? b.addf(sum, differingBits(b, factor, columns[v])) : b.fma(factor, columns[v], sum);
    }
  }
}

Values pointersToRows(VectorBuilder &b, Value a, int64_t rows, llvm::function_ref<Value(Value numbers)> offsets) {
  llvm::SmallVector<int64_t> numbers;
  for (int64_t row = 0; row < rows; ++row)
    numbers.push_back(row);
  auto type = mlir::VectorType::get({rows}, b.i64());
  Value all = mlir::arith::ConstantOp::create(b.op, mlir::DenseElementsAttr::get(type, llvm::ArrayRef(numbers)));
  Value places = offsets(all);
  Values pointers;
  for (int64_t row = 0; row < rows; ++row)
    pointers.push_back(b.at(a, b.extract(places, row)));
  return pointers;
}

Values emitRegisterTile(VectorBuilder &b, const TileOperands &operands, int64_t vectors, Values sums) {
  const size_t count = sums.size();
  sums.push_back(b.integer(0)); // offset of k in a row of A
  sums.push_back(operands.b);   // row k of B
  sums = b.loop(b.integer(0), operands.depth, 1, sums, [&](Value, llvm::ArrayRef<Value> carried) {
    Values next(carried);
    accumulate(b, operands, carried[count], carried[count + 1], vectors, llvm::MutableArrayRef(next).take_front(count));
    next[count] = b.add(carried[count], operands.aStep);
    next[count + 1] = b.at(carried[count + 1], operands.bStep);
    return next;
  });
  sums.truncate(count);
  return sums;
}

void emitRowTiles(VectorBuilder &b, Value count, const RowTiles &tiles) {
  const int64_t first = (tiles.rows + 2) / 2; // of the two tiles that share a full one's rows
  Value left = b.rem(count, tiles.rows);
  Value few = b.both(b.less(b.integer(0), left), b.less(left, b.integer(3)));
  Value share = b.both(few, b.less(b.integer(tiles.rows - 1), count));
  Value full = b.sub(b.sub(count, left), b.select(share, b.integer(tiles.rows), b.integer(0)));
  b.loop(b.integer(0), full, tiles.rows, [&](Value row) { tiles.tile(row, tiles.rows); });
  b.ifThen(share, [&] { tiles.tile(full, first); });
  Value row = b.add(full, b.select(share, b.integer(first), b.integer(0)));
  std::vector<std::function<void()>> cases = {[] {}};
  for (int64_t size = 1; size < tiles.rows; ++size)
    cases.push_back([&, size] { tiles.tile(row, size); });
  b.choose(b.sub(count, row), cases);
}

void emitFewRowTiles(VectorBuilder &b, Value count, const RowTiles &tiles) {
  Value row = b.integer(0);
  for (int64_t size = tiles.rows; size > 0; size /= 2) {
    Value left = b.sub(count, row), end = b.sub(count, b.rem(left, size));
    b.loop(row, end, size, [&](Value r) { tiles.tile(r, size); });
    row = end;
  }
}

} // namespace nacre::cpu
