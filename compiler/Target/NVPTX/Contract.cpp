// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A task of the contraction: find the tile, sum it up, from checkpoint to checkpoint, and pass the sums on.
#include "compiler/Target/NVPTX/Contract.h"

#include "compiler/Target/NVPTX/ContractFold.h"
#include "compiler/Target/NVPTX/ContractRegion.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace nacre::nvptx {

using namespace contract;
using cpu::ContractSpec;
using Slot = cpu::ContractSlots;

static bool usesTensorCores(const ContractSpec &spec, plan::Precision precision) {
  return !spec.words && (precision == plan::Precision::Tf32 || precision == plan::Precision::Bf16);
}

namespace {

class ContractEmitter {
public:
  ContractEmitter(WarpBuilder &b, const cpu::Kernel &kernel, const ContractSpec &spec, plan::Precision precision, const BlockTile &tile,
                  const WarpFold *fold)
      : b(b), kernel(kernel), spec(spec), slots(spec), precision(precision), tile(tile), fold(fold) {}

  void emit();
  int64_t sharedBytes() const { return bytes; }

private:
  Value slot(int64_t index) { return b.slotInteger(kernel.slots, index); }
  Value batchPointer(int64_t pointer, int64_t outerSlot, int64_t innerSlot);
  void findTile(Value task);
  std::unique_ptr<Product> createProduct();
  void emitStore(const SumPlaces &places, llvm::ArrayRef<Value> sums, Value checkpoint);
  void emitTask();
  void emitFold(Value task);

  WarpBuilder &b;
  const cpu::Kernel &kernel;
  const ContractSpec &spec;
  cpu::ContractSlots slots;
  plan::Precision precision;
  BlockTile tile;
  const WarpFold *fold; // null: results are stored
  int64_t bytes = 0;
  Value outer, inner;  // of the matrix at hand
  Value row, column;   // first ones of the tile
};

} // namespace

/// In global memory, at the matrix at hand.
Value ContractEmitter::batchPointer(int64_t pointer, int64_t outerSlot, int64_t innerSlot) {
  Value offset = b.add(b.mul(outer, slot(outerSlot)), b.mul(inner, slot(innerSlot)));
  return b.elementAt(b.toGlobal(b.slotPointer(kernel.slots, pointer)), offset);
}

/// Task -> (matrix, tile). Tiles follow each other down a few blocks of rows, then along the columns: what runs at a time is nearly
/// square, so that both factors are read from L2.
void ContractEmitter::findTile(Value task) {
  Value down = b.ceilDiv(slot(Slot::Rows), tile.rows), across = b.ceilDiv(slot(Slot::Columns), tile.columns);
  Value tiles = b.mul(down, across), matrix = b.div(task, tiles), local = b.rem(task, tiles);
  outer = b.div(matrix, slot(Slot::BatchInner));
  inner = b.rem(matrix, slot(Slot::BatchInner));
  Value inGroup = b.mul(across, kRowGroup), first = b.mul(b.div(local, inGroup), kRowGroup);
  Value rows = b.min(b.sub(down, first), b.integer(kRowGroup)), member = b.rem(local, inGroup);
  row = b.mul(b.add(first, b.rem(member, rows)), tile.rows);
  column = b.mul(b.div(member, rows), tile.columns);
}

std::unique_ptr<Product> ContractEmitter::createProduct() {
  Factor left{batchPointer(Slot::A, Slot::AOuter, Slot::AInner), slot(Slot::ARow), slot(Slot::AStep), row, slot(Slot::Rows), tile.rows};
  Factor right{batchPointer(Slot::B, Slot::BOuter, Slot::BInner), slot(Slot::BColumn), slot(Slot::BStep), column, slot(Slot::Columns),
               tile.columns};
  if (!usesTensorCores(spec, precision))
    return createFusedProduct(b, tile, left, right, spec.words);
  return createTensorProduct(b, tile, left, right, precision == plan::Precision::Bf16 ? TensorNumber::Bf16 : TensorNumber::Tf32);
}

void ContractEmitter::emitStore(const SumPlaces &places, llvm::ArrayRef<Value> sums, Value checkpoint) {
  llvm::SmallVector<cpu::TileMatrix> extras, outputs;
  for (int64_t i = 0; i < static_cast<int64_t>(spec.extras.size()); ++i)
    extras.push_back({batchPointer(slots.extra(i, Slot::ExtraPointer), slots.extra(i, Slot::ExtraOuter), slots.extra(i, Slot::ExtraInner)),
                      slot(slots.extra(i, Slot::ExtraRow)), slot(slots.extra(i, Slot::ExtraColumn))});
  for (int64_t i = 0; i < spec.outputs; ++i)
    outputs.push_back(
        {batchPointer(slots.output(i, Slot::OutputPointer), slots.output(i, Slot::OutputOuter), slots.output(i, Slot::OutputInner)),
         slot(slots.output(i, Slot::OutputRow)), nullptr, slot(slots.output(i, Slot::OutputCheckpoint))});
  Region region{row, b.sub(slot(Slot::Rows), row), column, b.sub(slot(Slot::Columns), column), extras, outputs, checkpoint};
  emitRegion(b, tile, spec, places, sums, region);
}

void ContractEmitter::emitTask() {
  std::unique_ptr<Product> product = createProduct();
  bytes = std::max(product->sharedBytes(), stagedBytes(tile, tile.warpRows()));
  SumPlaces places = product->places();
  if (!spec.checkpoints)
    return emitStore(places, product->add(b.integer(0), slot(Slot::Depth), product->begin()), nullptr);
  Value list = b.slotPointer(kernel.slots, slots.checkpointList());
  Values state = product->begin();
  state.push_back(b.integer(0));
  b.loop(b.integer(0), slot(slots.checkpointCount()), 1, state, [&](Value number, llvm::ArrayRef<Value> carried) {
    Value end = b.loadInteger(list, number);
    Values next = product->add(carried.back(), end, carried.drop_back());
    emitStore(places, next, number);
    next.push_back(end);
    return next;
  });
}

/// A block of rows: each warp folds its share of them, tile after tile.
void ContractEmitter::emitFold(Value task) {
  Value blocks = b.ceilDiv(slot(Slot::Rows), tile.rows), matrix = b.div(task, blocks);
  outer = b.div(matrix, slot(Slot::BatchInner)), inner = b.rem(matrix, slot(Slot::BatchInner));
  row = b.mul(b.rem(task, blocks), tile.rows);
  const int64_t share = tile.rows / kWarps;
  Value local = b.mul(b.warp(), share), first = b.add(row, local), end = b.min(b.add(first, share), slot(Slot::Rows));
  Value state = LLVM::GEPOp::create(b.op, b.pointer(), b.op.getI8Type(), kernel.scratch, ValueRange{b.mul(b.warp(), fold->bytes)});
  Value staged = LLVM::AddrSpaceCastOp::create(b.op, b.pointer(), b.byteAt(b.shared(), b.mul(local, stagedPitch(tile) * 4)));
  Values arguments = {first, end, kernel.slots, state, matrix};
  auto call = [&](func::FuncOp part, llvm::ArrayRef<Value> rest) {
    Values all(arguments);
    all.append(rest.begin(), rest.end());
    func::CallOp::create(b.op, part, all);
  };
  call(fold->begin, {});
  b.loop(b.integer(0), slot(Slot::Columns), tile.columns, [&](Value next) {
    column = next;
    std::unique_ptr<Product> product = createProduct();
    bytes = std::max(product->sharedBytes(), stagedBytes(tile, tile.rows));
    Values sums = product->add(b.integer(0), slot(Slot::Depth), product->begin());
    stageSums(b, tile, product->places(), sums, b.mul(b.div(b.warp(), kWarpColumns), tile.warpRows()));
    b.barrier();
    call(fold->take, {column, b.min(b.sub(slot(Slot::Columns), column), b.integer(tile.columns)), staged});
    b.barrier();
  });
  call(fold->finish, {});
}

void ContractEmitter::emit() {
  b.loop(kernel.begin, kernel.end, 1, [&](Value task) {
    if (fold)
      return emitFold(task);
    findTile(task);
    emitTask();
  });
}

BlockTile tileOf(TileSize size) { return size == TileSize::Large ? BlockTile{128, 128} : BlockTile{64, 64}; }

bool hasDeviceContract(const ContractSpec &spec) {
  return spec.grouping == cpu::Grouping::None && !(spec.fold && spec.fold->kind == cpu::FoldSpec::WeightedSum);
}

BlockKernelInfo emitDeviceContract(ModuleOp module, llvm::StringRef name, const ContractSpec &spec, plan::Precision precision,
                                   TileSize size, const WarpFold *fold) {
  auto [kernel, plain] = cpu::createKernel(module, name, cpu::levels().front());
  kernel.function->removeAttr("passthrough"); // what the CPU level asks of a processor
  WarpBuilder builder(plain.op, module.getLoc(), module);
  BlockTile tile = tileOf(size);
  ContractEmitter emitter(builder, kernel, spec, precision, tile, fold);
  emitter.emit();
  BlockKernelInfo info;
  info.function = kernel.function;
  info.tasks = {{Slot::Batch, 1}, {Slot::Rows, tile.rows}};
  if (!fold)
    info.tasks.push_back({Slot::Columns, tile.columns});
  info.slotCount = cpu::ContractSlots(spec).count();
  info.scratchBytes = fold ? fold->bytes * kWarps : 0;
  info.mostRows = fold ? tile.rows : 0; // a task has no fewer, whatever the slot says
  info.threads = kThreads;
  info.sharedBytes = emitter.sharedBytes();
  return info;
}

} // namespace nacre::nvptx
