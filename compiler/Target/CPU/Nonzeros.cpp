// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Nonzeros.h"

using namespace mlir;

namespace nacre::cpu {

using arith::CmpFPredicate;
using arith::CmpIPredicate;

KernelInfo emitNonzeros(ModuleOp module, llvm::StringRef name, const Level &level) {
  using S = NonzerosSlots;
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  auto integer = [&, slots = kernel.slots](int64_t slot) { return b.slotInteger(slots, slot); };
  auto pointer = [&, slots = kernel.slots](int64_t slot) { return b.slotPointer(slots, slot); };
  Value rows = integer(S::Rows), columns = integer(S::Columns), limit = integer(S::Limit);
  Value values = pointer(S::Values), indices = pointer(S::Indices), rowList = pointer(S::RowList);
  b.loop(kernel.begin, kernel.end, 1, [&](Value) {
    Value found = b.loop(b.integer(0), rows, 1, b.integer(0), [&](Value row, llvm::ArrayRef<Value> before) {
      Value x = b.at(pointer(S::X), b.mul(row, integer(S::XRow))), rowNumber = b.broadcast(b.truncate(row));
      return b.loop(b.integer(0), columns, b.lanes(), before, [&](Value column, llvm::ArrayRef<Value> count) {
        Value mask = b.mask(b.sub(columns, column)), lanes = b.load(b.at(x, column), mask);
        Value isHeld = b.both(mask, b.compareFloat(CmpFPredicate::UNE, lanes, b.splat(0)));
        Value after = b.add(count[0], b.countTrue(isHeld));
        b.ifThen(b.both(b.any(isHeld), b.compare(CmpIPredicate::sle, after, limit)), [&] {
          b.compress(lanes, b.at(values, count[0]), isHeld);
          b.compress(b.add(b.iota(), b.broadcast(b.truncate(column))), b.at(indices, count[0]), isHeld);
          b.compress(rowNumber, b.at(rowList, count[0]), isHeld);
        });
        return Values{after};
      });
    })[0];
    b.storeScalar(b.truncate(found), pointer(S::Report));
    b.loop(found, limit, b.lanes(), [&](Value slot) {
      Value mask = b.mask(b.sub(limit, slot));
      b.store(b.splat(0), b.at(values, slot), mask);
      b.store(b.broadcast(b.truncate(columns)), b.at(indices, slot), mask);
      b.store(b.broadcast(b.truncate(rows)), b.at(rowList, slot), mask);
    });
  });
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{S::One, 1}};
  info.slotCount = S::Count;
  return info;
}

KernelInfo emitCheckedIds(ModuleOp module, llvm::StringRef name, const Level &level) {
  using S = CheckedIdsSlots;
  auto [kernel, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  Value ids = b.slotPointer(kernel.slots, S::Ids), output = b.slotPointer(kernel.slots, S::Output);
  Value length = b.slotInteger(kernel.slots, S::Length), limit = b.slotInteger(kernel.slots, S::Limit);
  Value report = b.slotPointer(kernel.slots, S::Report);
  b.loop(kernel.begin, kernel.end, 1, [&](Value) {
    Value outside = b.loop(b.integer(0), length, 1, b.integer(0), [&](Value i, llvm::ArrayRef<Value> before) {
      Value id = b.extend(b.loadIntScalar(b.at(ids, i)));
      Value inside = b.max(b.min(id, limit), b.integer(0));
      b.storeScalar(b.truncate(inside), b.at(output, i));
      Value isFirst = b.both(b.equal(before[0], b.integer(0)), b.compare(CmpIPredicate::ne, id, inside));
      return Values{b.select(isFirst, id, before[0])};
    })[0];
    b.storeScalar(b.truncate(outside), report);
  });
  KernelInfo info;
  info.function = kernel.function;
  info.tasks = {{S::One, 1}};
  info.slotCount = S::Count;
  return info;
}

} // namespace nacre::cpu
