// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/EntrySkeletons.h"

#include "compiler/Target/CPU/Entries.h"
#include "compiler/Target/CPU/KernelEpilogue.h"
#include "compiler/Target/CPU/Segments.h"
#include "compiler/Target/CPU/Selection.h"
#include "dialects/Nacre/IR/Operator.h"

using namespace mlir;

namespace nacre::cpu {

namespace {
/// The views of a launch, each with two axes but for lists.
class Views {
public:
  explicit Views(plan::LaunchOp launch) : views(viewsOf(launch)) {
    for (plan::ViewAttr view : views)
      layouts.push_back(plan::layoutOf(view));
  }
  Slot pointer(int64_t i) const { return pointerTo(views[i]); }
  Slot row(int64_t i) const { return Slot::integer(layouts[i].strides[0]); }
  Slot column(int64_t i) const { return Slot::integer(layouts[i].strides[1]); }
  Slot rows(int64_t i) const { return Slot::integer(layouts[i].sizes[0]); }
  Slot columns(int64_t i) const { return Slot::integer(layouts[i].sizes[1]); }
  int64_t count() const { return static_cast<int64_t>(views.size()); }

  /// Appends the slots of extras and outputs, which begin at view `first`.
  void fillTile(std::vector<Slot> &slots, int64_t first, const EpilogueSpec &spec) const {
    int64_t next = first;
    for (size_t i = 0; i < spec.extras.size(); ++i, ++next)
      slots.insert(slots.end(), {pointer(next), row(next), Slot::integer(layouts[next].strides[1].isOne() ? 1 : 0)});
    for (int64_t i = 0; i < spec.outputs; ++i, ++next)
      slots.insert(slots.end(), {pointer(next), row(next)});
  }

private:
  std::vector<plan::ViewAttr> views;
  std::vector<Layout> layouts;
};
} // namespace

/// The rows of a task, by the columns in slot `columns`.
static Slot rowGrain(int64_t columns) {
  Slot grain;
  grain.kind = Slot::RowGrain;
  grain.buffer = columns;
  return grain;
}

static Operation &heartOf(plan::KernelOp kernel) { return kernel.getBody().front().front(); }

//===-- select, take, place --------------------------------------------------------------------------------------------------===//

SelectSpec selectSpecOf(Operation &op) {
  SelectSpec spec;
  spec.byMagnitude = op.getAttrOfType<StringAttr>("by").getValue() == "abs";
  spec.rank = op.getAttrOfType<StringAttr>("order").getValue() == "rank";
  return spec;
}
static KernelInfo emitSelectKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  return emitSelect(module, name, level, selectSpecOf(heartOf(kernel)));
}
static std::vector<Slot> fillSelect(plan::KernelOp, plan::LaunchOp launch) {
  Views v(launch); // x, values, indices
  return {v.pointer(0), v.row(0), v.rows(1), v.columns(0), v.columns(1), v.pointer(1), v.row(1), v.pointer(2), v.row(2),
          rowGrain(SelectSlots::Columns)};
}

static KernelInfo emitTakeKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp) {
  return emitTake(module, name, level);
}
static std::vector<Slot> fillTake(plan::KernelOp, plan::LaunchOp launch) {
  Views v(launch); // x, indices, result
  return {v.pointer(0), v.row(0), v.pointer(1), v.pointer(2), v.row(2), v.rows(2), v.columns(2), v.columns(0), rowGrain(TakeSlots::K)};
}

static KernelInfo emitPlaceKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp) {
  return emitPlace(module, name, level);
}
static std::vector<Slot> fillPlace(plan::KernelOp, plan::LaunchOp launch) {
  Views v(launch); // values, indices, result
  return {v.pointer(0), v.pointer(1), v.pointer(2), v.row(2), v.rows(0), v.columns(0), v.columns(2), rowGrain(PlaceSlots::Columns)};
}

//===-- products with a table ------------------------------------------------------------------------------------------------===//

static constexpr int64_t kTableOperands = 3;

static KernelInfo emitGatherSumKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  return emitGatherSum(module, name, level, epilogueOf(kernel, kTableOperands));
}
static std::vector<Slot> fillGatherSum(plan::KernelOp kernel, plan::LaunchOp launch) {
  Views v(launch); // values, indices, table
  std::vector<Slot> slots = {v.pointer(0), v.pointer(1), v.pointer(2), v.row(2), v.column(2), v.rows(2), v.rows(0), v.columns(0), v.columns(2)};
  v.fillTile(slots, kTableOperands, epilogueOf(kernel, kTableOperands));
  return slots;
}

static KernelInfo emitSampledKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  return emitSampled(module, name, level, epilogueOf(kernel, kTableOperands));
}
static std::vector<Slot> fillSampled(plan::KernelOp kernel, plan::LaunchOp launch) {
  Views v(launch); // x, table, indices
  std::vector<Slot> slots = {v.pointer(0), v.row(0), v.pointer(2), v.pointer(1), v.row(1), v.column(1), v.rows(1), v.rows(2), v.columns(2),
                             v.columns(1)};
  v.fillTile(slots, kTableOperands, epilogueOf(kernel, kTableOperands));
  return slots;
}

//===-- sums by index --------------------------------------------------------------------------------------------------------===//

static KernelInfo emitSegmentOrderKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp) {
  return emitSegmentOrder(module, name, level);
}
static std::vector<Slot> fillSegmentOrder(plan::KernelOp, plan::LaunchOp launch) {
  Views v(launch); // indices, order, rows, ends
  return {v.pointer(0), v.pointer(1), v.pointer(2), v.pointer(3), v.rows(0), v.columns(0), v.rows(3), Slot::integer(1)};
}

static KernelInfo emitSegmentSumKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp) {
  return emitSegmentSum(module, name, level);
}
static std::vector<Slot> fillSegmentSum(plan::KernelOp, plan::LaunchOp launch) {
  Views v(launch); // values, order, rows, ends, result
  return {v.pointer(0), v.pointer(1), v.pointer(3), v.pointer(4), v.rows(3)};
}

static constexpr int64_t kSegmentOperands = 3; // values, indices, x; the launch has order, rows and ends in place of indices

static SegmentSpec segmentSpec(plan::KernelOp kernel) {
  SegmentSpec spec;
  static_cast<EpilogueSpec &>(spec) = epilogueOf(kernel, kSegmentOperands);
  Operation &heart = heartOf(kernel);
  spec.transposed = llvm::any_of(heart.getUsers(), [](Operation *user) { return isa<View>(user); });
  return spec;
}
static KernelInfo emitSegmentKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  return emitSegment(module, name, level, segmentSpec(kernel));
}
static std::vector<Slot> fillSegment(plan::KernelOp kernel, plan::LaunchOp launch) {
  Views v(launch); // values, order, rows, ends, x
  std::vector<Slot> slots = {v.pointer(0), v.pointer(1), v.pointer(2), v.pointer(3), v.pointer(4), v.row(4), v.rows(3), v.columns(4)};
  v.fillTile(slots, 5, segmentSpec(kernel));
  return slots;
}

const EntrySkeleton *findEntrySkeleton(llvm::StringRef name) {
  static const EntrySkeleton all[] = {
      {"select", emitSelectKernel, fillSelect},
      {"take", emitTakeKernel, fillTake},
      {"place", emitPlaceKernel, fillPlace},
      {"gather_sum", emitGatherSumKernel, fillGatherSum},
      {"sampled", emitSampledKernel, fillSampled},
      {"segment_order", emitSegmentOrderKernel, fillSegmentOrder},
      {"segment_sum", emitSegmentSumKernel, fillSegmentSum},
      {"segment", emitSegmentKernel, fillSegment},
  };
  const EntrySkeleton *found = llvm::find_if(all, [&](const EntrySkeleton &skeleton) { return skeleton.name == name; });
  return found == std::end(all) ? nullptr : found;
}

} // namespace nacre::cpu
