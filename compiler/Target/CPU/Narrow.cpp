// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Narrow.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nacre::cpu {

using arith::CmpIPredicate;
using plan::Precision;

NarrowForm::NarrowForm(Precision precision, const Level &level) : precision(precision) {
  dot = isInt8() ? level.hasDotInt8 : level.hasDotBf16;
  depth = isInt8() && dot ? 4 : 2;
  words = !isInt8() && !dot ? 2 : 1; // without the instruction bf16 is computed as f32, and A is kept so
  bytes = isInt8() && !dot ? 2 : 4;
}

//===-- numbers --------------------------------------------------------------------------------------------------------------===//

static Value andBits(VectorBuilder &b, Value x, uint32_t bits) {
  return arith::AndIOp::create(b.op, x, b.splatInteger(static_cast<int32_t>(bits)));
}

Value emitRoundToBf16(VectorBuilder &b, Value x) {
  Value bits = b.bitsOf(x), sixteen = b.splatInteger(16);
  Value odd = andBits(b, arith::ShRUIOp::create(b.op, bits, sixteen), 1);
  Value rounded = andBits(b, b.add(b.add(bits, b.splatInteger(0x7fff)), odd), 0xffff0000u);
  Value isNaN = b.compare(CmpIPredicate::sgt, andBits(b, bits, 0x7fffffff), b.splatInteger(0x7f800000));
  Value quiet = andBits(b, arith::OrIOp::create(b.op, bits, b.splatInteger(0x00400000)), 0xffff0000u);
  Value isTiny = b.equal(andBits(b, rounded, 0x7f800000), b.splatInteger(0));
  return b.select(isNaN, quiet, b.select(isTiny, andBits(b, rounded, 0x80000000u), rounded));
}

Value emitQuantize(VectorBuilder &b, Value x, Value inverse) {
  // Adding 1.5 * 2^23 leaves no bits behind the point: the sum is rounded as it should be, and its lower bits are the integer.
  Value shifted = b.addf(b.mulf(x, inverse), b.splat(12582912.0));
  return b.sub(b.bitsOf(shifted), b.splatInteger(0x4b400000));
}

Value emitLargest(VectorBuilder &b, Value largest, Value x) {
  return arith::MaxSIOp::create(b.op, largest, andBits(b, b.bitsOf(x), 0x7fffffff));
}

Value emitScale(VectorBuilder &b, Value max) { return b.divf(max, b.like(max, 127)); }

Value emitInverseScale(VectorBuilder &b, Value max) {
  Value isZero = b.compareFloat(arith::CmpFPredicate::OEQ, max, b.like(max, 0));
  return b.select(isZero, b.like(max, 0), b.divf(b.like(max, 127), max));
}

//===-- rows of A ------------------------------------------------------------------------------------------------------------===//

void emitStoreNarrow(VectorBuilder &b, const NarrowForm &form, Value x, Value inverse, Value row, Value k) {
  auto store = [&](Value lanes, unsigned bits, int64_t lanesOfWord) {
    Value narrow = arith::TruncIOp::create(b.op, b.vector(b.op.getIntegerType(bits)), lanes);
    LLVM::StoreOp::create(b.op, narrow, b.at(row, b.div(k, lanesOfWord)), /*alignment=*/4);
  };
  if (!form.isInt8() && !form.isDot())
    return b.store(emitRoundToBf16(b, x), b.at(row, k));
  if (!form.isInt8())
    return store(arith::ShRUIOp::create(b.op, emitRoundToBf16(b, x), b.splatInteger(16)), 16, 2);
  Value whole = emitQuantize(b, x, inverse);
  if (form.isDot()) // unsigned: 128 is taken off again by what the column's sum begins with
    return store(b.add(whole, b.splatInteger(128)), 8, 4);
  store(whole, 16, 2);
}

//===-- the inner loop -------------------------------------------------------------------------------------------------------===//

static Value asVector(VectorBuilder &b, Value words, Type element, int64_t count) {
  return vector::BitCastOp::create(b.op, VectorType::get({count}, element), words);
}

static Value call(VectorBuilder &b, llvm::StringRef intrinsic, Type result, llvm::ArrayRef<Value> operands) {
  return LLVM::CallIntrinsicOp::create(b.op, result, b.op.getStringAttr(intrinsic), operands)->getResult(0);
}

namespace {

/// A vector of columns of B in one step, ready to be multiplied.
struct Columns {
  Value even, odd; // bf16 without the instruction; else `even` alone
};

/// One kind of step on one level.
class Step {
public:
  Step(VectorBuilder &builder, const NarrowForm &form) : b(builder), form(form), lanes(builder.lanes()) {}

  Columns load(Value pointer) {
    if (form.isInt8() && !form.isDot()) {
      auto bytes = VectorType::get({2 * lanes}, b.op.getI8Type()), halves = VectorType::get({2 * lanes}, b.op.getI16Type());
      Value narrow = LLVM::LoadOp::create(b.op, bytes, pointer, /*alignment=*/4);
      return {arith::ExtSIOp::create(b.op, halves, narrow), nullptr};
    }
    Value words = b.load(pointer);
    if (form.isInt8())
      return {asVector(b, words, b.op.getI8Type(), 4 * lanes), nullptr};
    if (form.isDot())
      return {asVector(b, words, b.op.getBF16Type(), 2 * lanes), nullptr};
    Value bits = b.bitsOf(words);
    return {asFloat(arith::ShLIOp::create(b.op, bits, b.splatInteger(16))), asFloat(andBits(b, bits, 0xffff0000u))};
  }

  /// The words of a row in this step, in all lanes; `odd` only for bf16 without the instruction.
  Columns broadcast(Value pointer) {
    Value words = b.loadBroadcast(pointer);
    if (!form.isInt8() && !form.isDot())
      return {words, b.loadBroadcast(b.at(pointer, 1))};
    if (!form.isInt8())
      return {asVector(b, words, b.op.getBF16Type(), 2 * lanes), nullptr};
    return {form.isDot() ? asVector(b, words, b.op.getI8Type(), 4 * lanes) : asVector(b, words, b.op.getI16Type(), 2 * lanes), nullptr};
  }

  Value add(Value sum, const Columns &row, const Columns &columns) {
    if (!form.isInt8() && !form.isDot())
      return b.fma(row.even, columns.even, b.fma(row.odd, columns.odd, sum));
    if (!form.isInt8())
      return call(b, "llvm.x86.avx512bf16.dpbf16ps.512", sum.getType(), {sum, row.even, columns.even});
    if (form.isDot())
      return call(b, "llvm.x86.avx512.vpdpbusd.512", sum.getType(), {sum, row.even, columns.even});
    llvm::StringRef multiply = lanes == 16 ? "llvm.x86.avx512.pmaddw.d.512" : "llvm.x86.avx2.pmadd.wd";
    return b.add(sum, call(b, multiply, sum.getType(), {row.even, columns.even}));
  }

private:
  Value asFloat(Value bits) { return arith::BitcastOp::create(b.op, b.vector(b.f32()), bits); }

  VectorBuilder &b;
  const NarrowForm &form;
  int64_t lanes;
};

} // namespace

Values emitNarrowTile(VectorBuilder &b, const NarrowForm &form, llvm::ArrayRef<Value> rows, Value panel, int64_t width, Value steps,
                      int64_t vectors, Values sums) {
  const size_t count = sums.size();
  Step step(b, form);
  sums.push_back(b.integer(0)); // offset in a row of A
  sums.push_back(panel);
  sums = b.loop(b.integer(0), steps, 1, sums, [&](Value, llvm::ArrayRef<Value> carried) {
    Values next(carried);
    llvm::SmallVector<Columns> columns;
    for (int64_t v = 0; v < vectors; ++v)
      columns.push_back(step.load(b.at(carried[count + 1], form.panelWords(v * b.lanes()))));
    for (size_t row = 0; row < rows.size(); ++row) {
      Columns factor = step.broadcast(b.at(rows[row], carried[count]));
      for (int64_t v = 0; v < vectors; ++v)
        next[row * vectors + v] = step.add(next[row * vectors + v], factor, columns[v]);
    }
    next[count] = b.add(carried[count], form.wordsOfStep());
    next[count + 1] = b.at(carried[count + 1], form.panelWords(width));
    return next;
  });
  sums.truncate(count);
  return sums;
}

} // namespace nacre::cpu
