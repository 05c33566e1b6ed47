// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Epilogue.h"

using namespace mlir;

namespace nacre::cpu {

/// Reads `lanes` values of an extra from column `column` on. An extra without columns is read in lane 0 and broadcast.
static Value loadExtra(VectorBuilder &b, Element element, const TileMatrix &extra, Value rowPointer, Value column, Value mask) {
  Value single = b.equal(extra.column, b.integer(0));
  Value first = b.mask(b.integer(1));
  Value pointer = b.at(rowPointer, b.mul(column, extra.column));
  Value used = b.select(single, first, mask);
  Value values = element == Element::F32 ? b.load(pointer, used) : b.loadInts(pointer, used);
  return b.select(single, b.broadcast(b.extract(values, 0)), values);
}

Value rowOf(VectorBuilder &b, const TileMatrix &matrix, Value row, Value checkpoint) {
  Value offset = b.mul(matrix.list ? b.extend(b.loadIntScalar(b.at(matrix.list, row))) : row, matrix.row);
  if (checkpoint && matrix.checkpoint)
    offset = b.add(offset, b.mul(checkpoint, matrix.checkpoint));
  return b.at(matrix.pointer, offset);
}

Values emitEpilogueVector(VectorBuilder &b, const EpilogueSpec &spec, llvm::ArrayRef<TileMatrix> extras, llvm::ArrayRef<Value> extraRows,
                          Value sums, Value column, Value mask) {
  Value reach = mask ? mask : b.mask(b.integer(b.lanes()));
  Values values;
  for (size_t i = 0; i < spec.extras.size(); ++i)
    values.push_back(loadExtra(b, spec.extras[i], extras[i], extraRows[i], column, reach));
  return spec.epilogue(b, b.load(sums), values);
}

void emitEpilogue(VectorBuilder &b, const EpilogueSpec &spec, llvm::ArrayRef<TileMatrix> extras, llvm::ArrayRef<TileMatrix> outputs,
                  const EpilogueRegion &region) {
  Value tail = b.rem(region.columns, b.lanes()), whole = b.sub(region.columns, tail);
  Value tailMask = b.mask(tail), hasTail = b.less(b.integer(0), tail);
  b.loop(b.integer(0), region.rows, 1, [&](Value local) {
    Value row = b.add(region.row, local), sums = b.at(region.sums, b.mul(local, region.sumsRow));
    Values extraRows, outputRows;
    for (const TileMatrix &extra : extras)
      extraRows.push_back(rowOf(b, extra, row));
    for (const TileMatrix &output : outputs)
      outputRows.push_back(rowOf(b, output, row, region.checkpoint));
    auto emitVector = [&](Value j, Value mask) {
      Value column = b.add(region.column, j);
      Values results = emitEpilogueVector(b, spec, extras, extraRows, b.at(sums, j), column, mask);
      for (auto [result, to] : llvm::zip(results, outputRows))
        mask ? b.store(result, b.at(to, column), mask) : b.store(result, b.at(to, column));
    };
    b.loop(b.integer(0), whole, b.lanes(), [&](Value j) { emitVector(j, nullptr); });
    b.ifThen(hasTail, [&] { emitVector(whole, tailMask); });
  });
}

llvm::SmallVector<TileMatrix> TileSlots::loadExtras(VectorBuilder &b, const Kernel &kernel) const {
  llvm::SmallVector<TileMatrix> matrices;
  for (int64_t i = 0; i < extras; ++i)
    matrices.push_back({b.slotPointer(kernel.slots, extra(i, ExtraPointer)), b.slotInteger(kernel.slots, extra(i, ExtraRow)),
                        b.slotInteger(kernel.slots, extra(i, ExtraColumn))});
  return matrices;
}

llvm::SmallVector<TileMatrix> TileSlots::loadOutputs(VectorBuilder &b, const Kernel &kernel) const {
  llvm::SmallVector<TileMatrix> matrices;
  for (int64_t i = 0; i < outputs; ++i)
    matrices.push_back({b.slotPointer(kernel.slots, output(i, OutputPointer)), b.slotInteger(kernel.slots, output(i, OutputRow)), nullptr});
  return matrices;
}

} // namespace nacre::cpu
