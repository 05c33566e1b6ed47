// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/FactorLaunch.h"

#include "compiler/Target/CPU/KernelEpilogue.h"

using namespace mlir;

namespace nacre::cpu {

SubstituteSpec substituteSpec(plan::KernelOp kernel) {
  Operation &op = kernel.getBody().front().front();
  auto flag = [&](llvm::StringRef name) { return op.getAttrOfType<BoolAttr>(name).getValue(); };
  return {flag("lower"), flag("unit"), op.getNumOperands() == 3};
}

/// A view of the batch [B, n, m] as pointer, batch stride and row stride.
static void setMatrix(std::vector<Slot> &slots, plan::ViewAttr view, int64_t pointer, int64_t batch, int64_t row) {
  Layout layout = plan::layoutOf(view);
  slots[pointer] = pointerTo(view);
  slots[batch] = Slot::integer(layout.strides[0]);
  slots[row] = Slot::integer(layout.strides[1]);
}

std::vector<Slot> fillFactor(plan::LaunchOp launch) {
  using S = FactorSlots;
  std::vector<plan::ViewAttr> views = viewsOf(launch);
  std::vector<Slot> slots(S::SlotCount, Slot::integer(0));
  setMatrix(slots, views[0], S::Input, S::InputBatch, S::InputRow);
  setMatrix(slots, views[1], S::Output, S::OutputBatch, S::OutputRow);
  Dims sizes = plan::layoutOf(views[0]).sizes;
  slots[S::Batch] = Slot::integer(sizes[0]);
  slots[S::Size] = Slot::integer(sizes[1]);
  if (views.size() > 2) {
    slots[S::Order] = pointerTo(views[2]);
    slots[S::OrderBatch] = Slot::integer(plan::layoutOf(views[2]).strides[0]);
  }
  return slots;
}

std::vector<Slot> fillSubstitute(plan::LaunchOp launch) {
  using S = SubstituteSlots;
  std::vector<plan::ViewAttr> views = viewsOf(launch);
  std::vector<Slot> slots(S::SlotCount, Slot::integer(0));
  setMatrix(slots, views[0], S::Matrix, S::MatrixBatch, S::MatrixRow);
  setMatrix(slots, views[1], S::Side, S::SideBatch, S::SideRow);
  setMatrix(slots, views.back(), S::Output, S::OutputBatch, S::OutputRow);
  Dims sizes = plan::layoutOf(views[1]).sizes;
  for (auto [slot, size] : {std::pair(S::Batch, sizes[0]), {S::Size, sizes[1]}, {S::Columns, sizes[2]}})
    slots[slot] = Slot::integer(size);
  if (views.size() > 3) {
    slots[S::Order] = pointerTo(views[2]);
    slots[S::OrderBatch] = Slot::integer(plan::layoutOf(views[2]).strides[0]);
  }
  return slots;
}

} // namespace nacre::cpu
