// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Skeletons.h"

#include "compiler/Target/CPU/Attention.h"
#include "compiler/Target/CPU/Columns.h"
#include "compiler/Target/CPU/Contract.h"
#include "compiler/Target/CPU/Factor.h"
#include "compiler/Target/CPU/Gather.h"
#include "compiler/Target/CPU/Rows.h"
#include "dialects/Nacre/IR/Operator.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace nacre::cpu {

static std::vector<plan::ViewAttr> viewsOf(plan::LaunchOp launch) {
  std::vector<plan::ViewAttr> views;
  for (Attribute view : launch.getViews())
    views.push_back(cast<plan::ViewAttr>(view));
  return views;
}

static Slot pointerTo(plan::ViewAttr view) { return Slot::pointer(view.getBuffer(), plan::layoutOf(view).offset); }

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

/// The kernel's element-wise operators as an epilogue.
static Epilogue epilogueOf(plan::KernelOp kernel) {
  return [kernel](VectorBuilder &b, Value sum, llvm::ArrayRef<Value> extras) mutable {
    Block &body = kernel.getBody().front();
    llvm::DenseMap<Value, Value> lanes;
    for (BlockArgument argument : body.getArguments().drop_front(kFactors))
      lanes[argument] = extras[argument.getArgNumber() - kFactors];
    for (Operation &op : body.without_terminator()) {
      if (isa<Contraction>(op)) {
        lanes[op.getResult(0)] = sum;
        continue;
      }
      if (isa<View>(op)) { // of a number: the same number
        lanes[op.getResult(0)] = lanes[op.getOperand(0)];
        continue;
      }
      llvm::SmallVector<Value> arguments, results;
      for (Value operand : op.getOperands())
        arguments.push_back(lanes[operand]);
      cast<Pointwise>(op).emit(b.op, arguments, results);
      for (auto [result, value] : llvm::zip(op.getResults(), results))
        lanes[result] = isa<VectorType>(value.getType()) ? value : b.broadcast(value);
    }
    Values outputs;
    for (Value output : body.getTerminator()->getOperands())
      outputs.push_back(lanes[output]);
    return outputs;
  };
}

/// Columns of a task, the same on every level, so that one launch serves them all: a multiple of every level's panel.
static constexpr int64_t kContractColumns = 192;

static ContractSpec contractSpec(plan::KernelOp kernel, const Level &level) {
  ContractSpec spec;
  spec.schedule.panels = kContractColumns / (level.tileVectors * level.lanes);
  Block &body = kernel.getBody().front();
  for (size_t i = kFactors; i < body.getNumArguments(); ++i)
    spec.extras.push_back(cast<StringAttr>(kernel.getAccess()[i]).getValue() == "f32" ? Element::F32 : Element::I32);
  spec.outputs = body.getTerminator()->getNumOperands();
  spec.checkpoints = llvm::any_of(body, [](Operation &op) { return isa<Contraction>(op) && !cast<Contraction>(op).checkpoints().empty(); });
  spec.epilogue = epilogueOf(kernel);
  return spec;
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
  set(Slots::Columns, result.sizes[4]);
  set(Slots::Depth, b.sizes[2]);
  set(Slots::ARow, a.strides[2]);
  set(Slots::AStep, a.strides[3]);
  set(Slots::BStep, b.sizes[2].isOne() ? b.sizes[3] : b.strides[2]);
  set(Slots::BColumn, b.sizes[3].isOne() ? Dim::constant(1) : b.strides[3]);
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
  for (int64_t i = 0; i < spec.outputs; ++i) {
    plan::ViewAttr view = views[kFactors + spec.extras.size() + i];
    Layout layout = plan::layoutOf(view);
    slots[at.output(i, Slots::OutputPointer)] = pointerTo(view);
    set(at.output(i, Slots::OutputRow), layout.strides[3]);
    set(at.output(i, Slots::OutputOuter), layout.strides[1]);
    set(at.output(i, Slots::OutputInner), layout.strides[2]);
    set(at.output(i, Slots::OutputCheckpoint), layout.strides[0]);
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

//===-- attention ------------------------------------------------------------------------------------------------------------===//

namespace {
/// The views of an attention launch by role; -1 where an optional operand is absent.
struct AttentionViews {
  int64_t lengths = -1, bias = -1, output, cotangent = -1, logSumExp, gradients = -1;
};
} // namespace

static constexpr int64_t kWidestHead = 128; // what the kernels' scratch is made for

/// Operands are q, k, v, lengths?, bias? and for the backward output, cotangent, log-sum-exp; results follow.
static AttentionViews attentionViews(plan::KernelOp kernel) {
  Operation &op = kernel.getBody().front().front();
  llvm::ArrayRef<int32_t> segments = op.getAttrOfType<DenseI32ArrayAttr>("operandSegmentSizes").asArrayRef();
  AttentionViews views;
  int64_t next = 3, inputs = op.getNumOperands();
  if (segments[3])
    views.lengths = next++;
  if (segments[4])
    views.bias = next++;
  bool backward = kernel.getSkeleton() == "attention_backward";
  views.output = backward ? next : inputs;
  views.cotangent = backward ? next + 1 : -1;
  views.logSumExp = backward ? next + 2 : inputs + 1;
  views.gradients = backward ? inputs : -1;
  return views;
}

static AttentionSpec attentionSpec(plan::KernelOp kernel) {
  Operation &op = kernel.getBody().front().front();
  AttentionViews views = attentionViews(kernel);
  auto real = [&](llvm::StringRef name) { return op.getAttrOfType<FloatAttr>(name).getValueAsDouble(); };
  auto integer = [&](llvm::StringRef name) { return op.getAttrOfType<IntegerAttr>(name).getInt(); };
  AttentionSpec spec;
  spec.scale = real("scale");
  spec.softCap = real("softcap");
  spec.bias = views.bias >= 0;
  spec.lengths = views.lengths >= 0;
  spec.fixedPrefix = integer("prefix");
  spec.prefix = spec.fixedPrefix > 0;
  spec.causal = spec.prefix || op.getAttrOfType<BoolAttr>("causal").getValue();
  spec.window = integer("window") > 0;
  spec.widthBound = kWidestHead;
  spec.logSumExp = views.gradients >= 0 ||
                   !cast<StringAttr>(kernel.getAccess()[views.logSumExp]).getValue().ends_with("unused");
  return spec;
}

static FailureOr<KernelInfo> emitAttentionKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  Operation &op = kernel.getBody().front().front();
  if (dimsOf(op.getOperand(0)).back().asConstant().value_or(0) > kWidestHead)
    return op.emitError("attention over heads wider than ") << kWidestHead << " is not available yet";
  AttentionSpec spec = attentionSpec(kernel);
  return kernel.getSkeleton() == "attention" ? emitAttention(module, name, level, spec)
                                             : emitAttentionBackward(module, name, level, spec);
}

static std::vector<Slot> fillAttention(plan::KernelOp kernel, plan::LaunchOp launch) {
  using S = AttentionSlots;
  AttentionViews at = attentionViews(kernel);
  std::vector<plan::ViewAttr> views = viewsOf(launch);
  bool backward = at.gradients >= 0;
  std::vector<Slot> slots(backward ? S::BackwardCount : S::ForwardCount, Slot::integer(0));
  auto tensor = [&](int64_t view, int64_t pointer, int64_t firstStride) {
    slots[pointer] = pointerTo(views[view]);
    Layout layout = plan::layoutOf(views[view]);
    for (int64_t axis = 0; axis < 3; ++axis)
      slots[firstStride + axis] = Slot::integer(layout.strides[axis]);
  };
  tensor(0, S::Q, S::QBatch);
  tensor(1, S::K, S::KBatch);
  tensor(2, S::V, S::VBatch);
  tensor(at.output, S::O, S::OBatch);
  slots[S::LogSumExp] = pointerTo(views[at.logSumExp]);
  Dims q = plan::layoutOf(views[0]).sizes, k = plan::layoutOf(views[1]).sizes;
  for (auto [slot, size] : {std::pair(S::Batch, q[0]), {S::Heads, q[1]}, {S::KeyHeads, k[1]}, {S::Queries, q[2]}, {S::Keys, k[2]},
                            {S::Width, q[3]}})
    slots[slot] = Slot::integer(size);
  if (at.lengths >= 0)
    slots[S::Lengths] = pointerTo(views[at.lengths]);
  slots[S::Window] = Slot::integer(kernel.getBody().front().front().getAttrOfType<IntegerAttr>("window").getInt());
  if (at.bias >= 0) {
    Layout bias = plan::layoutOf(views[at.bias]);
    slots[S::Bias] = pointerTo(views[at.bias]);
    // Trailing axes align; missing ones and those of one element repeat, which is stride 0.
    for (int64_t i = 0, rank = bias.sizes.size(); i < rank; ++i)
      slots[S::BiasColumn - i] = Slot::integer(bias.sizes[rank - 1 - i].isOne() ? Dim() : bias.strides[rank - 1 - i]);
  }
  if (backward) {
    tensor(at.cotangent, S::DO, S::DOBatch);
    tensor(at.gradients, S::DQ, S::DQBatch);
    tensor(at.gradients + 1, S::DK, S::DKBatch);
    tensor(at.gradients + 2, S::DV, S::DVBatch);
  }
  return slots;
}

//===-- factors --------------------------------------------------------------------------------------------------------------===//

static SubstituteSpec substituteSpec(plan::KernelOp kernel) {
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

static std::vector<Slot> fillFactor(plan::LaunchOp launch) {
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

static std::vector<Slot> fillSubstitute(plan::LaunchOp launch) {
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

//===-- the table ------------------------------------------------------------------------------------------------------------===//

FailureOr<KernelInfo> emitKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  llvm::StringRef skeleton = kernel.getSkeleton();
  if (skeleton == "rows")
    return emitRowsKernel(module, name, level, kernel);
  if (skeleton == "columns")
    return emitColumns(module, name, level, kernel);
  if (skeleton == "contract")
    return emitContract(module, name, level, contractSpec(kernel, level));
  if (skeleton == "attention" || skeleton == "attention_backward")
    return emitAttentionKernel(module, name, level, kernel);
  if (skeleton == "gather")
    return emitGather(module, name, level);
  if (skeleton == "scatter")
    return emitScatter(module, name, level);
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
  if (skeleton == "contract")
    return fillContract(kernel, launch);
  if (skeleton == "attention" || skeleton == "attention_backward")
    return fillAttention(kernel, launch);
  if (skeleton == "lu" || skeleton == "cholesky")
    return fillFactor(launch);
  if (skeleton == "substitute")
    return fillSubstitute(launch);
  return skeleton == "gather" ? fillGather(launch) : fillScatter(launch);
}

} // namespace nacre::cpu
