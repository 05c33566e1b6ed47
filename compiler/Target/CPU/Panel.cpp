// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Panel.h"

namespace nacre::cpu {

static Value scaled(VectorBuilder &b, const Panel &panel, Value value) {
  return panel.scale ? b.mulf(value, panel.scale) : value;
}

/// Where row k is read.
static Value rowOf(VectorBuilder &b, const Panel &panel, Value k) {
  Value row = panel.list ? b.extend(b.loadIntScalar(b.at(panel.list, k))) : k;
  return b.at(panel.source, b.mul(row, panel.stride));
}

void emitPackPlain(VectorBuilder &b, const Panel &panel) {
  const int64_t vectors = panel.width / b.lanes();
  Values masks;
  for (int64_t v = 0; v < vectors; ++v)
    masks.push_back(b.mask(b.add(panel.columns, -v * b.lanes())));
  b.loop(b.integer(0), panel.depth, 1, [&](Value k) {
    Value from = rowOf(b, panel, k), to = b.at(panel.target, b.mul(k, panel.targetStride));
    for (int64_t v = 0; v < vectors; ++v) {
      Value values = b.load(b.at(from, v * b.lanes()), masks[v]);
      b.store(scaled(b, panel, values), b.at(to, v * b.lanes()));
    }
  });
}

void emitPackRows(VectorBuilder &b, const Panel &panel) {
  Value tail = b.rem(panel.columns, b.lanes()), whole = b.sub(panel.columns, tail);
  Value mask = b.mask(tail), hasTail = b.less(b.integer(0), tail);
  b.loop(b.integer(0), panel.depth, 1, [&](Value k) {
    Value from = b.at(panel.source, b.mul(k, panel.stride)), to = b.at(panel.target, b.mul(k, panel.targetStride));
    b.loop(b.integer(0), whole, b.lanes(),
           [&](Value j) { b.store(scaled(b, panel, b.load(b.at(from, j))), b.at(to, j)); });
    b.ifThen(hasTail, [&] { b.store(scaled(b, panel, b.load(b.at(from, whole), mask)), b.at(to, whole)); });
  });
}

void emitPackPanels(VectorBuilder &b, const Panel &first, Value count, Value targetPanel) {
  constexpr int64_t rowsAhead = 8; // each row lies on another page, where the machine does not look ahead by itself
  b.loop(b.integer(0), first.depth, 1, [&](Value k) {
    Value from = rowOf(b, first, k), to = b.at(first.target, b.mul(k, first.targetStride));
    Value ahead = b.at(from, b.mul(first.stride, rowsAhead));
    b.loop(b.integer(0), count, 1, [&](Value panel) {
      Value column = b.mul(panel, first.width), place = b.at(to, b.mul(panel, targetPanel));
      for (int64_t v = 0; v < first.width; v += b.lanes()) {
        if (!first.list)
          b.prefetch(b.at(b.at(ahead, column), v));
        b.store(scaled(b, first, b.load(b.at(b.at(from, column), v))), b.at(place, v));
      }
    });
  });
}

/// Transposes lanes x lanes elements; `count` of the loaded lanes exist.
static void packSquare(VectorBuilder &b, const Panel &panel, llvm::ArrayRef<Value> columns, Value k, Value target, Value mask) {
  Values rows;
  for (Value column : columns)
    rows.push_back(mask ? b.load(b.at(column, k), mask) : b.load(b.at(column, k)));
  Value to = b.at(target, b.mul(k, panel.targetStride));
  for (auto [i, row] : llvm::enumerate(b.transpose(rows)))
    b.store(scaled(b, panel, row), b.at(to, static_cast<int64_t>(i) * panel.targetStride));
}

void emitPackTransposed(VectorBuilder &b, const Panel &panel) {
  Value last = b.add(panel.columns, -1);
  Value whole = b.sub(panel.depth, b.rem(panel.depth, b.lanes()));
  b.loop(b.integer(0), panel.reach ? panel.reach : panel.columns, b.lanes(), [&](Value j) {
    Values columns;
    for (int64_t i = 0; i < b.lanes(); ++i)
      columns.push_back(b.at(panel.source, b.mul(b.min(b.add(j, i), last), panel.stride)));
    Value target = b.at(panel.target, j);
    b.loop(b.integer(0), whole, b.lanes(), [&](Value k) { packSquare(b, panel, columns, k, target, nullptr); });
    b.ifThen(b.less(whole, panel.depth),
             [&] { packSquare(b, panel, columns, whole, target, b.mask(b.sub(panel.depth, whole))); });
  });
}

void emitPackMatrix(VectorBuilder &b, const Panel &first, Value step, Value column, Value columns, Value skipped, Value targetPanel) {
  auto panelAt = [&](Value number, Value stride) {
    Panel panel = first;
    panel.source = b.at(first.source, b.mul(b.mul(number, first.width), column));
    panel.target = b.at(first.target, b.mul(number, targetPanel));
    panel.columns = b.min(b.sub(columns, b.mul(number, first.width)), b.integer(first.width));
    panel.stride = stride;
    return panel;
  };
  Value whole = b.div(columns, first.width), all = b.ceilDiv(columns, first.width);
  b.ifElse(
      b.equal(column, b.integer(1)),
      [&] {
        emitPackPanels(b, panelAt(skipped, step), b.sub(whole, skipped), targetPanel);
        b.ifThen(b.less(whole, all), [&] { emitPackPlain(b, panelAt(whole, step)); });
      },
      [&] { b.loop(skipped, all, 1, [&](Value number) { emitPackTransposed(b, panelAt(number, column)); }); });
}

} // namespace nacre::cpu
