// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The contraction kernel:  out[b][i][j] = epilogue(sum over k of A[b](i, k) * B[b](k, j), extras[b](i, j)...)
//
// One function serves every extent and layout: extents and strides are slots. Forward products read A by rows (aStep 1) and B by
// rows (bColumn 1); a product with a transposed matrix sets bStep 1 instead; a gradient of weights reads A by columns (aRow 1).
// Numerics: one f32 sum an element, k ascending, fused multiply-add; bits depend on neither M, N, the tasks nor the threads.
//
// With a fold, tiles of the result are folded into a state of each row as they are computed, and nothing else is stored.
// Grouped, the matrices share the entries of a list (see Grouping): a product for each group of rows, work proportional to the rows.
// With checkpoints the sum is passed through the epilogue at each k of an ascending list and goes on: all prefixes in one pass.
#ifndef NACRE_COMPILER_TARGET_CPU_CONTRACT_H
#define NACRE_COMPILER_TARGET_CPU_CONTRACT_H

#include "compiler/Target/CPU/Epilogue.h"
#include "compiler/Target/CPU/KernelInfo.h"
#include "compiler/Target/CPU/Selection.h"
#include "dialects/Plan/IR/Packing.h"

#include <optional>

namespace nacre::cpu {

/// Block sizes; data that a cost table may choose. Scratch grows with them.
struct ContractSchedule {
  int64_t rows = 384;         // of a task
  int64_t panels = 0;         // of a task, each of tileVectors vectors; 0: 192 columns, so that one launch serves all levels
  int64_t depth = 384;        // k between two visits of a sum
  int64_t directRows = 16;    // tasks of up to so many rows read A and B in place where B's rows allow it
  int64_t directColumns = 96; // tasks of up to so many columns read A in place in any case
};

/// What is kept of every row, folded tile by tile: the result itself is not stored.
struct FoldSpec {
  enum Kind {
    Best,        // the k best: values (f32) and indices (i32)
    LogSumExp,   // log(sum over j of exp)
    WeightedSum, // sum over j of the element times row j of a table, whose rows are readable up to whole vectors of 16
  };
  Kind kind;
  int64_t k = 1;
  SelectSpec select = {};
  int64_t outputs() const { return kind == Best ? 2 : 1; }
};

/// What a list of entries sorted by group (Segments.h) stands for. The entries of matrix b are those between ends[b - 1] and ends[b].
enum class Grouping {
  None,
  Rows, ///< entry s is row listA[s] of A and row list[s] of the result; the last matrix takes the entries of no group: a sum of 0.
        ///< Rows is the number of entries
  Depth ///< entry s is step k of the sum: row listA[s] of A (by columns, aRow 1) and row list[s] of B (by rows); Depth is not used
};

/// Slot BColumn where B came packed; no stride, as 0 is one of a column that repeats.
inline constexpr int64_t kPackedColumn = -1;

/// Columns and rows of a task of narrow products: they are done sooner, so that more columns share the work of making words of A's rows,
/// and fewer rows keep the block as large. Not measured.
inline constexpr int64_t kNarrowColumns = 384, kNarrowRows = 192;

struct ContractSpec : EpilogueSpec {
  bool checkpoints = false;
  Grouping grouping = Grouping::None;
  bool partial = false;         // Rows: rows of entries of no group are left unwritten
  std::optional<FoldSpec> fold; // outputs are then those of the fold, the epilogue has one result
  bool words = false;           // A and B hold words of 32 bits; the number of differing bits stands for A * B
  plan::Precision precision = plan::Precision::F32; // other than F32: B came packed in it, rows of A are rounded to it (Narrow.h); the
                                                    // product has neither checkpoints nor words, and is not grouped by depth
  ContractSchedule schedule = {};
  int64_t resultCount() const { return fold ? fold->outputs() : outputs; }
};

/// Sets the precision, and the block of a task that goes with it.
void setPrecision(ContractSpec &spec, plan::Precision precision, const Level &level);

/// The slots of a contraction: the fixed ones, then those of each extra, of each output, of the checkpoints, of a fold's
/// table, of a grouping, and a fold's rows of a task.
/// All strides count elements. Matrix b of a batch is (b / batchInner, b % batchInner), with one stride for each part.
class ContractSlots {
public:
  explicit ContractSlots(const ContractSpec &spec)
      : extras(static_cast<int64_t>(spec.extras.size())), outputs(spec.resultCount()), checkpoints(spec.checkpoints),
        table(spec.fold && spec.fold->kind == FoldSpec::WeightedSum), grouped(spec.grouping != Grouping::None),
        folds(spec.fold.has_value()) {}

  enum Fixed : int64_t {
    A, B,                  // pointers
    Rows, Columns, Depth,  // M, N, K
    ARow, AStep,           // strides of A between rows i and between k; any
    BStep, BColumn,        // strides of B between k and between columns j; one of them must be 1. Or B came packed (PackWeights.h):
                           // BColumn is kPackedColumn, and BStep the number of k that a panel has room for
    Batch, BatchInner,     // number of matrices, and of those of the inner axis (>= 1)
    AOuter, AInner, BOuter, BInner,
    FixedCount
  };
  enum ExtraPart : int64_t { ExtraPointer, ExtraRow, ExtraColumn /* 0 or 1 */, ExtraOuter, ExtraInner, ExtraParts };
  enum OutputPart : int64_t { OutputPointer, OutputRow, OutputOuter, OutputInner, OutputCheckpoint, OutputParts };

  int64_t extra(int64_t index, ExtraPart part) const { return FixedCount + index * ExtraParts + part; }
  int64_t output(int64_t index, OutputPart part) const { return extra(extras, ExtraPointer) + index * OutputParts + part; }
  int64_t checkpointCount() const { return output(outputs, OutputPointer); } // >= 1; the last one is Depth
  int64_t checkpointList() const { return checkpointCount() + 1; }           // pointer to ascending i64
  enum TablePart : int64_t { TablePointer, TableRow /* stride */, TableColumns, TableParts };
  int64_t tablePart(TablePart part) const { return checkpointCount() + (checkpoints ? 2 : 0) + part; }
  enum GroupPart : int64_t { ListA, List, Ends, GroupParts }; // pointers to i32
  int64_t group(GroupPart part) const { return tablePart(table ? TableParts : TablePointer) + part; }
  int64_t taskRows() const { return group(grouped ? GroupParts : ListA); } // with a fold: rows of a task, up to the schedule's
  int64_t count() const { return taskRows() + (folds ? 1 : 0); }

private:
  int64_t extras, outputs;
  bool checkpoints, table, grouped, folds;
};

/// Adds the kernel `name` for `level` to `module`. An output may overlap an extra that is read at the same places, nothing else.
KernelInfo emitContract(mlir::ModuleOp module, llvm::StringRef name, const Level &level, const ContractSpec &spec);

} // namespace nacre::cpu

#endif
