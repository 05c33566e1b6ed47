// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Columns.h"

#include "dialects/Nacre/IR/Operator.h"

using namespace mlir;

namespace nacre::cpu {

static constexpr int64_t kWidth = 64; // columns of a task on every level: 4 or 8 partial results hide the latency of an addition

/// Folds `vectors` neighbouring vectors of columns over all rows.
static void emitStrip(VectorBuilder &b, Reduction reduction, Value input, Value output, Value rows, Value stride, int64_t vectors,
                      Value mask) {
  Values start(vectors, b.splat(reduction.identity()));
  Values folded = b.loop(b.integer(0), rows, 1, start, [&](Value row, llvm::ArrayRef<Value> carried) {
    Value line = b.at(input, b.mul(row, stride));
    Values next;
    for (int64_t v = 0; v < vectors; ++v) {
      Value place = b.at(line, v * b.lanes());
      next.push_back(reduction.combine(b.op, carried[v], mask ? b.load(place, mask) : b.load(place)));
    }
    return next;
  });
  for (int64_t v = 0; v < vectors; ++v) {
    Value place = b.at(output, v * b.lanes());
    if (mask)
      b.store(folded[v], place, mask);
    else
      b.store(folded[v], place);
  }
}

KernelInfo emitColumns(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  auto [target, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  auto reduction = cast<Reduction>(kernel.getBody().front().front());
  int64_t width = kWidth, vectors = kWidth / b.lanes();
  auto slot = [&, slots = target.slots](int64_t index) { return b.slotInteger(slots, index); };
  Value inner = slot(ColumnsSlots::Inner), rows = slot(ColumnsSlots::Reduced), stride = slot(ColumnsSlots::InputReduced);
  Value blocks = b.ceilDiv(inner, width);
  b.loop(target.begin, target.end, 1, [&](Value task) {
    Value outer = b.div(task, blocks), first = b.mul(b.rem(task, blocks), width);
    Value input = b.at(b.slotPointer(target.slots, ColumnsSlots::Input), b.add(b.mul(outer, slot(ColumnsSlots::InputOuter)), first));
    Value output = b.at(b.slotPointer(target.slots, ColumnsSlots::Output), b.add(b.mul(outer, slot(ColumnsSlots::OutputOuter)), first));
    Value left = b.sub(inner, first);
    b.ifElse(
        b.less(left, b.integer(width)),
        [&] {
          b.loop(b.integer(0), left, b.lanes(), [&](Value column) {
            emitStrip(b, reduction, b.at(input, column), b.at(output, column), rows, stride, 1, b.mask(b.sub(left, column)));
          });
        },
        [&] { emitStrip(b, reduction, input, output, rows, stride, vectors, Value()); });
  });
  KernelInfo info;
  info.function = target.function;
  info.tasks = {{ColumnsSlots::Outer, 1}, {ColumnsSlots::Inner, width}};
  info.slotCount = ColumnsSlots::Count;
  return info;
}

} // namespace nacre::cpu
