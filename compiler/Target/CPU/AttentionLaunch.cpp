// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/AttentionLaunch.h"

#include "compiler/Target/CPU/KernelEpilogue.h"

#include "compiler/Target/CPU/Attention.h"

using namespace mlir;

namespace nacre::cpu {

using S = AttentionSlots;

namespace {
/// The operands of every attention operator in order; the last three are those of the backward alone.
enum Operand { Query, Key, ValueRows, Lengths, Bias, Mask, Relative, Factors, Output, Cotangent, LogSumExp, OperandCount };

/// The heart of an attention kernel: which view is which operand or result.
class AttentionKernel {
public:
  explicit AttentionKernel(plan::KernelOp kernel);

  bool has(Operand operand) const { return view(operand) >= 0; }
  int64_t view(Operand operand) const { return views[operand]; }
  int64_t result(int64_t number) const { return op->getNumOperands() + number; }
  double real(llvm::StringRef name) const { return op->getAttrOfType<FloatAttr>(name).getValueAsDouble(); }
  int64_t integer(llvm::StringRef name) const { return op->getAttrOfType<IntegerAttr>(name).getInt(); }
  bool flag(llvm::StringRef name) const { return op->getAttrOfType<BoolAttr>(name).getValue(); }
  bool isForward() const { return skeleton == "attention"; }
  /// Whose gradient a kernel for biases computes; nothing for the others.
  std::optional<BiasGradient> gradientOf() const;
  AttentionSpec spec() const;

private:
  Operation *op;
  ArrayAttr access;
  llvm::StringRef skeleton;
  int64_t views[OperandCount]; // -1: absent
};
} // namespace

AttentionKernel::AttentionKernel(plan::KernelOp kernel)
    : op(&kernel.getBody().front().front()), access(kernel.getAccess()), skeleton(kernel.getSkeleton()) {
  std::fill(std::begin(views), std::end(views), -1);
  int64_t next = 0;
  for (auto [operand, size] : llvm::enumerate(op->getAttrOfType<DenseI32ArrayAttr>("operandSegmentSizes").asArrayRef()))
    views[operand] = size ? next++ : -1;
}

std::optional<BiasGradient> AttentionKernel::gradientOf() const {
  auto of = op->getAttrOfType<StringAttr>("of");
  if (!of)
    return std::nullopt;
  return of == "bias" ? BiasGradient::Bias : of == "relative" ? BiasGradient::Relative : BiasGradient::Factors;
}

AttentionSpec AttentionKernel::spec() const {
  AttentionSpec spec;
  spec.scale = real("scale"), spec.softCap = real("softcap");
  spec.lengths = has(Lengths), spec.bias = has(Bias), spec.mask = has(Mask), spec.relative = has(Relative), spec.factors = has(Factors);
  spec.alibi = flag("alibi"), spec.causal = flag("causal");
  spec.fixedPrefix = integer("prefix"), spec.prefix = spec.fixedPrefix > 0;
  spec.window = integer("window") > 0;
  spec.partial = op->hasAttr("partial");
  spec.widthBound = integer("width");
  spec.logSumExp = !isForward() || !cast<StringAttr>(access[result(1)]).getValue().ends_with("unused");
  return spec;
}

KernelInfo emitAttentionKernel(ModuleOp module, llvm::StringRef name, const Level &level, plan::KernelOp kernel) {
  AttentionKernel heart(kernel);
  if (heart.isForward())
    return emitAttention(module, name, level, heart.spec());
  if (std::optional<BiasGradient> of = heart.gradientOf())
    return emitAttentionBiasBackward(module, name, level, heart.spec(), *of);
  return emitAttentionBackward(module, name, level, heart.spec());
}

namespace {
/// Fills the slots of one launch.
class SlotFiller {
public:
  SlotFiller(const AttentionKernel &heart, plan::LaunchOp launch, int64_t count)
      : heart(heart), views(viewsOf(launch)), slots(count, Slot::integer(0)) {}

  Layout layout(int64_t view) const { return plan::layoutOf(views[view]); }
  void set(int64_t slot, const Dim &value) { slots[slot] = Slot::integer(value); }
  /// Pointer, and strides of batch, head and row.
  void tensor(int64_t view, int64_t pointer, int64_t firstStride);
  /// A tensor that broadcasts to [B, H, Tq, Tk]: pointer, four strides after it.
  void pairs(int64_t view, int64_t pointer);
  /// [H, Tq + Tk - 1]: pointer and stride of a head.
  void strip(Operand operand, int64_t pointer);
  void inputs();
  void biasGradient(BiasGradient of);

  const AttentionKernel &heart;
  std::vector<plan::ViewAttr> views;
  std::vector<Slot> slots;
};
} // namespace

void SlotFiller::tensor(int64_t view, int64_t pointer, int64_t firstStride) {
  slots[pointer] = pointerTo(views[view]);
  for (int64_t axis = 0; axis < 3; ++axis)
    set(firstStride + axis, layout(view).strides[axis]);
}

static Dim strideOf(const Layout &layout, int64_t axis) { return layout.sizes[axis].isOne() ? Dim() : layout.strides[axis]; }

void SlotFiller::pairs(int64_t view, int64_t pointer) {
  slots[pointer] = pointerTo(views[view]);
  // Trailing axes align; missing ones and those of one element repeat, which is stride 0.
  Layout from = layout(view);
  for (int64_t axis = 0, rank = from.sizes.size(); axis < rank; ++axis)
    set(pointer + 4 - axis, strideOf(from, rank - 1 - axis));
}

void SlotFiller::strip(Operand operand, int64_t pointer) {
  if (!heart.has(operand))
    return;
  slots[pointer] = pointerTo(views[heart.view(operand)]);
  set(pointer + 1, strideOf(layout(heart.view(operand)), 0));
}

void SlotFiller::inputs() {
  tensor(heart.view(Query), S::Q, S::QBatch);
  tensor(heart.view(Key), S::K, S::KBatch);
  tensor(heart.view(ValueRows), S::V, S::VBatch);
  tensor(heart.isForward() ? heart.result(0) : heart.view(Output), S::O, S::OBatch);
  slots[S::LogSumExp] = pointerTo(views[heart.isForward() ? heart.result(1) : heart.view(LogSumExp)]);
  Dims q = layout(heart.view(Query)).sizes, k = layout(heart.view(Key)).sizes;
  for (auto [slot, size] : {std::pair(S::Batch, q[0]), {S::Heads, q[1]}, {S::KeyHeads, k[1]}, {S::Queries, q[2]}, {S::Keys, k[2]},
                            {S::Width, q[3]}})
    set(slot, size);
  set(S::Window, Dim::constant(heart.integer("window")));
  if (heart.has(Lengths))
    slots[S::Lengths] = pointerTo(views[heart.view(Lengths)]);
  if (heart.has(Bias))
    pairs(heart.view(Bias), S::Bias);
  if (heart.has(Mask))
    pairs(heart.view(Mask), S::Mask);
  strip(Relative, S::Relative);
  strip(Factors, S::Factors);
}

/// The result's own extents; a strip is one row, which pairs walk by +1 a query and -1 a key from entry Tk - 1 on.
void SlotFiller::biasGradient(BiasGradient of) {
  int64_t view = heart.result(0);
  Layout to = layout(view);
  Dim one = Dim::constant(1);
  for (int64_t slot = S::DBiasBatches; slot <= S::DBiasColumns; ++slot)
    set(slot, one);
  if (of == BiasGradient::Bias) {
    pairs(view, S::DBias);
    for (int64_t axis = 0, rank = to.sizes.size(); axis < rank; ++axis)
      set(S::DBiasColumns - axis, to.sizes[rank - 1 - axis]);
    return;
  }
  slots[S::DBias] = pointerTo(views[view]);
  set(S::DBiasHead, strideOf(to, 0));
  set(S::DBiasHeads, to.sizes[0]), set(S::DBiasColumns, to.sizes[1]);
}

std::vector<Slot> fillAttention(plan::KernelOp kernel, plan::LaunchOp launch) {
  AttentionKernel heart(kernel);
  std::optional<BiasGradient> of = heart.gradientOf();
  SlotFiller filler(heart, launch, heart.isForward() ? S::ForwardCount : of ? S::BiasBackwardCount : S::BackwardCount);
  filler.inputs();
  if (heart.isForward())
    return std::move(filler.slots);
  filler.tensor(heart.view(Cotangent), S::DO, S::DOBatch);
  if (of) {
    filler.biasGradient(*of);
    return std::move(filler.slots);
  }
  filler.tensor(heart.result(0), S::DQ, S::DQBatch);
  filler.tensor(heart.result(1), S::DK, S::DKBatch);
  filler.tensor(heart.result(2), S::DV, S::DVBatch);
  return std::move(filler.slots);
}

} // namespace nacre::cpu
