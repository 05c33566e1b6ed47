// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/DeviceEntry.h"

#include "compiler/Target/CPU/VectorBuilder.h"
#include "compiler/Target/NVPTX/Warp.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nacre::nvptx {
namespace {

constexpr int64_t kWordBytes = 8;
/// What an entry carries until it is in the LLVM dialect: threads of a block, and words of the parameter.
constexpr llvm::StringLiteral kEntryThreads = "nacre.threads", kEntryWords = "nacre.words";

class EntryEmitter {
public:
  EntryEmitter(cpu::VectorBuilder b, Value launch, const BlockShape &shape) : b(std::move(b)), launch(launch), shape(shape) {}
  void emit(func::FuncOp kernel, int64_t scratchBytes);

private:
  Value word(LaunchWord which) { return b.slotInteger(launch, which); }
  Value mayRun();
  Value special(Value value) { return arith::ExtUIOp::create(b.op, b.i64(), value); }
  void meet();

  cpu::VectorBuilder b;
  Value launch;
  BlockShape shape;
};

/// No check has failed, and every guard is as its lowest bit says.
Value EntryEmitter::mayRun() {
  Value code = b.loadIntScalar(b.slotPointer(launch, WordStatus));
  Value fine = b.equal(code, arith::ConstantOp::create(b.op, b.op.getI32IntegerAttr(0)));
  Value guards = b.atByte(launch, WordGuards * kWordBytes);
  return b.loop(b.integer(0), word(WordGuardCount), 1, fine, [&](Value i, llvm::ArrayRef<Value> carried) {
    Value guard = b.loadInteger(guards, i), one = b.integer(1);
    Value address = arith::SubIOp::create(b.op, guard, b.both(guard, one));
    Value bits = b.loadIntScalar(LLVM::IntToPtrOp::create(b.op, b.pointer(), address));
    Value holds = b.compare(arith::CmpIPredicate::ne, bits, arith::ConstantOp::create(b.op, b.op.getI32IntegerAttr(0)));
    return cpu::Values{b.both(carried[0], b.equal(arith::ExtUIOp::create(b.op, b.i64(), holds), b.both(guard, one)))};
  })[0];
}

/// A worker's next task may write what this one reads.
void EntryEmitter::meet() {
  if (shape.workers == 1)
    NVVM::Barrier0Op::create(b.op);
  else
    synchronizeLanes(b.op, b.op.getLoc());
}

void EntryEmitter::emit(func::FuncOp kernel, int64_t scratchBytes) {
  Value block = special(NVVM::BlockIdXOp::create(b.op, b.i32())), blocks = special(NVVM::GridDimXOp::create(b.op, b.i32()));
  Value thread = special(NVVM::ThreadIdXOp::create(b.op, b.i32()));
  Value worker = shape.workers == 1 ? block : b.add(b.mul(block, shape.workers), b.div(thread, kWarpLanes));
  Value step = b.mul(blocks, shape.workers), slots = b.atByte(launch, WordSlots * kWordBytes);
  b.ifThen(mayRun(), [&] {
    Value place = b.mul(worker, scratchBytes);
    Value scratch = LLVM::GEPOp::create(b.op, b.pointer(), b.op.getI8Type(), b.slotPointer(launch, WordScratch), ValueRange{place});
    auto loop = scf::ForOp::create(b.op, worker, word(WordTasks), step);
    OpBuilder::InsertionGuard guard(b.op);
    b.op.setInsertionPointToStart(loop.getBody());
    Value task = loop.getInductionVar();
    func::CallOp::create(b.op, kernel, ValueRange{task, b.add(task, 1), slots, scratch});
    meet();
  });
}

} // namespace

func::FuncOp addDeviceEntry(func::FuncOp kernel, llvm::StringRef name, const BlockShape &shape, int64_t slotCount, int64_t scratchBytes) {
  OpBuilder builder(kernel);
  builder.setInsertionPointAfter(kernel);
  Location loc = kernel.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  auto entry = func::FuncOp::create(builder, loc, name, builder.getFunctionType({pointer}, {}));
  Block *body = entry.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  builder.setInsertionPoint(func::ReturnOp::create(builder, loc));
  EntryEmitter(cpu::VectorBuilder(builder, loc, warpLevel()), entry.getArgument(0), shape).emit(kernel, scratchBytes);
  entry->setAttr(kEntryThreads, builder.getI32IntegerAttr(static_cast<int32_t>(shape.threads)));
  entry->setAttr(kEntryWords, builder.getI64IntegerAttr(WordSlots + slotCount));
  kernel.setPrivate();
  kernel->setAttr("passthrough", builder.getStrArrayAttr({"alwaysinline", "nounwind"}));
  return entry;
}

/// The parameter is by value. One block a multiprocessor is promised, or the assembler would aim at two and spill.
void finishDeviceEntry(LLVM::LLVMFuncOp entry) {
  auto threads = entry->getAttrOfType<IntegerAttr>(kEntryThreads), words = entry->getAttrOfType<IntegerAttr>(kEntryWords);
  if (!threads)
    return;
  Builder b(entry.getContext());
  entry->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), b.getUnitAttr());
  entry->setAttr(NVVM::NVVMDialect::getMaxntidAttrName(), b.getDenseI32ArrayAttr({static_cast<int32_t>(threads.getInt())}));
  entry->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), b.getI32IntegerAttr(1));
  entry.setArgAttr(0, LLVM::LLVMDialect::getByValAttrName(), TypeAttr::get(LLVM::LLVMArrayType::get(b.getI64Type(), words.getInt())));
  entry.setArgAttr(0, LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(kWordBytes));
  entry.setArgAttr(0, NVVM::NVVMDialect::getGridConstantAttrName(), b.getUnitAttr());
  entry->removeAttr(kEntryThreads);
  entry->removeAttr(kEntryWords);
}

} // namespace nacre::nvptx
