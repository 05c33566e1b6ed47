// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/PackWeights.h"

#include "compiler/Target/CPU/Contract.h"
#include "compiler/Target/CPU/KernelEpilogue.h"
#include "compiler/Target/CPU/Narrow.h"
#include "compiler/Target/CPU/Panel.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace nacre::cpu {

using S = PackSlots;

namespace {

/// A narrow panel is made of f32 ones of so many k, which lie in scratch.
constexpr int64_t kChunk = 256;

/// One task: a group of panels of one matrix.
class PackEmitter {
public:
  PackEmitter(VectorBuilder &builder, const Kernel &kernel, plan::Precision precision)
      : b(builder), kernel(kernel), form(precision, b.level), isNarrow(precision != plan::Precision::F32),
        width(b.level.tileVectors * b.lanes()) {}

  void emit() {
    Value groups = b.ceilDiv(slot(S::Columns), kContractColumns);
    b.loop(kernel.begin, kernel.end, 1, [&](Value task) { emitGroup(b.div(task, groups), b.rem(task, groups)); });
  }

private:
  Value slot(int64_t index) { return b.slotInteger(kernel.slots, index); }

  Value matrixAt(int64_t pointer, Value matrix, int64_t outerStride, int64_t innerStride) {
    Value outer = b.div(matrix, slot(S::BatchInner)), inner = b.rem(matrix, slot(S::BatchInner));
    Value offset = b.add(b.mul(outer, slot(outerStride)), b.mul(inner, slot(innerStride)));
    return b.at(b.slotPointer(kernel.slots, pointer), offset);
  }

  void emitGroup(Value matrix, Value group) {
    Value first = b.mul(group, kContractColumns);
    Value columns = b.min(b.sub(slot(S::Columns), first), b.integer(kContractColumns));
    Value source = b.at(matrixAt(S::Source, matrix, S::SourceOuter, S::SourceInner), b.mul(first, slot(S::Column)));
    Value target = b.at(matrixAt(S::Target, matrix, S::TargetOuter, S::TargetInner), b.mul(first, slot(S::Words)));
    if (isNarrow)
      return b.loop(b.integer(0), columns, width, [&](Value column) {
        Value existing = b.min(b.sub(columns, column), b.integer(width));
        emitNarrowPanel(b.at(source, b.mul(column, slot(S::Column))), existing, b.at(target, b.mul(column, slot(S::Words))));
      });
    Panel panel{source, nullptr, slot(S::Depth), b.integer(width), target, width, width};
    emitPackMatrix(b, panel, slot(S::Step), slot(S::Column), columns, b.integer(0), b.mul(slot(S::Words), width));
  }

  /// Calls `take` for chunks of k, of which `depth` rows lie in scratch, followed by rows of 0.
  void chunks(Value source, Value columns, llvm::function_ref<void(Value k, Value depth)> take) {
    b.loop(b.integer(0), slot(S::Depth), kChunk, [&](Value k) {
      Value depth = b.min(b.sub(slot(S::Depth), k), b.integer(kChunk)), from = b.at(source, b.mul(k, slot(S::Step)));
      Panel panel{from, nullptr, depth, b.integer(width), kernel.scratch, width, width};
      emitPackMatrix(b, panel, slot(S::Step), slot(S::Column), columns, b.integer(0), b.integer(0));
      for (int64_t i = 0; i < 3 * width; i += b.lanes()) // a step has up to 4 values of k
        b.store(b.splat(0), b.at(b.at(kernel.scratch, b.mul(depth, width)), i));
      take(k, depth);
    });
  }

  Value rowAt(Value row, int64_t vector) { return b.load(b.at(b.at(kernel.scratch, b.mul(row, width)), vector)); }

  /// max|x| of every column, as bits, at `head`.
  void measureColumns(Value source, Value columns, Value head) {
    for (int64_t v = 0; v < width; v += b.lanes())
      b.store(b.splatInteger(0), b.at(head, v));
    chunks(source, columns, [&](Value, Value depth) {
      b.loop(b.integer(0), depth, 1, [&](Value row) {
        for (int64_t v = 0; v < width; v += b.lanes()) {
          Value place = b.at(head, v);
          b.store(emitLargest(b, b.bitsOf(b.load(place)), rowAt(row, v)), place);
        }
      });
    });
  }

  /// Every weight of a vector of columns in the word of one step; int8 adds the integers to `sums`.
  Value wordOf(Value row, int64_t vector, Value inverse, Value sums) {
    if (!form.isInt8()) {
      Value even = emitRoundToBf16(b, rowAt(row, vector)), odd = emitRoundToBf16(b, rowAt(b.add(row, 1), vector));
      return arith::OrIOp::create(b.op, odd, arith::ShRUIOp::create(b.op, even, b.splatInteger(16)));
    }
    Value word = b.splatInteger(0), sum = b.bitsOf(b.load(sums));
    for (int64_t i = 0; i < form.depthOfStep(); ++i) {
      Value whole = emitQuantize(b, rowAt(b.add(row, i), vector), inverse);
      sum = b.add(sum, whole);
      Value low = arith::AndIOp::create(b.op, whole, b.splatInteger(0xff));
      word = arith::OrIOp::create(b.op, word, arith::ShLIOp::create(b.op, low, b.splatInteger(static_cast<int32_t>(8 * i))));
    }
    b.store(sum, sums);
    return word;
  }

  void storeWord(Value word, Value place) {
    if (form.bytesOfStep() == 4)
      return b.store(word, place);
    Value half = arith::TruncIOp::create(b.op, b.vector(b.op.getI16Type()), word);
    LLVM::StoreOp::create(b.op, half, place, /*alignment=*/2);
  }

  /// The columns' scales and what their sums begin with; before, these places hold max|x| and the sums of the integers.
  void finishHead(Value head) {
    for (int64_t v = 0; v < width; v += b.lanes()) {
      Value scale = b.at(head, v), begin = b.at(head, width + v);
      b.store(emitScale(b, b.load(scale)), scale);
      b.store(b.mul(b.bitsOf(b.load(begin)), b.splatInteger(form.isDot() ? -128 : 0)), begin);
    }
  }

  void emitNarrowPanel(Value source, Value columns, Value target) {
    if (form.isInt8()) {
      measureColumns(source, columns, target);
      for (int64_t v = 0; v < width; v += b.lanes())
        b.store(b.splatInteger(0), b.at(target, width + v));
    }
    Value numbers = b.at(target, form.headWords() * width);
    chunks(source, columns, [&](Value k, Value depth) {
      b.loop(b.integer(0), depth, form.depthOfStep(), [&](Value row) {
        Value step = b.div(b.add(k, row), form.depthOfStep()), place = b.at(numbers, b.mul(step, form.panelWords(width)));
        for (int64_t v = 0; v < width; v += b.lanes()) {
          Value inverse = form.isInt8() ? emitInverseScale(b, b.load(b.at(target, v))) : Value();
          storeWord(wordOf(row, v, inverse, b.at(target, width + v)), b.at(place, form.panelWords(v)));
        }
      });
    });
    if (form.isInt8())
      finishHead(target);
  }

  VectorBuilder &b;
  const Kernel &kernel;
  NarrowForm form; // without meaning for f32
  bool isNarrow;
  int64_t width; // columns of a panel
};

} // namespace

KernelInfo emitPackWeights(ModuleOp module, llvm::StringRef name, const Level &level, plan::Precision precision) {
  auto [kernel, builder] = createKernel(module, name, level);
  PackEmitter(builder, kernel, precision).emit();
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{S::Batch, 1}, {S::Columns, kContractColumns}};
  info.slotCount = S::Count;
  if (precision != plan::Precision::F32) // a chunk; squares of a transposed one and rows of 0 go beyond it
    info.scratchBytes = 4 * (kChunk + level.lanes) * level.tileVectors * level.lanes;
  return info;
}

std::vector<Slot> fillPackWeights(plan::LaunchOp launch) {
  std::vector<plan::ViewAttr> views = viewsOf(launch);
  Layout from = plan::layoutOf(views[0]), to = plan::layoutOf(views[1]);
  std::vector<Slot> slots(S::Count);
  auto set = [&](int64_t slot, const Dim &value) { slots[slot] = Slot::integer(value); };
  slots[S::Source] = pointerTo(views[0]);
  slots[S::Target] = pointerTo(views[1]);
  set(S::Depth, from.sizes[2]);
  set(S::Columns, from.sizes[3]);
  set(S::Step, from.sizes[2].isOne() ? from.sizes[3] : from.strides[2]);
  set(S::Column, from.strides[3]);
  set(S::Words, to.sizes[2]);
  set(S::Batch, to.sizes[0] * to.sizes[1]);
  set(S::BatchInner, to.sizes[1]);
  set(S::SourceOuter, from.strides[0]);
  set(S::SourceInner, from.strides[1]);
  set(S::TargetOuter, to.strides[0]);
  set(S::TargetInner, to.strides[1]);
  return slots;
}

plan::Precision precisionOf(plan::KernelOp kernel) {
  if (kernel.getAccess().size() < 2)
    return plan::Precision::F32;
  auto access = cast<StringAttr>(kernel.getAccess()[1]).getValue();
  return plan::precisionNamed(access.split(':').first).value_or(plan::Precision::F32);
}

bool isPacked(plan::LaunchOp launch, int64_t operand) {
  int64_t buffer = viewsOf(launch)[operand].getBuffer();
  return buffer >= 0 && launch.getBuffers()[buffer].getDefiningOp<plan::BufferOp>().getSpace() == plan::kPackedSpace;
}

} // namespace nacre::cpu
