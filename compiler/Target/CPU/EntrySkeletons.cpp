// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/EntrySkeletons.h"

#include "compiler/Target/CPU/Entries.h"
#include "compiler/Target/CPU/GroupedLaunch.h"
#include "compiler/Target/CPU/KernelEpilogue.h"
#include "compiler/Target/CPU/Nonzeros.h"
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
  /// The number of segments whose ends view `i` holds, with those of what is in none.
  Slot segments(int64_t i) const { return Slot::integer(layouts[i].sizes[0] - Dim::constant(1)); }
  int64_t count() const { return static_cast<int64_t>(views.size()); }
  /// Stride and size of an axis; one of a single element repeats for ever.
  std::pair<Slot, Slot> repeatable(int64_t i, int64_t axis) const {
    if (layouts[i].sizes[axis].isOne())
      return {Slot::integer(0), Slot::integer(INT32_MAX)};
    return {Slot::integer(layouts[i].strides[axis]), Slot::integer(layouts[i].sizes[axis])};
  }

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

/// Whether entries name their rows: the heart then has one operand more than `plain`.
static bool isListed(plan::KernelOp kernel, int64_t plain) { return heartOf(kernel).getNumOperands() > plain; }

static KernelInfo emitTakeKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  return isListed(kernel, 2) ? emitTakeListed(module, name, level) : emitTake(module, name, level);
}
static std::vector<Slot> fillTake(plan::KernelOp kernel, plan::LaunchOp launch) {
  Views v(launch); // x, indices, rows?, result
  if (isListed(kernel, 2))
    return {v.pointer(0), v.repeatable(0, 0).first, v.repeatable(0, 1).first, v.pointer(1), v.pointer(2), v.pointer(3), v.columns(1),
            v.repeatable(0, 0).second, v.repeatable(0, 1).second};
  return {v.pointer(0), v.row(0), v.pointer(1), v.pointer(2), v.row(2), v.rows(2), v.columns(2), v.columns(0), rowGrain(TakeSlots::K)};
}

static KernelInfo emitPlaceKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  return emitPlace(module, name, level, isListed(kernel, 2));
}
static std::vector<Slot> fillPlace(plan::KernelOp kernel, plan::LaunchOp launch) {
  Views v(launch); // values, indices, rows?, result
  const int64_t result = isListed(kernel, 2) ? 3 : 2;
  return {v.pointer(0), v.pointer(1), v.pointer(result), v.row(result), v.rows(result), v.columns(0), v.columns(result),
          rowGrain(PlaceSlots::Columns), result == 3 ? v.pointer(2) : Slot::integer(0)};
}

//===-- products with a table ------------------------------------------------------------------------------------------------===//

static constexpr int64_t kTableOperands = 3; // and rows?

static int64_t heartOperands(plan::KernelOp kernel) { return heartOf(kernel).getNumOperands(); }
static Slot rowListOf(plan::KernelOp kernel, const Views &views) {
  return isListed(kernel, kTableOperands) ? views.pointer(kTableOperands) : Slot::integer(0);
}

static KernelInfo emitGatherSumKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  return emitGatherSum(module, name, level, epilogueOf(kernel, heartOperands(kernel)), isListed(kernel, kTableOperands));
}
static std::vector<Slot> fillGatherSum(plan::KernelOp kernel, plan::LaunchOp launch) {
  Views v(launch); // values, indices, table, rows?, extras, results
  std::vector<Slot> slots = {v.pointer(0), v.pointer(1), v.pointer(2), v.row(2), v.column(2), v.rows(2), v.rows(v.count() - 1),
                             v.columns(0), v.columns(2), rowListOf(kernel, v)};
  v.fillTile(slots, heartOperands(kernel), epilogueOf(kernel, heartOperands(kernel)));
  return slots;
}

static KernelInfo emitSampledKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  return emitSampled(module, name, level, epilogueOf(kernel, heartOperands(kernel)), isListed(kernel, kTableOperands));
}
static std::vector<Slot> fillSampled(plan::KernelOp kernel, plan::LaunchOp launch) {
  Views v(launch); // x, table, indices, rows?, extras, results
  std::vector<Slot> slots = {v.pointer(0), v.row(0), v.pointer(2), v.pointer(1), v.row(1), v.column(1), v.rows(1), v.rows(0), v.columns(2),
                             v.columns(1), rowListOf(kernel, v)};
  if (isListed(kernel, kTableOperands))
    slots[SampledSlots::Rows].value = slots[SampledSlots::Rows].value + Dim::constant(1);
  v.fillTile(slots, heartOperands(kernel), epilogueOf(kernel, heartOperands(kernel)));
  return slots;
}

//===-- sums by index --------------------------------------------------------------------------------------------------------===//

static bool isListedOrder(plan::KernelOp kernel) { return kernel.getBody().front().getNumArguments() > 1; }
static KernelInfo emitSegmentOrderKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  return emitSegmentOrder(module, name, level, isListedOrder(kernel));
}
static std::vector<Slot> fillSegmentOrder(plan::KernelOp kernel, plan::LaunchOp launch) {
  Views v(launch); // indices [rows, k], order, rows, ends; or indices [1, k], row list [rows, k], order, rows, ends
  const int64_t first = isListedOrder(kernel) ? 2 : 1;
  return {v.pointer(0), v.pointer(first), v.pointer(first + 1), v.pointer(first + 2), v.rows(first - 1), v.columns(0), v.segments(first + 2),
          Slot::integer(1), v.pointer(first - 1)};
}

static KernelInfo emitSegmentSumKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp) {
  return emitSegmentSum(module, name, level);
}
static std::vector<Slot> fillSegmentSum(plan::KernelOp, plan::LaunchOp launch) {
  Views v(launch); // values, order, rows, ends, result
  return {v.pointer(0), v.pointer(1), v.pointer(3), v.pointer(4), v.segments(3)};
}

// Operands are values, indices, x, rows?; the launch has values, order, rows and ends, x.

static SegmentSpec segmentSpec(plan::KernelOp kernel) {
  SegmentSpec spec;
  static_cast<EpilogueSpec &>(spec) = epilogueOf(kernel, heartOperands(kernel));
  Operation &heart = heartOf(kernel);
  spec.transposed = llvm::any_of(heart.getUsers(), [](Operation *user) { return isa<View>(user); });
  return spec;
}
static KernelInfo emitSegmentKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  return emitSegment(module, name, level, segmentSpec(kernel));
}
static std::vector<Slot> fillSegment(plan::KernelOp kernel, plan::LaunchOp launch) {
  Views v(launch); // values, order, rows, ends, x
  std::vector<Slot> slots = {v.pointer(0), v.pointer(1), v.pointer(2), v.pointer(3), v.pointer(4), v.row(4), v.segments(3), v.columns(4)};
  v.fillTile(slots, 5, segmentSpec(kernel));
  return slots;
}

static KernelInfo emitPositionKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp) {
  return emitSegmentPosition(module, name, level);
}
static std::vector<Slot> fillPosition(plan::KernelOp, plan::LaunchOp launch) {
  Views v(launch); // order, rows, ends, result
  return {v.pointer(0), v.pointer(2), v.pointer(3), v.rows(2)};
}

//===-- checked at run time --------------------------------------------------------------------------------------------------===//

static KernelInfo emitNonzerosKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp) {
  return emitNonzeros(module, name, level);
}
static std::vector<Slot> fillNonzeros(plan::KernelOp, plan::LaunchOp launch) {
  Views v(launch); // x, values, indices, rows, report
  return {v.pointer(0), v.row(0), v.rows(0), v.columns(0), v.pointer(1), v.pointer(2), v.pointer(3), v.columns(1), v.pointer(4),
          Slot::integer(1)};
}

static KernelInfo emitCheckedIdsKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp) {
  return emitCheckedIds(module, name, level);
}
static std::vector<Slot> fillCheckedIds(plan::KernelOp kernel, plan::LaunchOp launch) {
  Views v(launch); // ids, result, report
  Slot length = Slot::integer(v.rows(0).value * v.columns(0).value);
  std::optional<Dim> limit = Dim::parse(heartOf(kernel).getAttrOfType<StringAttr>("limit").getValue());
  return {v.pointer(0), length, Slot::integer(limit.value_or(Dim())), v.pointer(1), v.pointer(2), Slot::integer(1)};
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
      {"segment_position", emitPositionKernel, fillPosition},
      {"nonzeros", emitNonzerosKernel, fillNonzeros},
      {"checked_ids", emitCheckedIdsKernel, fillCheckedIds},
      {"grouped", emitGrouped, fillGrouped},
      {"grouped_outer", emitGrouped, fillGroupedOuter},
  };
  const EntrySkeleton *found = llvm::find_if(all, [&](const EntrySkeleton &skeleton) { return skeleton.name == name; });
  return found == std::end(all) ? nullptr : found;
}

} // namespace nacre::cpu
