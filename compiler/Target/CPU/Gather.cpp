// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Gather.h"

using namespace mlir;

namespace nacre::cpu {

static constexpr int64_t kGatherRows = 32;     // rows of a task: a few KiB to copy
static constexpr int64_t kScatterColumns = 64; // columns of a task

/// The table row of the n-th id, inside the table.
static Value tableRow(VectorBuilder &b, Value ids, Value n, Value rows) {
  Value id = b.extend(b.loadIntScalar(b.at(ids, n)));
  return b.max(b.min(id, b.sub(rows, b.integer(1))), b.integer(0));
}

/// Calls `body` with every column block of [0, width) and its mask.
static void forColumns(VectorBuilder &b, Value first, Value end, llvm::function_ref<void(Value, Value)> body) {
  b.loop(first, end, b.lanes(), [&](Value column) { body(column, b.mask(b.sub(end, column))); });
}

KernelInfo emitGather(ModuleOp module, llvm::StringRef name, const Level &level) {
  auto [target, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  auto slot = [&, slots = target.slots](int64_t index) { return b.slotInteger(slots, index); };
  Value table = b.slotPointer(target.slots, GatherSlots::Table), ids = b.slotPointer(target.slots, GatherSlots::Ids);
  Value output = b.slotPointer(target.slots, GatherSlots::Output), count = slot(GatherSlots::Count_), width = slot(GatherSlots::Width);
  Value rows = slot(GatherSlots::TableRows), tableStride = slot(GatherSlots::TableStride), outputStride = slot(GatherSlots::OutputStride);
  Value first = b.mul(target.begin, kGatherRows), end = b.min(b.mul(target.end, kGatherRows), count);
  b.loop(first, end, 1, [&](Value n) {
    Value from = b.at(table, b.mul(tableRow(b, ids, n, rows), tableStride)), to = b.at(output, b.mul(n, outputStride));
    forColumns(b, b.integer(0), width, [&](Value column, Value mask) { b.store(b.load(b.at(from, column), mask), b.at(to, column), mask); });
  });
  KernelInfo info;
  info.function = target.function;
  info.tasks = {{GatherSlots::Count_, kGatherRows}};
  info.slotCount = GatherSlots::SlotCount;
  return info;
}

KernelInfo emitScatter(ModuleOp module, llvm::StringRef name, const Level &level) {
  auto [target, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  auto slot = [&, slots = target.slots](int64_t index) { return b.slotInteger(slots, index); };
  Value input = b.slotPointer(target.slots, ScatterSlots::Input), ids = b.slotPointer(target.slots, ScatterSlots::Ids);
  Value output = b.slotPointer(target.slots, ScatterSlots::Output), count = slot(ScatterSlots::Count_), width = slot(ScatterSlots::Width);
  Value rows = slot(ScatterSlots::TableRows), inputStride = slot(ScatterSlots::InputStride), outputStride = slot(ScatterSlots::OutputStride);
  Value first = b.mul(target.begin, kScatterColumns), end = b.min(b.mul(target.end, kScatterColumns), width);
  b.loop(b.integer(0), rows, 1, [&](Value row) {
    Value to = b.at(output, b.mul(row, outputStride));
    forColumns(b, first, end, [&](Value column, Value mask) { b.store(b.splat(0), b.at(to, column), mask); });
  });
  b.loop(b.integer(0), count, 1, [&](Value n) {
    Value from = b.at(input, b.mul(n, inputStride)), to = b.at(output, b.mul(tableRow(b, ids, n, rows), outputStride));
    forColumns(b, first, end, [&](Value column, Value mask) {
      Value place = b.at(to, column);
      b.store(b.addf(b.load(place, mask), b.load(b.at(from, column), mask)), place, mask);
    });
  });
  KernelInfo info;
  info.function = target.function;
  info.tasks = {{ScatterSlots::Width, kScatterColumns}};
  info.slotCount = ScatterSlots::SlotCount;
  return info;
}

} // namespace nacre::cpu
