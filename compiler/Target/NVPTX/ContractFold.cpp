// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/ContractFold.h"

#include "compiler/Target/CPU/ContractFold.h"
#include "compiler/Target/NVPTX/ContractRegion.h"
#include "compiler/Target/NVPTX/Warp.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace nacre::nvptx {

using cpu::Value;
using Slot = cpu::ContractSlots;

namespace {

/// Writes one of the functions.
class WarpFoldEmitter {
public:
  WarpFoldEmitter(ModuleOp module, const cpu::ContractSpec &spec, const contract::BlockTile &tile)
      : module(module), spec(spec), slots(spec), tile(tile), fold(cpu::contract::createFold(spec, warpLevel())) {}

  /// `body` gets the builder, the rows as a block, their states, and what comes after the matrix.
  using Body = llvm::function_ref<void(cpu::VectorBuilder &b, const cpu::contract::Block &block, Value state, ValueRange rest)>;
  func::FuncOp emit(const Twine &name, llvm::ArrayRef<Type> rest, Body body);
  cpu::contract::TileFold &parts() { return *fold; }

private:
  cpu::contract::Block blockOf(cpu::VectorBuilder &b, const cpu::Kernel &kernel, Value matrix);

  ModuleOp module;
  const cpu::ContractSpec &spec;
  cpu::ContractSlots slots;
  contract::BlockTile tile;
  std::unique_ptr<cpu::contract::TileFold> fold;
};

} // namespace

/// Rows, extras and outputs: all that a fold reads of a block.
cpu::contract::Block WarpFoldEmitter::blockOf(cpu::VectorBuilder &b, const cpu::Kernel &kernel, Value matrix) {
  auto slot = [&](int64_t index) { return b.slotInteger(kernel.slots, index); };
  Value outer = b.div(matrix, slot(Slot::BatchInner)), inner = b.rem(matrix, slot(Slot::BatchInner));
  auto pointer = [&](int64_t index, int64_t outerSlot, int64_t innerSlot) {
    return b.at(b.slotPointer(kernel.slots, index), b.add(b.mul(outer, slot(outerSlot)), b.mul(inner, slot(innerSlot))));
  };
  cpu::contract::Block block;
  block.row = kernel.begin;
  block.rows = b.sub(kernel.end, kernel.begin);
  for (int64_t i = 0; i < static_cast<int64_t>(spec.extras.size()); ++i)
    block.extras.push_back({pointer(slots.extra(i, Slot::ExtraPointer), slots.extra(i, Slot::ExtraOuter), slots.extra(i, Slot::ExtraInner)),
                            slot(slots.extra(i, Slot::ExtraRow)), slot(slots.extra(i, Slot::ExtraColumn))});
  for (int64_t i = 0; i < spec.resultCount(); ++i)
    block.outputs.push_back(
        {pointer(slots.output(i, Slot::OutputPointer), slots.output(i, Slot::OutputOuter), slots.output(i, Slot::OutputInner)),
         slot(slots.output(i, Slot::OutputRow)), nullptr});
  return block;
}

func::FuncOp WarpFoldEmitter::emit(const Twine &name, llvm::ArrayRef<Type> rest, Body body) {
  auto [kernel, b] = cpu::createKernel(module, name.str(), warpLevel());
  func::FuncOp function = kernel.function;
  mlir::Block &entry = function.getBody().front();
  entry.addArgument(b.i64(), function.getLoc());
  for (Type type : rest)
    entry.addArgument(type, function.getLoc());
  function.setFunctionType(FunctionType::get(module.getContext(), entry.getArgumentTypes(), {}));
  body(b, blockOf(b, kernel, entry.getArgument(4)), kernel.scratch, entry.getArguments().drop_front(5));
  function.setPrivate();
  function->setAttr("passthrough", b.op.getStrArrayAttr({"alwaysinline", "nounwind"}));
  return function;
}

WarpFold emitWarpFold(ModuleOp module, llvm::StringRef name, const cpu::ContractSpec &spec, const contract::BlockTile &tile) {
  cpu::ContractSpec ofWarp = spec;
  ofWarp.schedule.rows = tile.rows / contract::kWarps;
  WarpFoldEmitter emitter(module, ofWarp, tile);
  Type i64 = IntegerType::get(module.getContext(), 64), pointer = LLVM::LLVMPointerType::get(module.getContext());
  WarpFold result;
  result.bytes = emitter.parts().bytes();
  result.begin = emitter.emit(name + "_begin", {}, [&](cpu::VectorBuilder &b, const cpu::contract::Block &block, Value state, ValueRange) {
    emitter.parts().begin(b, state, block);
  });
  auto take = [&](cpu::VectorBuilder &b, const cpu::contract::Block &block, Value state, ValueRange rest) {
    const int64_t panel = b.level.tileVectors * b.lanes();
    Value column = rest[0], columns = rest[1], sums = rest[2];
    b.loop(b.integer(0), columns, panel, [&](Value j) {
      cpu::EpilogueRegion region{b.at(sums, j), contract::stagedPitch(tile), block.row, block.rows, b.add(column, j),
                                 b.min(b.sub(columns, j), b.integer(panel))};
      emitter.parts().take(b, state, block, region);
    });
  };
  result.take = emitter.emit(name + "_take", {i64, i64, pointer}, take);
  auto finish = [&](cpu::VectorBuilder &b, const cpu::contract::Block &block, Value state, ValueRange) {
    Value slots = b.op.getInsertionBlock()->getArgument(2); // (begin, end, slots, scratch, ...)
    emitter.parts().finish(b, state, block, b.slotInteger(slots, Slot::Columns));
  };
  result.finish = emitter.emit(name + "_finish", {}, finish);
  return result;
}

} // namespace nacre::nvptx
