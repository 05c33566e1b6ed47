// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/SynchronizeWarps.h"

#include "compiler/Target/NVPTX/DistributeVectors.h"
#include "compiler/Target/NVPTX/Warp.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nacre::nvptx {
namespace {

/// Accesses since the lanes last met.
struct Accesses {
  bool laneReads = false, laneWrites = false;     // each thread at its own element of a vector
  bool sharedReads = false, sharedWrites = false; // anything else

  void join(const Accesses &other) {
    laneReads |= other.laneReads, laneWrites |= other.laneWrites;
    sharedReads |= other.sharedReads, sharedWrites |= other.sharedWrites;
  }
  bool reads() const { return laneReads || sharedReads; }
  bool writes() const { return laneWrites || sharedWrites; }
};

class Synchronizer {
public:
  Synchronizer(Value slots, bool elementsStay) : slots(slots), elementsStay(elementsStay) {}
  void visit(Block &block, Accesses &open);

private:
  Accesses accessesOf(Operation *op);
  Accesses accessesWithin(Operation *op);
  bool isOfSlots(Value pointer);
  bool conflict(const Accesses &before, const Accesses &after) const;
  void visitRegions(Operation *op, Accesses &open);

  Value slots;
  bool elementsStay;
};

/// Whether a pointer is the slots' plus constants; pointers that were loaded from there are not.
bool Synchronizer::isOfSlots(Value pointer) {
  while (auto gep = pointer.getDefiningOp<LLVM::GEPOp>())
    pointer = gep.getBase();
  return pointer == slots || pointer.getDefiningOp<LLVM::AddressOfOp>();
}

Accesses Synchronizer::accessesOf(Operation *op) {
  Accesses result;
  bool isLane = op->hasAttr(kLaneAccess);
  if (auto load = dyn_cast<LLVM::LoadOp>(op))
    (isLane ? result.laneReads : result.sharedReads) = !isOfSlots(load.getAddr());
  else if (isa<LLVM::StoreOp>(op))
    (isLane ? result.laneWrites : result.sharedWrites) = true;
  return result;
}

Accesses Synchronizer::accessesWithin(Operation *op) {
  Accesses result;
  op->walk([&](Operation *inner) { result.join(accessesOf(inner)); });
  return result;
}

bool Synchronizer::conflict(const Accesses &before, const Accesses &after) const {
  if (!elementsStay)
    return (before.writes() && (after.reads() || after.writes())) || (before.reads() && after.writes());
  bool writesMeet = (before.sharedWrites && (after.reads() || after.writes())) || (before.laneWrites && (after.sharedReads || after.sharedWrites));
  return writesMeet || (before.sharedReads && after.writes()) || (before.laneReads && after.sharedWrites);
}

/// A region that may run again meets what it left open itself.
void Synchronizer::visitRegions(Operation *op, Accesses &open) {
  Accesses after = open;
  bool mayRepeat = isa<LoopLikeOpInterface>(op);
  Accesses inside = accessesWithin(op);
  for (Region &region : op->getRegions())
    for (Block &block : region) {
      Accesses here = open;
      if (mayRepeat)
        here.join(inside);
      visit(block, here);
      after.join(here);
    }
  open = after;
}

void Synchronizer::visit(Block &block, Accesses &open) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    bool isWhole = op.hasAttr(kLaneBranch) || op.getNumRegions() == 0;
    Accesses inside = isWhole ? accessesWithin(&op) : Accesses();
    if (!isWhole) {
      // What a region reads alone meets only what came before it.
      Accesses all = accessesWithin(&op);
      if (all.writes() || !conflict(open, all)) {
        visitRegions(&op, open);
        continue;
      }
      inside = all;
    }
    if (conflict(open, inside)) {
      OpBuilder b(&op);
      synchronizeLanes(b, op.getLoc());
      open = Accesses();
    }
    open.join(inside);
  }
}

} // namespace

void synchronizeWarps(func::FuncOp kernel, Value slots, bool elementsStay) {
  Accesses open;
  Synchronizer(slots, elementsStay).visit(kernel.getBody().front(), open);
}

} // namespace nacre::nvptx
