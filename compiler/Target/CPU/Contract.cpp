// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loops of a contraction: task > segment of k > panel of columns > chunk of rows > register tile.
#include "compiler/Target/CPU/Contract.h"

#include "compiler/Target/CPU/ContractBlock.h"
#include "compiler/Target/CPU/ContractFold.h"
#include "compiler/Target/CPU/Narrow.h"
#include "compiler/Target/CPU/Panel.h"
#include "compiler/Target/CPU/RegisterTile.h"
#include "compiler/Target/CPU/Segments.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nacre::cpu {

using namespace contract;
using Slot = ContractSlots;

namespace {

/// A run of k over which the sums stay in registers.
struct Segment {
  Value begin, depth;
  Value first;      // i1: sums start at 0
  Value last;       // i1: a checkpoint (or the end) follows
  Value single;     // i1: it is all there is
  Value checkpoint; // its number; null without checkpoints
};

class ContractEmitter {
public:
  ContractEmitter(VectorBuilder &builder, const Kernel &kernel, const ContractSpec &spec)
      : b(builder), kernel(kernel), spec(spec), slots(spec), scratch(builder.level, spec.schedule), fold(createFold(spec, builder.level)) {
    if (spec.precision != plan::Precision::F32)
      narrow.emplace(spec.precision, builder.level);
  }

  void emit();

private:
  Value slot(int64_t index) { return b.slotInteger(kernel.slots, index); }
  Value batchPointer(int64_t pointer, int64_t outer, int64_t inner);
  void loadRows(Value task);
  void loadGroup(Value matrix, Value part);
  void loadColumns(Value group);
  void emitFold(Value groups);
  void emitSegments();
  void emitCheckpoint(Value begin, Value end, Value checkpoint);
  void findPanel(const Segment &segment, Value panel, Value column, Value columns);
  void emitPanel(const Segment &segment, Value panel);
  void packRows(const Segment &segment);
  void packPanels(const Segment &segment);
  void packListed(const Segment &segment, Value source, Value stride, Value list, Value columns, Value target, int64_t width,
                  int64_t targetPanel);
  Value offsetOfRows(Value first, Value numbers);
  Value rowOfA(Value row);
  Value loadA(Value row, Value k, Value end);
  void measureRows();
  void narrowRows(const Segment &segment);
  Values beginSums(int64_t rows, int64_t vectors);
  Values emitNarrowSums(const Segment &segment, llvm::ArrayRef<Value> rows, int64_t vectors, Values sums);
  void scaleSums(Value chunk, Value rows);
  void emitChunk(const Segment &segment, Value row, Value rows, Value vectors);
  void emitTile(const Segment &segment, Value chunk, Value row, int64_t rows, int64_t vectors);

  VectorBuilder &b;
  const Kernel &kernel;
  const ContractSpec &spec;
  ContractSlots slots;
  Scratch scratch;
  std::unique_ptr<TileFold> fold; // null: results are stored
  std::optional<NarrowForm> narrow; // none: f32
  Block block;
  Value outer, inner;      // of the matrix at hand
  Value packedA, directB;  // i1: A is read from scratch; whole panels of B are read in place
  Value isPacked;          // i1: B came packed
  Value tileA, tileStep;   // where the first row of A is read, and its stride between k
  Value panelB, panelStep; // where the panel at hand is read, and its stride between k
  Value panelHead;         // of a narrow panel: scales and beginnings of its columns
  Value chunkSums;         // sums of the chunk of rows at hand
};

} // namespace

Value ContractEmitter::batchPointer(int64_t pointer, int64_t outerSlot, int64_t innerSlot) {
  Value offset = b.add(b.mul(outer, slot(outerSlot)), b.mul(inner, slot(innerSlot)));
  return b.at(b.slotPointer(kernel.slots, pointer), offset);
}

/// The entries of a group: the rows of its part number `part`, which may have none, or its steps of k.
void ContractEmitter::loadGroup(Value matrix, Value part) {
  Value listA = b.slotPointer(kernel.slots, slots.group(Slot::ListA)), list = b.slotPointer(kernel.slots, slots.group(Slot::List));
  auto [begin, end] = emitSegmentBounds(b, b.slotPointer(kernel.slots, slots.group(Slot::Ends)), matrix);
  if (spec.grouping == Grouping::Rows) {
    Value isRest = b.equal(b.add(matrix, 1), slot(Slot::Batch));
    block.row = b.add(begin, b.mul(part, scratch.rows));
    block.rows = b.min(b.sub(end, block.row), b.integer(scratch.rows));
    block.depth = b.select(isRest, b.integer(0), slot(Slot::Depth));
    block.listA = b.at(listA, block.row);
    block.list = list;
  } else {
    block.depth = b.sub(end, begin);
    block.listA = b.at(listA, begin);
    block.list = b.at(list, begin);
  }
}

/// Task -> (matrix, block of rows).
void ContractEmitter::loadRows(Value task) {
  Value taskRows = fold ? slot(slots.taskRows()) : b.integer(scratch.rows);
  Value blocks = b.div(b.add(slot(Slot::Rows), b.add(taskRows, -1)), taskRows), matrix = b.div(task, blocks), part = b.rem(task, blocks);
  block.row = b.mul(part, taskRows);
  block.rows = b.min(b.sub(slot(Slot::Rows), block.row), taskRows);
  block.depth = slot(Slot::Depth);
  if (spec.grouping != Grouping::None)
    loadGroup(matrix, part);
  outer = b.div(matrix, slot(Slot::BatchInner));
  inner = b.rem(matrix, slot(Slot::BatchInner));

  block.a = batchPointer(Slot::A, Slot::AOuter, Slot::AInner);
  block.aRow = slot(Slot::ARow), block.aStep = slot(Slot::AStep);
  block.b = batchPointer(Slot::B, Slot::BOuter, Slot::BInner);
  block.bStep = slot(Slot::BStep), block.bColumn = slot(Slot::BColumn);
  isPacked = b.equal(block.bColumn, b.integer(kPackedColumn));
  block.extras.clear(), block.outputs.clear();
  Value rowList = spec.grouping == Grouping::Rows ? block.list : Value();
  for (int64_t i = 0; i < static_cast<int64_t>(spec.extras.size()); ++i)
    block.extras.push_back({batchPointer(slots.extra(i, Slot::ExtraPointer), slots.extra(i, Slot::ExtraOuter),
                                         slots.extra(i, Slot::ExtraInner)),
                            slot(slots.extra(i, Slot::ExtraRow)), slot(slots.extra(i, Slot::ExtraColumn)), nullptr, rowList});
  for (int64_t i = 0; i < spec.resultCount(); ++i)
    block.outputs.push_back({batchPointer(slots.output(i, Slot::OutputPointer), slots.output(i, Slot::OutputOuter),
                                          slots.output(i, Slot::OutputInner)),
                             slot(slots.output(i, Slot::OutputRow)), nullptr,
                             slot(slots.output(i, Slot::OutputCheckpoint)), rowList});
  if (spec.fold && spec.fold->kind == FoldSpec::WeightedSum) {
    block.table = b.slotPointer(kernel.slots, slots.tablePart(Slot::TablePointer));
    block.tableRow = slot(slots.tablePart(Slot::TableRow));
    block.tableColumns = slot(slots.tablePart(Slot::TableColumns));
  }
  if (narrow && narrow->isInt8())
    measureRows();
}

//===-- narrow numbers -------------------------------------------------------------------------------------------------------===//

/// Where row `row` of the task begins.
Value ContractEmitter::rowOfA(Value row) {
  Value number = spec.grouping == Grouping::Rows ? b.extend(b.loadIntScalar(b.at(block.listA, row))) : b.add(block.row, row);
  return b.at(block.a, b.mul(number, block.aRow));
}

/// Elements k .. k + lanes of a row of A, 0 from `end` on.
Value ContractEmitter::loadA(Value row, Value k, Value end) {
  Value mask = b.mask(b.sub(end, k)), from = b.at(row, b.mul(k, block.aStep));
  llvm::SmallVector<Type> type = {b.vector(b.f32())};
  return b.ifElse(
      b.equal(block.aStep, b.integer(1)), type, [&] { return Values{b.load(from, mask)}; },
      [&] {
        auto wide = mlir::VectorType::get({b.lanes()}, b.i64());
        Value numbers = arith::ExtSIOp::create(b.op, wide, b.iota());
        Value offsets = b.mul(numbers, vector::BroadcastOp::create(b.op, wide, block.aStep));
        return Values{b.gather(b.f32(), from, offsets, mask)};
      })[0];
}

/// max|x| of every row of the task.
void ContractEmitter::measureRows() {
  b.loop(b.integer(0), block.rows, 1, [&](Value row) {
    Value from = rowOfA(row);
    Values largest = b.loop(b.integer(0), block.depth, b.lanes(), Values{b.splatInteger(0)}, [&](Value k, llvm::ArrayRef<Value> carried) {
      return Values{emitLargest(b, carried[0], loadA(from, k, block.depth))};
    });
    b.storeScalar(b.maximumInteger(largest[0]), b.at(kernel.scratch, b.add(row, scratch.largestOffset())));
  });
}

/// Turns the rows of a segment into words, one row after the other.
void ContractEmitter::narrowRows(const Segment &segment) {
  Value end = b.add(segment.begin, segment.depth);
  b.loop(b.integer(0), block.rows, 1, [&](Value row) {
    Value from = rowOfA(row), to = b.at(kernel.scratch, b.mul(row, scratch.depth));
    Value inverse = b.splat(0);
    if (narrow->isInt8())
      inverse = b.broadcast(emitInverseScale(b, b.loadScalar(b.at(kernel.scratch, b.add(row, scratch.largestOffset())))));
    b.loop(segment.begin, end, b.lanes(), [&](Value k) {
      emitStoreNarrow(b, *narrow, loadA(from, k, end), inverse, to, b.sub(k, segment.begin));
    });
  });
}

/// What sums of a tile begin with.
Values ContractEmitter::beginSums(int64_t rows, int64_t vectors) {
  if (!narrow || !narrow->isInt8())
    return Values(rows * vectors, b.splat(0));
  Values columns, sums;
  for (int64_t v = 0; v < vectors; ++v)
    columns.push_back(b.load(b.at(panelHead, scratch.width + v * b.lanes())));
  for (int64_t row = 0; row < rows; ++row)
    sums.append(columns);
  return sums;
}

/// The segment's products for a tile. Integers lie in sums as f32 of the same bits.
Values ContractEmitter::emitNarrowSums(const Segment &segment, llvm::ArrayRef<Value> rows, int64_t vectors, Values sums) {
  Type type = b.vector(narrow->isInt8() ? b.i32() : b.f32());
  for (Value &sum : sums)
    sum = sum.getType() == type ? sum : b.bitsOf(sum);
  Value steps = b.ceilDiv(segment.depth, narrow->depthOfStep());
  sums = emitNarrowTile(b, *narrow, rows, panelB, scratch.width, steps, vectors, sums);
  for (Value &sum : sums)
    if (narrow->isInt8())
      sum = arith::BitcastOp::create(b.op, b.vector(b.f32()), sum);
  return sums;
}

/// Integer sums of a chunk that are complete become f32: times the scales of row and column.
void ContractEmitter::scaleSums(Value chunk, Value rows) {
  b.loop(b.integer(0), rows, 1, [&](Value row) {
    Value largest = b.loadScalar(b.at(kernel.scratch, b.add(b.add(chunk, row), scratch.largestOffset())));
    Value scale = b.broadcast(emitScale(b, largest)), sums = b.at(chunkSums, b.mul(row, scratch.width));
    b.loop(b.integer(0), b.integer(scratch.width), b.lanes(), [&](Value column) {
      Value place = b.at(sums, column);
      Value factor = b.mulf(scale, b.load(b.at(panelHead, column)));
      b.store(b.mulf(b.toFloat(b.bitsOf(b.load(place))), factor), place);
    });
  });
}

//===-- tiles ----------------------------------------------------------------------------------------------------------------===//

/// A group of panels.
void ContractEmitter::loadColumns(Value group) {
  const int64_t groupColumns = scratch.panels * scratch.width;
  block.column = b.mul(group, groupColumns);
  block.columns = b.min(b.sub(slot(Slot::Columns), block.column), b.integer(groupColumns));
}

/// Sums of the tile at row `row` of a chunk: from 0 or from where the last segment left them, over the segment, back to scratch.
void ContractEmitter::emitTile(const Segment &segment, Value chunk, Value row, int64_t rows, int64_t vectors) {
  const int64_t count = rows * vectors;
  Value sums = b.at(chunkSums, b.mul(row, scratch.width));
  auto place = [&](int64_t i) { return b.at(sums, i / vectors * scratch.width + i % vectors * b.lanes()); };
  llvm::SmallVector<Type> types(count, b.vector(b.f32()));
  Values tile = b.ifElse(
      segment.first, types, [&] { return beginSums(rows, vectors); },
      [&] {
        Values loaded;
        for (int64_t i = 0; i < count; ++i)
          loaded.push_back(b.load(place(i)));
        return loaded;
      });
  Value first = b.add(chunk, row);
  Values pointers;
  if (narrow)
    pointers = pointersToRows(b, kernel.scratch, rows, [&](Value numbers) {
      auto splat = [&](Value value) { return vector::BroadcastOp::create(b.op, numbers.getType(), value).getResult(); };
      return b.mul(b.add(numbers, splat(first)), splat(b.integer(scratch.depth)));
    });
  else if (spec.grouping == Grouping::Rows)
    for (int64_t i = 0; i < rows; ++i)
      pointers.push_back(b.at(tileA, b.mul(b.extend(b.loadIntScalar(b.at(block.listA, b.add(first, i)))), block.aRow)));
  else
    pointers = pointersToRows(b, tileA, rows, [&](Value numbers) { return offsetOfRows(first, numbers); });
  if (narrow)
    tile = emitNarrowSums(segment, pointers, vectors, tile);
  else
    tile = emitRegisterTile(b, {pointers, tileStep, panelB, panelStep, segment.depth, spec.words}, vectors, tile);
  for (int64_t i = 0; i < count; ++i)
    b.store(tile[i], place(i));
}

/// Offsets of rows first + numbers of the task from `tileA`: groups of `lanes` rows side by side when packed, even rows in place.
Value ContractEmitter::offsetOfRows(Value first, Value numbers) {
  auto splat = [&](Value value) { return vector::BroadcastOp::create(b.op, numbers.getType(), value).getResult(); };
  Value rows = b.add(numbers, splat(first));
  Value group = b.div(rows, splat(b.integer(scratch.lanes))), member = b.rem(rows, splat(b.integer(scratch.lanes)));
  Value packed = b.add(b.mul(group, splat(b.integer(scratch.groupSize()))), member);
  return b.select(packedA, packed, b.mul(rows, splat(block.aRow)));
}

/// Rows [row, row + rows) of the task; `vectors` is how many vectors of the panel hold columns.
void ContractEmitter::emitChunk(const Segment &segment, Value row, Value rows, Value vectors) {
  std::vector<std::function<void()>> widths = {[] {}};
  for (int64_t width = 1; width <= b.level.tileVectors; ++width)
    widths.push_back([&, width] {
      auto tile = [&](Value first, int64_t count) { emitTile(segment, row, first, count, width); };
      const RowTiles tiles{b.level.tileRows, tile};
      width == b.level.tileVectors ? emitRowTiles(b, rows, tiles) : emitFewRowTiles(b, rows, tiles);
    });
  b.choose(vectors, widths);
}

/// Packs the rows of A for a segment when they lie side by side, unless they or the columns that use them are few. Rows along k
/// are read in place: packing them was measured to cost more than it gains.
void ContractEmitter::packRows(const Segment &segment) {
  const ContractSchedule &schedule = spec.schedule;
  if (narrow)
    return narrowRows(segment);
  if (spec.grouping == Grouping::Rows) {
    tileA = b.at(block.a, b.mul(segment.begin, block.aStep));
    tileStep = block.aStep;
    return;
  }
  if (spec.grouping == Grouping::Depth) {
    packedA = b.boolean(true);
    packListed(segment, b.at(block.a, block.row), block.aStep, block.listA, block.rows, kernel.scratch, scratch.lanes,
               scratch.groupSize());
    tileA = kernel.scratch;
    tileStep = b.integer(scratch.lanes);
    return;
  }
  Value strided = b.both(b.equal(block.aRow, b.integer(1)), b.less(b.integer(1), block.aStep));
  Value many = b.both(b.less(b.integer(schedule.directRows), block.rows), b.less(b.integer(schedule.directColumns), block.columns));
  packedA = b.both(strided, many);
  Value source = b.at(block.a, b.add(b.mul(block.row, block.aRow), b.mul(segment.begin, block.aStep)));
  b.ifThen(packedA, [&] {
    Panel first{source, nullptr, segment.depth, b.integer(scratch.lanes), kernel.scratch, scratch.lanes, scratch.lanes};
    emitPackMatrix(b, first, block.aStep, block.aRow, block.rows, b.integer(0), b.integer(scratch.groupSize()));
  });
  tileA = b.select(packedA, kernel.scratch, source);
  tileStep = b.select(packedA, b.integer(scratch.lanes), block.aStep);
}

/// Packs the panels of B for a segment, except those that are read in place: all when B came packed, whole ones for few rows when B's
/// rows allow it.
void ContractEmitter::packPanels(const Segment &segment) {
  if (narrow)
    return;
  if (spec.grouping == Grouping::Depth) {
    directB = b.boolean(false);
    Value target = b.at(kernel.scratch, scratch.panelsOffset());
    return packListed(segment, b.at(block.b, block.column), block.bStep, block.list, block.columns, target, scratch.width,
                      scratch.panelSize());
  }
  Value plain = b.equal(block.bColumn, b.integer(1));
  Value few = b.less(block.rows, b.integer(spec.schedule.directRows + 1));
  directB = b.both(plain, few);
  Value source = b.at(block.b, b.add(b.mul(segment.begin, block.bStep), b.mul(block.column, block.bColumn)));
  Value target = b.at(kernel.scratch, scratch.panelsOffset());
  Panel first{source, nullptr, segment.depth, b.integer(scratch.width), target, scratch.width, scratch.width};
  Value skipped = b.select(directB, b.div(block.columns, scratch.width), b.integer(0));
  Value columns = b.select(isPacked, b.integer(0), block.columns);
  emitPackMatrix(b, first, block.bStep, block.bColumn, columns, skipped, b.integer(scratch.panelSize()));
}

/// Packs `columns` columns of the rows that `list` names for a segment, in panels of `width` columns, `targetPanel` apart.
void ContractEmitter::packListed(const Segment &segment, Value source, Value stride, Value list, Value columns, Value target, int64_t width,
                                 int64_t targetPanel) {
  Panel panel{source, stride, segment.depth, b.integer(width), target, width, width};
  panel.list = b.at(list, segment.begin);
  Value whole = b.div(columns, width), rest = b.rem(columns, width);
  emitPackPanels(b, panel, whole, b.integer(targetPanel));
  panel.source = b.at(source, b.mul(whole, width));
  panel.target = b.at(target, b.mul(whole, targetPanel));
  panel.columns = rest;
  b.ifThen(b.less(b.integer(0), rest), [&] { emitPackPlain(b, panel); });
}

/// Where the panel that holds column `column` of the product is read.
void ContractEmitter::findPanel(const Segment &segment, Value panel, Value column, Value columns) {
  // Panel p of a packed B begins at p * bStep * width, and `column` is p * width.
  Value packed = b.at(block.b, b.mul(column, block.bStep));
  if (narrow) {
    Value step = b.div(segment.begin, narrow->depthOfStep());
    panelHead = packed;
    panelB = b.at(packed, b.add(b.mul(step, narrow->panelWords(scratch.width)), narrow->headWords() * scratch.width));
    return;
  }
  Value inPlace = b.both(directB, b.equal(columns, b.integer(scratch.width)));
  panelB = b.select(inPlace, b.at(block.b, b.add(b.mul(segment.begin, block.bStep), column)),
                    b.at(kernel.scratch, b.add(b.mul(panel, scratch.panelSize()), scratch.panelsOffset())));
  panelStep = b.select(inPlace, block.bStep, b.integer(scratch.width));
  panelB = b.select(isPacked, b.at(packed, b.mul(segment.begin, scratch.width)), panelB);
}

void ContractEmitter::emitPanel(const Segment &segment, Value panel) {
  Value local = b.mul(panel, scratch.width), column = b.add(block.column, local);
  Value columns = b.min(b.sub(block.columns, local), b.integer(scratch.width));
  findPanel(segment, panel, column, columns);
  Value sums = b.at(kernel.scratch, scratch.sumsOffset());
  Value vectors = b.ceilDiv(columns, b.lanes());

  // Chunks of four tiles: their sums are still in L1 when the epilogue reads them. One or two last rows join the chunk before.
  const int64_t chunkRows = 4 * b.level.tileRows;
  Value chunks = b.max(b.ceilDiv(b.add(block.rows, -2), chunkRows), b.integer(1));
  b.loop(b.integer(0), chunks, 1, [&](Value chunk) {
    Value row = b.mul(chunk, chunkRows);
    Value isLast = b.equal(b.add(chunk, 1), chunks);
    Value rows = b.select(isLast, b.sub(block.rows, row), b.integer(chunkRows));
    // Sums that no other segment continues need no place of their own.
    Value place = b.add(b.mul(panel, scratch.sumsSize()), b.mul(row, scratch.width));
    chunkSums = b.at(sums, b.select(segment.single, b.integer(0), place));
    emitChunk(segment, row, rows, vectors);
    b.ifThen(segment.last, [&] {
      if (narrow && narrow->isInt8())
        scaleSums(row, rows);
      EpilogueRegion region{chunkSums, scratch.width, b.add(block.row, row), rows, column, columns, segment.checkpoint};
      fold ? fold->take(b, b.at(kernel.scratch, scratch.size()), block, region)
           : emitEpilogue(b, spec, block.extras, block.outputs, region);
    });
  });
}

/// k in [begin, end), in segments; an empty range still reaches its checkpoint.
void ContractEmitter::emitCheckpoint(Value begin, Value end, Value checkpoint) {
  b.loop(begin, b.max(end, b.add(begin, 1)), spec.schedule.depth, [&](Value k) {
    Value stop = b.min(b.add(k, spec.schedule.depth), end);
    Value first = b.equal(k, b.integer(0));
    Value single = spec.checkpoints ? b.boolean(false) : b.both(first, b.equal(stop, end));
    Segment segment{k, b.sub(stop, k), first, b.equal(stop, end), single, checkpoint};
    packRows(segment);
    packPanels(segment);
    b.loop(b.integer(0), b.ceilDiv(block.columns, scratch.width), 1, [&](Value panel) { emitPanel(segment, panel); });
  });
}

void ContractEmitter::emitSegments() {
  if (!spec.checkpoints)
    return emitCheckpoint(b.integer(0), block.depth, nullptr);
  Value list = b.slotPointer(kernel.slots, slots.checkpointList());
  b.loop(b.integer(0), slot(slots.checkpointCount()), 1, b.integer(0), [&](Value number, llvm::ArrayRef<Value> begin) {
    Value end = b.loadInteger(list, number);
    emitCheckpoint(begin[0], end, number);
    return Values{end};
  });
}

/// All columns of a block of rows, whose states are begun before and read out afterwards.
void ContractEmitter::emitFold(Value groups) {
  Value state = b.at(kernel.scratch, scratch.size());
  fold->begin(b, state, block);
  b.loop(b.integer(0), groups, 1, [&](Value group) {
    loadColumns(group);
    emitSegments();
  });
  fold->finish(b, state, block, slot(Slot::Columns));
}

/// The groups of one block of rows follow each other, so that A stays near.
void ContractEmitter::emit() {
  Value groups = b.ceilDiv(slot(Slot::Columns), scratch.panels * scratch.width);
  b.loop(kernel.begin, kernel.end, 1, [&](Value task) {
    if (fold) {
      loadRows(task);
      return emitFold(groups);
    }
    loadRows(b.div(task, groups));
    loadColumns(b.rem(task, groups));
    if (spec.grouping != Grouping::Rows)
      return emitSegments();
    Value some = b.less(b.integer(0), block.rows);
    b.ifThen(spec.partial ? b.both(some, b.less(b.integer(0), block.depth)) : some, [&] { emitSegments(); });
  });
}

void setPrecision(ContractSpec &spec, plan::Precision precision, const Level &level) {
  spec.precision = precision;
  if (precision == plan::Precision::F32)
    return;
  spec.schedule.panels = kNarrowColumns / (level.tileVectors * level.lanes);
  spec.schedule.rows = kNarrowRows;
}

KernelInfo emitContract(ModuleOp module, llvm::StringRef name, const Level &level, const ContractSpec &spec) {
  auto [kernel, builder] = createKernel(module, name, level);
  ContractEmitter(builder, kernel, spec).emit();
  Scratch scratch(level, spec.schedule);
  std::unique_ptr<TileFold> fold = createFold(spec, level);
  KernelInfo info;
  info.function = kernel.function;
  ContractSlots slots(spec);
  info.tasks = {{Slot::Batch, 1}, {Slot::Rows, scratch.rows, fold ? slots.taskRows() : -1}};
  if (!fold)
    info.tasks.push_back({Slot::Columns, scratch.panels * scratch.width});
  info.slotCount = slots.count();
  info.mostRows = fold ? scratch.rows : 0;
  info.scratchBytes = 4 * scratch.size() + (fold ? fold->bytes() : 0);
  return info;
}

} // namespace nacre::cpu
