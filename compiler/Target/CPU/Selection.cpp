// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Selection.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;

namespace nacre::cpu {

using arith::CmpFPredicate;
using arith::CmpIPredicate;

static constexpr int32_t kLowestKey = static_cast<int32_t>(0x807fffff); // of -inf
static constexpr int32_t kNoKey = std::numeric_limits<int32_t>::min();   // of a lane that does not exist

static Value integerLike(VectorBuilder &b, Value value, int32_t constant) {
  return isa<VectorType>(value.getType()) ? b.splatInteger(constant)
                                          : Value(arith::ConstantOp::create(b.op, b.op.getI32IntegerAttr(constant)));
}

Value emitKey(VectorBuilder &b, Value x, bool byMagnitude) {
  Value bits = b.bitsOf(b.addf(x, b.like(x, 0.0))); // -0 becomes 0
  Value magnitude = integerLike(b, x, 0x7fffffff), key;
  if (byMagnitude) {
    key = b.both(bits, magnitude);
  } else {
    Value sign = arith::ShRSIOp::create(b.op, bits, integerLike(b, x, 31));
    key = arith::XOrIOp::create(b.op, bits, b.both(sign, magnitude));
  }
  return b.select(b.compareFloat(CmpFPredicate::UNO, x, x), integerLike(b, x, kLowestKey), key);
}

Value emitValueOfKey(VectorBuilder &b, Value key) {
  Value sign = arith::ShRSIOp::create(b.op, key, integerLike(b, key, 31));
  Value bits = arith::XOrIOp::create(b.op, key, b.both(sign, integerLike(b, key, 0x7fffffff)));
  return arith::BitcastOp::create(b.op, b.f32(), bits);
}

/// Calls `body` with the position, the mask, the values and the keys of every vector of the list, carrying `initial`.
static Values scan(VectorBuilder &b, const Candidates &list, llvm::ArrayRef<Value> initial,
                   llvm::function_ref<Values(Value position, Value mask, Value x, Value keys, llvm::ArrayRef<Value> carried)> body) {
  Value tail = b.rem(list.count, b.lanes()), whole = b.sub(list.count, tail);
  Value everywhere = b.mask(b.integer(b.lanes()));
  Values carried = b.loop(b.integer(0), whole, b.lanes(), initial, [&](Value position, llvm::ArrayRef<Value> state) {
    Value x = b.load(b.at(list.values, position));
    return body(position, everywhere, x, emitKey(b, x, list.byMagnitude), state);
  });
  return b.ifElse(
      b.less(b.integer(0), tail), llvm::to_vector(ValueRange(carried).getTypes()),
      [&] {
        Value mask = b.mask(tail), x = b.load(b.at(list.values, whole), mask);
        return body(whole, mask, x, b.select(mask, emitKey(b, x, list.byMagnitude), b.splatInteger(kNoKey)), carried);
      },
      [&] { return carried; });
}

static Value countKeys(VectorBuilder &b, const Candidates &list, CmpIPredicate predicate, Value key) {
  Value limit = b.broadcast(key);
  return scan(b, list, b.integer(0), [&](Value, Value, Value, Value keys, llvm::ArrayRef<Value> count) {
    return Values{b.add(count[0], b.countTrue(b.compare(predicate, keys, limit)))};
  })[0];
}

static Value maximumKey(VectorBuilder &b, const Candidates &list) {
  Value none = b.splatInteger(kNoKey);
  return b.maximumInteger(scan(b, list, none, [&](Value, Value, Value, Value keys, llvm::ArrayRef<Value> best) {
    return Values{b.max(best[0], keys)};
  })[0]);
}

/// The position of the `number`-th (from 1) element whose key is `key`; it must exist.
static Value positionOf(VectorBuilder &b, const Candidates &list, Value key, Value number) {
  Value limit = b.broadcast(key);
  auto equalAt = [&](Value position) {
    Value mask = b.mask(b.sub(list.count, position)), x = b.load(b.at(list.values, position), mask);
    return b.both(mask, b.compare(CmpIPredicate::eq, emitKey(b, x, list.byMagnitude), limit));
  };
  Values found = b.repeat(
      {b.integer(0), number}, [&](llvm::ArrayRef<Value> at) { return b.less(b.countTrue(equalAt(at[0])), at[1]); },
      [&](llvm::ArrayRef<Value> at) { return Values{b.add(at[0], b.lanes()), b.sub(at[1], b.countTrue(equalAt(at[0])))}; });
  // The lane: clear the lowest set bit until the one that is looked for is the lowest.
  Value bits = arith::ExtUIOp::create(b.op, b.i64(),
                                      LLVM::BitcastOp::create(b.op, b.op.getIntegerType(static_cast<unsigned>(b.lanes())), equalAt(found[0])));
  bits = b.loop(b.integer(1), found[1], 1, bits, [&](Value, llvm::ArrayRef<Value> rest) {
    return Values{b.both(rest[0], b.add(rest[0], -1))};
  })[0];
  return b.add(found[0], Value(math::CountTrailingZerosOp::create(b.op, bits)));
}

Cut emitCut(VectorBuilder &b, const Candidates &list, Value k) {
  Value best = b.extend(maximumKey(b, list));
  // At least k keys reach `low`, fewer reach `high`.
  Value low = b.select(b.equal(k, b.integer(1)), best, b.integer(kLowestKey));
  Values range = b.repeat(
      {low, b.add(best, 1), list.count},
      [&](llvm::ArrayRef<Value> r) {
        return b.both(b.less(b.add(r[0], 1), r[1]), b.compare(CmpIPredicate::ne, r[2], k));
      },
      [&](llvm::ArrayRef<Value> r) {
        Value middle = arith::ShRSIOp::create(b.op, b.add(r[0], r[1]), b.integer(1));
        Value count = countKeys(b, list, CmpIPredicate::sge, b.truncate(middle)), enough = b.less(b.add(k, -1), count);
        return Values{b.select(enough, middle, r[0]), b.select(enough, r[1], middle), b.select(enough, count, r[2])};
      });
  Value key = b.truncate(range[0]);
  Value last = b.ifElse(
      b.equal(range[2], k), b.i64(), [&] { return Values{list.count}; },
      [&] { return Values{positionOf(b, list, key, b.sub(k, countKeys(b, list, CmpIPredicate::sgt, key)))}; })[0];
  return {key, last};
}

Value emitKept(VectorBuilder &b, const Candidates &list, const Cut &cut, bool dropZeros, Value values, Value indices) {
  Value key = b.broadcast(cut.key), last = b.broadcast(b.truncate(cut.last));
  return scan(b, list, b.integer(0), [&](Value position, Value mask, Value x, Value keys, llvm::ArrayRef<Value> count) {
    Value place = arith::AddIOp::create(b.op, b.iota(), b.broadcast(b.truncate(position)));
    Value tied = b.both(b.compare(CmpIPredicate::eq, keys, key), b.compare(CmpIPredicate::sle, place, last));
    Value stays = b.both(mask, b.either(b.compare(CmpIPredicate::sgt, keys, key), tied));
    if (dropZeros)
      stays = b.both(stays, b.compareFloat(CmpFPredicate::UNE, x, b.splat(0)));
    Value index = list.indices ? b.loadInts(b.at(list.indices, position), mask) : place;
    b.ifThen(b.any(stays), [&] {
      b.compress(x, b.at(values, count[0]), stays);
      b.compress(index, b.at(indices, count[0]), stays);
    });
    return Values{b.add(count[0], b.countTrue(stays))};
  })[0];
}

namespace {
struct Entry {
  Value value, key, index;
};
} // namespace

/// Shell's sort: short, in place, and good enough for lists that were chosen to be short.
void emitRank(VectorBuilder &b, Value values, Value indices, Value count, bool byMagnitude) {
  auto entryAt = [&](Value i) {
    Value value = b.loadScalar(b.at(values, i));
    return Entry{value, emitKey(b, value, byMagnitude), b.loadIntScalar(b.at(indices, i))};
  };
  auto put = [&](Value i, Value value, Value index) {
    b.storeScalar(value, b.at(values, i));
    b.storeScalar(index, b.at(indices, i));
  };
  b.repeat(
      b.div(count, 2), [&](llvm::ArrayRef<Value> gap) { return b.less(b.integer(0), gap[0]); },
      [&](llvm::ArrayRef<Value> gaps) {
        Value gap = gaps[0];
        b.loop(gap, count, 1, [&](Value i) {
          Entry moved = entryAt(i);
          auto isBefore = [&](llvm::ArrayRef<Value> at) {
            Entry other = entryAt(b.max(b.sub(at[0], gap), b.integer(0)));
            Value tied = b.both(b.equal(moved.key, other.key), b.less(moved.index, other.index));
            Value better = b.either(b.less(other.key, moved.key), tied);
            return b.both(b.less(b.add(gap, -1), at[0]), better);
          };
          Value place = b.repeat(i, isBefore, [&](llvm::ArrayRef<Value> at) {
            Entry other = entryAt(b.sub(at[0], gap));
            put(at[0], other.value, other.index);
            return Values{b.sub(at[0], gap)};
          })[0];
          put(place, moved.value, moved.index);
        });
        return Values{b.div(gap, 2)};
      });
}

void emitUnused(VectorBuilder &b, Value values, Value indices, Value first, Value end, Value unused) {
  Value index = b.broadcast(b.truncate(unused));
  b.loop(first, end, b.lanes(), [&](Value slot) {
    Value mask = b.mask(b.sub(end, slot));
    b.store(b.splat(0), b.at(values, slot), mask);
    b.store(index, b.at(indices, slot), mask);
  });
}

KernelInfo emitSelect(ModuleOp module, llvm::StringRef name, const Level &level, const SelectSpec &spec) {
  using S = SelectSlots;
  auto [target, builder] = createKernel(module, name, level);
  VectorBuilder b = builder;
  auto slot = [&, slots = target.slots](int64_t index) { return b.slotInteger(slots, index); };
  Value x = b.slotPointer(target.slots, S::X), outValues = b.slotPointer(target.slots, S::Values);
  Value outIndices = b.slotPointer(target.slots, S::Indices), columns = slot(S::Columns), grain = slot(S::RowGrain);
  Value chosen = b.min(slot(S::K), columns);
  Value first = b.mul(target.begin, grain), end = b.min(b.mul(target.end, grain), slot(S::Rows));
  b.loop(first, end, 1, [&](Value row) {
    Value values = b.at(outValues, b.mul(row, slot(S::ValuesRow))), indices = b.at(outIndices, b.mul(row, slot(S::IndicesRow)));
    Candidates list{b.at(x, b.mul(row, slot(S::XRow))), nullptr, columns, spec.byMagnitude};
    Value kept = b.ifElse(
        b.less(b.integer(0), chosen), b.i64(),
        [&] { return Values{emitKept(b, list, emitCut(b, list, chosen), !spec.rank, values, indices)}; },
        [&] { return Values{b.integer(0)}; })[0];
    if (spec.rank)
      emitRank(b, values, indices, kept, spec.byMagnitude);
    emitUnused(b, values, indices, kept, slot(S::K), columns);
  });
  KernelInfo info;
  info.function = target.function;
  info.tasks = {{S::Rows, 1, S::RowGrain}};
  info.slotCount = S::Count;
  return info;
}

} // namespace nacre::cpu
