// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/GroupedLaunch.h"

#include "compiler/Target/CPU/Contract.h"
#include "compiler/Target/CPU/KernelEpilogue.h"
#include "compiler/Target/CPU/PackWeights.h"
#include "compiler/Target/CPU/Schedules.h"

using namespace mlir;

namespace nacre::cpu {

// The heart's operands are two factors and the experts; the launch has two factors, order, rows and ends, extras, results.
static constexpr int64_t kHeartOperands = 3;
enum View : int64_t { Left, Right, Order, EntryRows, Ends, Extras };

static ContractSpec groupedSpec(plan::KernelOp kernel, const Level &level) {
  ContractSpec spec;
  static_cast<EpilogueSpec &>(spec) = epilogueOf(kernel, kHeartOperands);
  spec.schedule = scheduleOf(kernel, level);
  setPrecision(spec, precisionOf(kernel), level);
  spec.grouping = kernel.getSkeleton() == "grouped" ? Grouping::Rows : Grouping::Depth;
  spec.partial = kernel.getBody().front().front().hasAttr("partial");
  return spec;
}

KernelInfo emitGrouped(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  return emitContract(module, name, level, groupedSpec(kernel, level));
}

namespace {
/// The slots that both kinds fill alike.
struct GroupedSlots {
  GroupedSlots(plan::KernelOp kernel, plan::LaunchOp launch)
      : spec(groupedSpec(kernel, levels().front())), at(spec), views(viewsOf(launch)), slots(at.count(), Slot::integer(0)) {
    for (plan::ViewAttr view : views)
      layouts.push_back(plan::layoutOf(view));
    slots[ContractSlots::A] = pointerTo(views[Left]);
    slots[ContractSlots::B] = pointerTo(views[Right]);
    set(ContractSlots::BatchInner, Dim::constant(1));
    // A row of A for each entry, or one for all entries of a row.
    bool isPerEntry = layouts[Left].sizes[0] == layouts[Order].sizes[0];
    slots[at.group(ContractSlots::ListA)] = pointerTo(views[isPerEntry ? Order : EntryRows]);
    slots[at.group(ContractSlots::List)] = pointerTo(views[Order]);
    slots[at.group(ContractSlots::Ends)] = pointerTo(views[Ends]);
  }

  void set(int64_t slot, const Dim &value) { slots[slot] = Slot::integer(value); }

  /// Extras and outputs, whose matrices have `matrixRows` rows and lie one after the other.
  void fillTiles(const Dim &matrixRows) {
    using S = ContractSlots;
    int64_t next = Extras;
    for (int64_t i = 0; i < static_cast<int64_t>(spec.extras.size()); ++i, ++next) {
      slots[at.extra(i, S::ExtraPointer)] = pointerTo(views[next]);
      set(at.extra(i, S::ExtraRow), layouts[next].strides[0]);
      set(at.extra(i, S::ExtraColumn), layouts[next].strides[1].isOne() ? Dim::constant(1) : Dim());
      set(at.extra(i, S::ExtraOuter), layouts[next].strides[0] * matrixRows);
    }
    for (int64_t i = 0; i < spec.outputs; ++i, ++next) {
      slots[at.output(i, S::OutputPointer)] = pointerTo(views[next]);
      set(at.output(i, S::OutputRow), layouts[next].strides[0]);
      set(at.output(i, S::OutputOuter), layouts[next].strides[0] * matrixRows);
    }
  }

  ContractSpec spec;
  ContractSlots at;
  std::vector<plan::ViewAttr> views;
  std::vector<Layout> layouts;
  std::vector<Slot> slots;
};
} // namespace

std::vector<Slot> fillGrouped(plan::KernelOp kernel, plan::LaunchOp launch) {
  using S = ContractSlots;
  GroupedSlots grouped(kernel, launch);
  const Layout &x = grouped.layouts[Left], &w = grouped.layouts[Right];
  grouped.set(S::Rows, grouped.layouts[Order].sizes[0]);
  grouped.set(S::Columns, w.sizes[2]);
  grouped.set(S::Depth, w.sizes[1]);
  grouped.set(S::ARow, x.strides[0]);
  grouped.set(S::AStep, Dim::constant(1));
  grouped.set(S::BStep, w.sizes[1].isOne() ? w.sizes[2] : w.strides[1]);
  grouped.set(S::BColumn, w.sizes[2].isOne() ? Dim::constant(1) : w.strides[2]);
  if (isPacked(launch, Right)) {
    grouped.set(S::BStep, w.strides[2]);
    grouped.set(S::BColumn, Dim::constant(kPackedColumn));
  }
  grouped.set(S::Batch, grouped.layouts[Ends].sizes[0]);
  grouped.set(S::BOuter, w.strides[0]);
  grouped.fillTiles(Dim());
  return grouped.slots;
}

std::vector<Slot> fillGroupedOuter(plan::KernelOp kernel, plan::LaunchOp launch) {
  using S = ContractSlots;
  GroupedSlots grouped(kernel, launch);
  const Layout &x = grouped.layouts[Left], &y = grouped.layouts[Right];
  grouped.set(S::Rows, x.sizes[1]);
  grouped.set(S::Columns, y.sizes[1]);
  grouped.set(S::ARow, Dim::constant(1));
  grouped.set(S::AStep, x.strides[0]);
  grouped.set(S::BStep, y.strides[0]);
  grouped.set(S::BColumn, Dim::constant(1));
  grouped.set(S::Batch, grouped.layouts[Ends].sizes[0] - Dim::constant(1));
  grouped.fillTiles(x.sizes[1]);
  return grouped.slots;
}

} // namespace nacre::cpu
