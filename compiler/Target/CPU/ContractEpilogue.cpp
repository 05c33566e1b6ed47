// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Epilogue of a contraction: sums that lie in scratch become output vectors.
#include "compiler/Target/CPU/ContractBlock.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace nacre::cpu::contract {

/// Reads `lanes` values of an extra from column `column` on. An extra without columns is read in lane 0 and broadcast.
static Value loadExtra(VectorBuilder &b, Element element, const Matrix &extra, Value rowPointer, Value column, Value mask) {
  Value single = b.equal(extra.column, b.integer(0));
  Value first = b.mask(b.integer(1));
  Value pointer = b.at(rowPointer, b.mul(column, extra.column));
  Value used = b.select(single, first, mask);
  Value values = element == Element::F32 ? b.load(pointer, used) : b.loadInts(pointer, used);
  return b.select(single, b.broadcast(b.extract(values, 0)), values);
}

/// The row of a matrix that belongs to row `row` of the result.
static Value rowPointer(VectorBuilder &b, const Matrix &matrix, Value row, Value checkpoint) {
  Value offset = b.mul(row, matrix.row);
  if (checkpoint && matrix.checkpoint)
    offset = b.add(offset, b.mul(checkpoint, matrix.checkpoint));
  return b.at(matrix.pointer, offset);
}

namespace {
struct RowPointers {
  Value sums;
  Values extras, outputs;
};
} // namespace

/// One vector of a row. `column` counts within the result, `local` within the sums; `mask` is null for a whole vector.
static void emitVector(VectorBuilder &b, const ContractSpec &spec, const Block &block, const RowPointers &row, Value column,
                       Value local, Value mask) {
  Value reach = mask ? mask : b.mask(b.integer(b.lanes()));
  Values extras;
  for (size_t i = 0; i < spec.extras.size(); ++i)
    extras.push_back(loadExtra(b, spec.extras[i], block.extras[i], row.extras[i], column, reach));
  Values results = spec.epilogue(b, b.load(b.at(row.sums, local)), extras);
  for (auto [result, output] : llvm::zip(results, row.outputs)) {
    Value pointer = b.at(output, column);
    mask ? b.store(result, pointer, mask) : b.store(result, pointer);
  }
}

void emitEpilogue(VectorBuilder &b, const ContractSpec &spec, const Block &block, const EpilogueRegion &region) {
  Value tail = b.rem(region.columns, b.lanes()), whole = b.sub(region.columns, tail);
  Value mask = b.mask(tail), hasTail = b.less(b.integer(0), tail);
  b.loop(b.integer(0), region.rows, 1, [&](Value local) {
    Value row = b.add(region.row, local);
    RowPointers pointers;
    pointers.sums = b.at(region.sums, b.mul(local, region.sumsRow));
    for (const Matrix &extra : block.extras)
      pointers.extras.push_back(rowPointer(b, extra, row, nullptr));
    for (const Matrix &output : block.outputs)
      pointers.outputs.push_back(rowPointer(b, output, row, region.checkpoint));
    b.loop(b.integer(0), whole, b.lanes(), [&](Value j) {
      emitVector(b, spec, block, pointers, b.add(region.column, j), j, nullptr);
    });
    b.ifThen(hasTail, [&] { emitVector(b, spec, block, pointers, b.add(region.column, whole), whole, mask); });
  });
}

} // namespace nacre::cpu::contract
