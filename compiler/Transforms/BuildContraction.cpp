// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Transforms/ContractionViews.h"
#include "compiler/Transforms/ProgramBuilder.h"

using namespace nacre;
using namespace mlir;

LogicalResult ProgramBuilder::buildContraction(const Group &group) {
  auto contraction = cast<Contraction>(group.ops.front());
  bool checkpoints = !contraction.checkpoints().empty();
  KernelBody body;
  auto fold = dyn_cast<RowFold>(group.ops.back());
  body.skeleton = fold ? "contract_fold" : "contract";
  body.ops.assign(group.ops.begin(), group.ops.end());
  // The two factors come first, even when an epilogue reads one of them again.
  Group tile = group;
  if (fold)
    tile.ops.pop_back();
  SmallVector<Value> extras = extrasOf(tile);
  bool isSquare = contraction.lhs() == contraction.rhs();
  body.inputs = {contraction.lhs()};
  if (!isSquare)
    body.inputs.push_back(contraction.rhs());
  body.outputs = outputsOf(group);
  if (fold) // both of its results have a place in the kernel's slots
    body.outputs.assign(fold->result_begin(), fold->result_end());

  Dims shape = checkpoints ? Dims(group.space.begin() + 1, group.space.end()) : group.space;
  Storage a = read(contraction.lhs()), b = read(contraction.rhs());
  const Layout &bl = b.layout;
  bool bReadable = bl.strides.back().isOne() || bl.strides[bl.strides.size() - 2].isOne() || bl.sizes.back().isOne();
  if (!bReadable)
    b = copied(contraction.rhs());
  ContractionLayouts layouts = {withBatchOf(a.layout, shape), withBatchOf(b.layout, shape), {}};
  std::vector<Value> buffers;
  for (Value extra : extras) {
    Storage from = read(extra);
    if (!isColumnReadable(broadcastLayout(from.layout, dimsOf(extra))))
      from = copied(extra);
    Layout layout = broadcastLayout(from.layout, group.space);
    layouts.tiles.push_back(checkpoints ? withoutFirstAxis(layout) : layout);
    buffers.push_back(from.buffer);
  }
  std::vector<Dim> checkpointStrides;
  for (Value output : body.outputs) {
    Storage to = storage.allocate(output);
    checkpointStrides.push_back(checkpoints ? to.layout.strides[0] : Dim());
    layouts.tiles.push_back(checkpoints ? withoutFirstAxis(to.layout) : to.layout);
    buffers.push_back(to.buffer);
  }
  if (!flattenRows(layouts) && !flattenBatch(layouts)) {
    a = copied(contraction.lhs());
    layouts.a = withBatchOf(a.layout, shape);
    if (!flattenRows(layouts) && !flattenBatch(layouts))
      return contraction->emitError("a product over more than two separate batch axes is not available");
  }
  std::vector<Operand> operands = {{a.buffer, 0, layouts.a}, {b.buffer, 0, layouts.b}};
  for (size_t i = 0; i < buffers.size(); ++i) {
    Layout layout = layouts.tiles[i];
    if (i >= extras.size()) { // outputs carry the checkpoint axis in front
      layout.sizes.insert(layout.sizes.begin(), checkpoints ? group.space[0] : Dim::constant(1));
      layout.strides.insert(layout.strides.begin(), checkpointStrides[i - extras.size()]);
    }
    operands.push_back({buffers[i], 0, layout});
  }
  if (isSquare)
    body.inputs.push_back(contraction.rhs());
  body.inputs.append(extras);
  for (Value table : fold ? ValueRange(fold->getOperands()).drop_front() : ValueRange()) {
    body.inputs.push_back(table);
    operands.insert(operands.end() - body.outputs.size(), readPadded(table));
  }
  body.access.assign(2, "f32");
  for (size_t i = 0; i < extras.size(); ++i)
    body.access.push_back(elementName(plainType(extras[i]).getElementType()));
  body.access.resize(body.inputs.size(), "f32");
  for (Value output : body.outputs)
    body.access.push_back(elementName(plainType(output).getElementType()));
  Dim operations = cast<Skeleton>(group.ops.front()).operations();
  if (fold)
    operations = operations + cast<Skeleton>(group.ops.back()).operations();
  launch(contraction->getLoc(), body, operands, operations);
  return success();
}
