// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Element-wise work on a tile that a kernel has just computed: sums that lie in scratch become output vectors, without a visit to
// memory in between. What the skeletons that accept an epilogue share.
#ifndef NACRE_COMPILER_TARGET_CPU_EPILOGUE_H
#define NACRE_COMPILER_TARGET_CPU_EPILOGUE_H

#include "compiler/Target/CPU/VectorBuilder.h"

namespace nacre::cpu {

enum class Element { F32, I32 };

/// Computes the vectors to store, one for each output, from a vector of sums and one vector for each extra operand. Emitted for
/// consecutive columns of one row; must not touch memory. Lanes beyond the last column hold 0 in extras and anything in the sum.
using Epilogue = std::function<Values(VectorBuilder &b, Value sum, llvm::ArrayRef<Value> extras)>;

struct EpilogueSpec {
  llvm::SmallVector<Element> extras; // element types of the extra operands
  int64_t outputs = 1;               // results of the epilogue, all f32
  Epilogue epilogue;
};

/// An extra operand or an output; strides count elements.
struct TileMatrix {
  Value pointer, row;
  Value column;               // extras: 0 or 1; null for outputs (1)
  Value checkpoint = nullptr; // outputs of a contraction with checkpoints: the stride between them
  Value list = nullptr;       // row r of the result is row list[r] (i32) of this; null: row r
};

/// `rows` rows of sums (`sumsRow` elements apart) that stand for rows row.. and columns column.. of the result.
struct EpilogueRegion {
  Value sums;
  int64_t sumsRow;
  Value row, rows, column, columns;
  Value checkpoint = nullptr; // its number; null without checkpoints
};

/// Stores the outputs of a region.
void emitEpilogue(VectorBuilder &b, const EpilogueSpec &spec, llvm::ArrayRef<TileMatrix> extras, llvm::ArrayRef<TileMatrix> outputs,
                  const EpilogueRegion &region);

/// The outputs' vectors, not stored: `sums` points to the row's sums at column `column`; `extraRows` holds the extras' rows.
/// `mask` is null for a whole vector.
Values emitEpilogueVector(VectorBuilder &b, const EpilogueSpec &spec, llvm::ArrayRef<TileMatrix> extras, llvm::ArrayRef<Value> extraRows,
                          Value sums, Value column, Value mask);

/// The row of a matrix that belongs to row `row` of the result.
Value rowOf(VectorBuilder &b, const TileMatrix &matrix, Value row, Value checkpoint = nullptr);

/// The slots of extras and outputs of a kernel without batch axes, from slot `first` on.
class TileSlots {
public:
  TileSlots(int64_t first, const EpilogueSpec &spec)
      : first(first), extras(static_cast<int64_t>(spec.extras.size())), outputs(spec.outputs) {}

  enum ExtraPart : int64_t { ExtraPointer, ExtraRow, ExtraColumn /* 0 or 1 */, ExtraParts };
  enum OutputPart : int64_t { OutputPointer, OutputRow, OutputParts };

  int64_t extra(int64_t index, ExtraPart part) const { return first + index * ExtraParts + part; }
  int64_t output(int64_t index, OutputPart part) const { return extra(extras, ExtraPointer) + index * OutputParts + part; }
  int64_t count() const { return output(outputs, OutputPointer); }

  llvm::SmallVector<TileMatrix> loadExtras(VectorBuilder &b, const Kernel &kernel) const;
  llvm::SmallVector<TileMatrix> loadOutputs(VectorBuilder &b, const Kernel &kernel) const;

private:
  int64_t first, extras, outputs;
};

} // namespace nacre::cpu

#endif
