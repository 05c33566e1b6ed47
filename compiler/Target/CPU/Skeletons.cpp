// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Skeletons.h"

#include "compiler/Target/CPU/AttentionLaunch.h"
#include "compiler/Target/CPU/Columns.h"
#include "compiler/Target/CPU/Contract.h"
#include "compiler/Target/CPU/EntrySkeletons.h"
#include "compiler/Target/CPU/FactorLaunch.h"
#include "compiler/Target/CPU/Gather.h"
#include "compiler/Target/CPU/KernelEpilogue.h"
#include "compiler/Target/CPU/PackWeights.h"
#include "compiler/Target/CPU/Rows.h"
#include "compiler/Target/CPU/Schedules.h"
#include "dialects/Nacre/IR/Operator.h"
#include "dialects/Plan/IR/Packing.h"

using namespace mlir;

namespace nacre::cpu {

//===-- rows, columns, gather ------------------------------------------------------------------------------------------------===//

static bool hasReduction(plan::KernelOp kernel) {
  return llvm::any_of(kernel.getBody().front(), [](Operation &op) { return isa<Reduction>(op); });
}

static KernelInfo emitRowsKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  KernelInfo info = emitRows(module, name, level, kernel);
  info.tasks = {{RowsSlots::Rows, 1, RowsSlots::RowGrain}};
  if (!hasReduction(kernel))
    info.tasks.push_back({RowsSlots::Columns, 1, RowsSlots::ColumnGrain});
  return info;
}

static std::vector<Slot> fillRows(plan::KernelOp kernel, plan::LaunchOp launch) {
  std::vector<plan::ViewAttr> views = viewsOf(launch);
  Layout last = plan::layoutOf(views.back());
  Dims outer(last.sizes.begin(), last.sizes.end() - 1);
  std::vector<Slot> slots = {Slot::integer(product(outer)), Slot::integer(last.sizes.back())};
  Slot grain;
  grain.kind = Slot::RowGrain;
  grain.buffer = RowsSlots::Columns;
  slots.push_back(grain);
  // A reduction needs its row whole; 2^62 is longer than any row.
  slots.push_back(Slot::integer(hasReduction(kernel) ? int64_t(1) << 62 : kGrainElements));
  for (const Dim &size : outer)
    slots.push_back(Slot::integer(size));
  for (plan::ViewAttr view : views) {
    Layout layout = plan::layoutOf(view);
    slots.push_back(view.getBuffer() >= 0 ? pointerTo(view) : Slot::integer(layout.offset));
    for (const Dim &stride : layout.strides)
      slots.push_back(Slot::integer(stride));
  }
  return slots;
}

static std::vector<Slot> fillColumns(plan::LaunchOp launch) {
  std::vector<plan::ViewAttr> views = viewsOf(launch);
  Layout in = plan::layoutOf(views[0]), out = plan::layoutOf(views[1]);
  return {pointerTo(views[0]),          pointerTo(views[1]),           Slot::integer(in.sizes[0]),    Slot::integer(in.sizes[1]),
          Slot::integer(in.sizes[2]),   Slot::integer(in.strides[0]),  Slot::integer(in.strides[1]),  Slot::integer(out.strides[0])};
}

/// The stride between rows of a matrix that may have more leading axes, all walked with one stride.
static Dim rowStride(const Layout &layout) { return layout.strides.size() < 2 ? Dim() : layout.strides[layout.strides.size() - 2]; }

static std::vector<Slot> fillGather(plan::LaunchOp launch) {
  std::vector<plan::ViewAttr> views = viewsOf(launch);
  Layout table = plan::layoutOf(views[0]), ids = plan::layoutOf(views[1]), out = plan::layoutOf(views[2]);
  return {pointerTo(views[0]), pointerTo(views[1]), pointerTo(views[2]), Slot::integer(product(ids.sizes)),
          Slot::integer(table.sizes[1]), Slot::integer(table.sizes[0]), Slot::integer(table.strides[0]), Slot::integer(rowStride(out))};
}

static std::vector<Slot> fillScatter(plan::LaunchOp launch) {
  std::vector<plan::ViewAttr> views = viewsOf(launch);
  Layout in = plan::layoutOf(views[0]), ids = plan::layoutOf(views[1]), out = plan::layoutOf(views[2]);
  return {pointerTo(views[0]), pointerTo(views[1]), pointerTo(views[2]), Slot::integer(product(ids.sizes)),
          Slot::integer(out.sizes[1]), Slot::integer(out.sizes[0]), Slot::integer(rowStride(in)), Slot::integer(rowStride(out))};
}

//===-- contract -------------------------------------------------------------------------------------------------------------===//

static constexpr int64_t kFactors = 2; // A and B stand before the extras

/// Its k and order are attributes of the operator.
static FoldSpec foldSpec(Operation &op) {
  StringRef skeleton = cast<nacre::Skeleton>(op).skeleton();
  if (skeleton == "log_sum_exp")
    return {FoldSpec::LogSumExp};
  if (skeleton == "weighted_sum")
    return {FoldSpec::WeightedSum};
  return {FoldSpec::Best, *cast<RowFold>(op).foldedEntries(), selectSpecOf(op)};
}

ContractSpec contractSpec(plan::KernelOp kernel, const Level &level) {
  ContractSpec spec;
  spec.schedule = scheduleOf(kernel, level);
  setPrecision(spec, precisionOf(kernel), level);
  static_cast<EpilogueSpec &>(spec) = epilogueOf(kernel, kFactors);
  Block &body = kernel.getBody().front();
  for (Operation &op : body)
    if (isa<RowFold>(op))
      spec.fold = foldSpec(op);
  for (Operation &op : body)
    if (auto contraction = dyn_cast<Contraction>(op)) {
      spec.checkpoints = !contraction.checkpoints().empty();
      spec.words = plainType(contraction.lhs()).getElementType().isInteger(32);
    }
  return spec;
}

/// A weighted sum reads its table in whole vectors.
std::optional<int64_t> paddedView(plan::KernelOp kernel) {
  if (kernel.getSkeleton() != "contract_fold")
    return std::nullopt;
  ContractSpec spec = contractSpec(kernel, levels().front());
  if (!spec.fold || spec.fold->kind != FoldSpec::WeightedSum)
    return std::nullopt;
  return kFactors + int64_t(spec.extras.size());
}

static std::vector<Slot> fillContract(plan::KernelOp kernel, plan::LaunchOp launch) {
  using Slots = ContractSlots;
  ContractSpec spec = contractSpec(kernel, levels().front());
  ContractSlots at(spec);
  std::vector<plan::ViewAttr> views = viewsOf(launch);
  Layout a = plan::layoutOf(views[0]), b = plan::layoutOf(views[1]), result = plan::layoutOf(views.back());
  std::vector<Slot> slots(at.count());
  auto set = [&](int64_t slot, const Dim &value) { slots[slot] = Slot::integer(value); };
  slots[Slots::A] = pointerTo(views[0]);
  slots[Slots::B] = pointerTo(views[1]);
  set(Slots::Rows, result.sizes[3]);
  set(Slots::Columns, b.sizes[3]);
  set(Slots::Depth, b.sizes[2]);
  set(Slots::ARow, a.strides[2]);
  set(Slots::AStep, a.strides[3]);
  set(Slots::BStep, b.sizes[2].isOne() ? b.sizes[3] : b.strides[2]);
  set(Slots::BColumn, b.sizes[3].isOne() ? Dim::constant(1) : b.strides[3]);
  if (isPacked(launch, 1)) {
    set(Slots::BStep, b.strides[3]);
    set(Slots::BColumn, Dim::constant(kPackedColumn));
  }
  set(Slots::Batch, result.sizes[1] * result.sizes[2]);
  set(Slots::BatchInner, result.sizes[2]);
  set(Slots::AOuter, a.strides[0]);
  set(Slots::AInner, a.strides[1]);
  set(Slots::BOuter, b.strides[0]);
  set(Slots::BInner, b.strides[1]);
  for (size_t i = 0; i < spec.extras.size(); ++i) {
    Layout layout = plan::layoutOf(views[kFactors + i]);
    slots[at.extra(i, Slots::ExtraPointer)] = pointerTo(views[kFactors + i]);
    set(at.extra(i, Slots::ExtraRow), layout.strides[2]);
    set(at.extra(i, Slots::ExtraColumn), layout.strides[3].isOne() ? Dim::constant(1) : Dim());
    set(at.extra(i, Slots::ExtraOuter), layout.strides[0]);
    set(at.extra(i, Slots::ExtraInner), layout.strides[1]);
  }
  for (int64_t i = 0; i < spec.resultCount(); ++i) {
    plan::ViewAttr view = views[views.size() - spec.resultCount() + i];
    Layout layout = plan::layoutOf(view);
    slots[at.output(i, Slots::OutputPointer)] = pointerTo(view);
    set(at.output(i, Slots::OutputRow), layout.strides[3]);
    set(at.output(i, Slots::OutputOuter), layout.strides[1]);
    set(at.output(i, Slots::OutputInner), layout.strides[2]);
    set(at.output(i, Slots::OutputCheckpoint), layout.strides[0]);
  }
  if (spec.fold && spec.fold->kind == FoldSpec::WeightedSum) {
    plan::ViewAttr view = views[kFactors + spec.extras.size()];
    Layout layout = plan::layoutOf(view);
    slots[at.tablePart(Slots::TablePointer)] = pointerTo(view);
    set(at.tablePart(Slots::TableRow), layout.strides[0]);
    set(at.tablePart(Slots::TableColumns), layout.sizes[1]);
  }
  if (spec.fold) {
    Slot rows;
    rows.kind = Slot::FoldRows;
    rows.buffer = Slots::Rows;
    slots[at.taskRows()] = rows;
  }
  if (!spec.checkpoints)
    return slots;
  for (Operation &op : kernel.getBody().front())
    if (auto contraction = dyn_cast<Contraction>(op)) {
      Slot list;
      list.kind = Slot::Table;
      list.table.assign(contraction.checkpoints().begin(), contraction.checkpoints().end());
      set(at.checkpointCount(), Dim::constant(list.table.size()));
      set(Slots::Depth, Dim::constant(list.table.back()));
      slots[at.checkpointList()] = list;
    }
  return slots;
}

//===-- the table ------------------------------------------------------------------------------------------------------------===//

FailureOr<KernelInfo> emitKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  llvm::StringRef skeleton = kernel.getSkeleton();
  if (skeleton == "rows")
    return emitRowsKernel(module, name, level, kernel);
  if (skeleton == "columns")
    return emitColumns(module, name, level, kernel);
  if (skeleton == "contract" || skeleton == "contract_fold")
    return emitContract(module, name, level, contractSpec(kernel, level));
  if (skeleton.starts_with("attention"))
    return emitAttentionKernel(module, name, level, kernel);
  if (skeleton == "gather")
    return emitGather(module, name, level);
  if (skeleton == "scatter")
    return emitScatter(module, name, level);
  if (const EntrySkeleton *entries = findEntrySkeleton(skeleton))
    return entries->emit(module, name, level, kernel);
  if (skeleton == plan::kPackSkeleton)
    return emitPackWeights(module, name, level, precisionOf(kernel));
  if (skeleton == "lu")
    return emitLu(module, name, level);
  if (skeleton == "cholesky")
    return emitCholesky(module, name, level);
  if (skeleton == "substitute")
    return emitSubstitute(module, name, level, substituteSpec(kernel));
  return kernel.emitError("the CPU target has no skeleton '") << skeleton << "'";
}

std::vector<Slot> fillSlots(plan::KernelOp kernel, plan::LaunchOp launch) {
  llvm::StringRef skeleton = kernel.getSkeleton();
  if (skeleton == "rows")
    return fillRows(kernel, launch);
  if (skeleton == "columns")
    return fillColumns(launch);
  if (skeleton == "contract" || skeleton == "contract_fold")
    return fillContract(kernel, launch);
  if (skeleton.starts_with("attention"))
    return fillAttention(kernel, launch);
  if (const EntrySkeleton *entries = findEntrySkeleton(skeleton))
    return entries->fill(kernel, launch);
  if (skeleton == plan::kPackSkeleton)
    return fillPackWeights(launch);
  if (skeleton == "lu" || skeleton == "cholesky")
    return fillFactor(launch);
  if (skeleton == "substitute")
    return fillSubstitute(launch);
  return skeleton == "gather" ? fillGather(launch) : fillScatter(launch);
}

} // namespace nacre::cpu
