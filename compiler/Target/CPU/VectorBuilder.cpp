// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/VectorBuilder.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace nacre::cpu {

static constexpr unsigned elementBytes = 4; // alignment of every access: rows may start anywhere

VectorBuilder::VectorBuilder(const OpBuilder &builder, Location loc, const Level &level) : level(level), op(loc, builder) {}

Type VectorBuilder::pointer() { return LLVM::LLVMPointerType::get(op.getContext()); }
VectorType VectorBuilder::vector(Type element) { return VectorType::get({lanes()}, element); }

// Constants.

Value VectorBuilder::integer(int64_t value) { return arith::ConstantOp::create(op, op.getI64IntegerAttr(value)); }
Value VectorBuilder::boolean(bool value) { return arith::ConstantOp::create(op, op.getBoolAttr(value)); }
Value VectorBuilder::scalar(double value) { return arith::ConstantOp::create(op, op.getF32FloatAttr(value)); }
Value VectorBuilder::splat(double value) {
  return arith::ConstantOp::create(op, DenseElementsAttr::get(vector(f32()), static_cast<float>(value)));
}
Value VectorBuilder::splatInteger(int32_t value) {
  return arith::ConstantOp::create(op, DenseElementsAttr::get(vector(i32()), value));
}
Value VectorBuilder::iota() {
  llvm::SmallVector<int32_t> values(lanes());
  for (int64_t i = 0; i < lanes(); ++i)
    values[i] = static_cast<int32_t>(i);
  return arith::ConstantOp::create(op, DenseElementsAttr::get(vector(i32()), llvm::ArrayRef<int32_t>(values)));
}
Value VectorBuilder::like(Value value, double constant) {
  return isa<VectorType>(value.getType()) ? splat(constant) : scalar(constant);
}

// Integers.

Value VectorBuilder::add(Value a, Value b) { return arith::AddIOp::create(op, a, b); }
Value VectorBuilder::add(Value a, int64_t b) { return b == 0 ? a : add(a, integer(b)); }
Value VectorBuilder::sub(Value a, Value b) { return arith::SubIOp::create(op, a, b); }
Value VectorBuilder::mul(Value a, Value b) { return arith::MulIOp::create(op, a, b); }
Value VectorBuilder::mul(Value a, int64_t b) { return b == 1 ? a : mul(a, integer(b)); }
Value VectorBuilder::div(Value a, Value b) { return arith::DivUIOp::create(op, a, b); }
Value VectorBuilder::div(Value a, int64_t b) { return div(a, integer(b)); }
Value VectorBuilder::rem(Value a, Value b) { return arith::RemUIOp::create(op, a, b); }
Value VectorBuilder::rem(Value a, int64_t b) { return rem(a, integer(b)); }
Value VectorBuilder::ceilDiv(Value a, int64_t b) { return div(add(a, b - 1), b); }
Value VectorBuilder::min(Value a, Value b) { return arith::MinSIOp::create(op, a, b); }
Value VectorBuilder::max(Value a, Value b) { return arith::MaxSIOp::create(op, a, b); }
Value VectorBuilder::compare(arith::CmpIPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(op, predicate, a, b);
}
Value VectorBuilder::less(Value a, Value b) { return compare(arith::CmpIPredicate::slt, a, b); }
Value VectorBuilder::equal(Value a, Value b) { return compare(arith::CmpIPredicate::eq, a, b); }
Value VectorBuilder::both(Value a, Value b) { return arith::AndIOp::create(op, a, b); }
Value VectorBuilder::either(Value a, Value b) { return arith::OrIOp::create(op, a, b); }
Value VectorBuilder::select(Value condition, Value a, Value b) { return arith::SelectOp::create(op, condition, a, b); }
Value VectorBuilder::extend(Value a) { return arith::ExtSIOp::create(op, i64(), a); }
Value VectorBuilder::truncate(Value a) { return arith::TruncIOp::create(op, i32(), a); }
Value VectorBuilder::toFloat(Value a) {
  Type type = isa<VectorType>(a.getType()) ? Type(vector(f32())) : f32();
  return arith::SIToFPOp::create(op, type, a);
}
Value VectorBuilder::bitsOf(Value a) {
  return arith::BitcastOp::create(op, isa<VectorType>(a.getType()) ? Type(vector(i32())) : i32(), a);
}

// Floating point.

Value VectorBuilder::addf(Value a, Value b) { return arith::AddFOp::create(op, a, b); }
Value VectorBuilder::subf(Value a, Value b) { return arith::SubFOp::create(op, a, b); }
Value VectorBuilder::mulf(Value a, Value b) { return arith::MulFOp::create(op, a, b); }
Value VectorBuilder::divf(Value a, Value b) { return arith::DivFOp::create(op, a, b); }
Value VectorBuilder::negf(Value a) { return arith::NegFOp::create(op, a); }
Value VectorBuilder::fma(Value a, Value b, Value c) { return math::FmaOp::create(op, a, b, c); }
Value VectorBuilder::compareFloat(arith::CmpFPredicate predicate, Value a, Value b) {
  return arith::CmpFOp::create(op, predicate, a, b);
}
Value VectorBuilder::maxf(Value a, Value b) { return select(compareFloat(arith::CmpFPredicate::OGT, a, b), a, b); }
Value VectorBuilder::minf(Value a, Value b) { return select(compareFloat(arith::CmpFPredicate::OLT, a, b), a, b); }
Value VectorBuilder::exp(Value a) { return math::ExpOp::create(op, a); }
Value VectorBuilder::exp2(Value a) { return math::Exp2Op::create(op, a); }
Value VectorBuilder::log(Value a) { return math::LogOp::create(op, a); }
Value VectorBuilder::tanh(Value a) { return math::TanhOp::create(op, a); }
Value VectorBuilder::erf(Value a) { return math::ErfOp::create(op, a); }
Value VectorBuilder::sqrt(Value a) { return math::SqrtOp::create(op, a); }

// Vectors.

Value VectorBuilder::broadcast(Value scalar) {
  return vector::BroadcastOp::create(op, vector(scalar.getType()), scalar);
}
Value VectorBuilder::extract(Value vector, int64_t lane) { return vector::ExtractOp::create(op, vector, lane); }
Value VectorBuilder::shuffle(Value a, Value b, llvm::ArrayRef<int64_t> order) {
  return vector::ShuffleOp::create(op, a, b, order);
}

/// Folds the upper half onto the lower one until one lane is left.
static Value foldLanes(VectorBuilder &b, Value value, llvm::function_ref<Value(Value, Value)> combine) {
  for (int64_t half = b.lanes() / 2; half > 0; half /= 2) {
    llvm::SmallVector<int64_t> order(b.lanes());
    for (int64_t i = 0; i < b.lanes(); ++i)
      order[i] = (i + half) % b.lanes();
    value = combine(value, b.shuffle(value, value, order));
  }
  return b.extract(value, 0);
}

Value VectorBuilder::sum(Value vector) {
  return foldLanes(*this, vector, [&](Value a, Value b) { return addf(a, b); });
}
Value VectorBuilder::maximum(Value vector) {
  return foldLanes(*this, vector, [&](Value a, Value b) { return maxf(a, b); });
}
Value VectorBuilder::mask(Value count) {
  Value limit = broadcast(truncate(min(count, integer(lanes()))));
  return compare(arith::CmpIPredicate::slt, iota(), limit);
}
/// The mask as the bits of an integer.
static Value maskBits(VectorBuilder &b, Value mask) {
  return LLVM::BitcastOp::create(b.op, b.op.getIntegerType(static_cast<unsigned>(b.lanes())), mask);
}
Value VectorBuilder::any(Value mask) {
  Value bits = maskBits(*this, mask);
  Value none = arith::ConstantOp::create(op, op.getIntegerAttr(bits.getType(), 0));
  return compare(arith::CmpIPredicate::ne, bits, none);
}
Value VectorBuilder::countTrue(Value mask) {
  return arith::ExtUIOp::create(op, i64(), math::CtPopOp::create(op, maskBits(*this, mask)));
}
Value VectorBuilder::maximumInteger(Value vector) {
  return foldLanes(*this, vector, [&](Value a, Value b) { return max(a, b); });
}

/// Picks 2 of every 4 lanes of both vectors inside each 128-bit group.
static Value shuffleGroups(VectorBuilder &b, Value x, Value y, std::array<int64_t, 4> pick) {
  llvm::SmallVector<int64_t> order;
  for (int64_t group = 0; group < b.lanes(); group += 4)
    for (int64_t p : pick)
      order.push_back(group + (p < 4 ? p : b.lanes() + p - 4));
  return b.shuffle(x, y, order);
}

/// The 4x4 transposes inside the 128-bit groups of four rows.
static std::array<Value, 4> transposeGroups(VectorBuilder &b, llvm::ArrayRef<Value> rows) {
  Value low01 = shuffleGroups(b, rows[0], rows[1], {0, 4, 1, 5}), high01 = shuffleGroups(b, rows[0], rows[1], {2, 6, 3, 7});
  Value low23 = shuffleGroups(b, rows[2], rows[3], {0, 4, 1, 5}), high23 = shuffleGroups(b, rows[2], rows[3], {2, 6, 3, 7});
  return {shuffleGroups(b, low01, low23, {0, 1, 4, 5}), shuffleGroups(b, low01, low23, {2, 3, 6, 7}),
          shuffleGroups(b, high01, high23, {0, 1, 4, 5}), shuffleGroups(b, high01, high23, {2, 3, 6, 7})};
}

/// Concatenates the 128-bit groups start, start + step, ... of `x` and then those of `y`.
static Value pickGroups(VectorBuilder &b, Value x, Value y, int64_t start, int64_t step) {
  llvm::SmallVector<int64_t> order;
  for (int64_t base : {int64_t(0), b.lanes()})
    for (int64_t group = start; group < b.lanes() / 4; group += step)
      for (int64_t lane = 0; lane < 4; ++lane)
        order.push_back(base + 4 * group + lane);
  return b.shuffle(x, y, order);
}

/// Transposes a square of any size in rounds: in each, blocks off the diagonal change places.
static Values transposeInRounds(VectorBuilder &b, Values rows) {
  for (int64_t half = b.lanes() / 2; half > 0; half /= 2) {
    llvm::SmallVector<int64_t> low, high; // of a pair of rows: lanes with and without the bit `half`
    for (int64_t lane = 0; lane < b.lanes(); ++lane) {
      low.push_back(lane & half ? b.lanes() + lane - half : lane);
      high.push_back(lane & half ? b.lanes() + lane : lane + half);
    }
    for (int64_t row = 0; row < b.lanes(); ++row) {
      if (row & half)
        continue;
      Value first = rows[row], second = rows[row + half];
      rows[row] = b.shuffle(first, second, low);
      rows[row + half] = b.shuffle(first, second, high);
    }
  }
  return rows;
}

Values VectorBuilder::transpose(llvm::ArrayRef<Value> rows) {
  if (lanes() > 16)
    return transposeInRounds(*this, Values(rows));
  llvm::SmallVector<std::array<Value, 4>> quads;
  for (int64_t row = 0; row < lanes(); row += 4)
    quads.push_back(transposeGroups(*this, rows.slice(row, 4)));
  Values result(lanes());
  for (int64_t c = 0; c < 4; ++c) {
    if (lanes() == 8) {
      result[c] = pickGroups(*this, quads[0][c], quads[1][c], 0, 2);
      result[4 + c] = pickGroups(*this, quads[0][c], quads[1][c], 1, 2);
      continue;
    }
    for (int64_t parity : {0, 1}) {
      Value top = pickGroups(*this, quads[0][c], quads[1][c], parity, 2);
      Value bottom = pickGroups(*this, quads[2][c], quads[3][c], parity, 2);
      result[4 * parity + c] = pickGroups(*this, top, bottom, 0, 2);
      result[8 + 4 * parity + c] = pickGroups(*this, top, bottom, 1, 2);
    }
  }
  return result;
}

// Memory.

Value VectorBuilder::at(Value pointer, Value offset) {
  return LLVM::GEPOp::create(op, this->pointer(), f32(), pointer, ValueRange{offset});
}
Value VectorBuilder::at(Value pointer, int64_t offset) { return offset == 0 ? pointer : at(pointer, integer(offset)); }
Value VectorBuilder::atByte(Value pointer, int64_t offset) {
  return LLVM::GEPOp::create(op, this->pointer(), op.getI8Type(), pointer, ValueRange{integer(offset)});
}
static Value slotAddress(VectorBuilder &b, Value slots, Value index) {
  return LLVM::GEPOp::create(b.op, b.pointer(), b.i64(), slots, ValueRange{index});
}
Value VectorBuilder::slotInteger(Value slots, int64_t index) { return loadInteger(slots, integer(index)); }
Value VectorBuilder::slotPointer(Value slots, int64_t index) {
  return LLVM::LoadOp::create(op, pointer(), slotAddress(*this, slots, integer(index)), 8);
}
Value VectorBuilder::loadInteger(Value pointer, Value index) {
  return LLVM::LoadOp::create(op, i64(), slotAddress(*this, pointer, index), 8);
}
Value VectorBuilder::load(Value pointer) { return LLVM::LoadOp::create(op, vector(f32()), pointer, elementBytes); }
Value VectorBuilder::load(Value pointer, Value mask) {
  return LLVM::MaskedLoadOp::create(op, vector(f32()), pointer, mask, splat(0), elementBytes);
}
Value VectorBuilder::loadInts(Value pointer, Value mask) {
  return LLVM::MaskedLoadOp::create(op, vector(i32()), pointer, mask, splatInteger(0), elementBytes);
}
Value VectorBuilder::gather(Type element, Value pointer, Value offsets, Value mask) {
  Value places = LLVM::GEPOp::create(op, VectorType::get({lanes()}, this->pointer()), f32(), pointer,
                                     llvm::ArrayRef<LLVM::GEPArg>{offsets});
  Value zero = element.isF32() ? splat(0) : splatInteger(0);
  return LLVM::masked_gather::create(op, vector(element), places, mask, zero, op.getI32IntegerAttr(elementBytes));
}
Value VectorBuilder::loadScalar(Value pointer) { return LLVM::LoadOp::create(op, f32(), pointer, elementBytes); }
Value VectorBuilder::loadIntScalar(Value pointer) { return LLVM::LoadOp::create(op, i32(), pointer, elementBytes); }
Value VectorBuilder::loadBroadcast(Value pointer) { return broadcast(loadScalar(pointer)); }
void VectorBuilder::store(Value vector, Value pointer) { LLVM::StoreOp::create(op, vector, pointer, elementBytes); }
void VectorBuilder::store(Value vector, Value pointer, Value mask) {
  LLVM::MaskedStoreOp::create(op, vector, pointer, mask, elementBytes);
}
void VectorBuilder::storeScalar(Value value, Value pointer) { LLVM::StoreOp::create(op, value, pointer, elementBytes); }
void VectorBuilder::compress(Value vector, Value pointer, Value mask) {
  LLVM::masked_compressstore::create(op, vector, pointer, mask, uint64_t(elementBytes));
}
void VectorBuilder::prefetch(Value pointer) {
  LLVM::Prefetch::create(op, pointer, /*rw=*/0, /*hint: all cache levels*/ 3, /*cache: data*/ 1);
}

// Control.

Values VectorBuilder::loop(Value lower, Value upper, int64_t step, llvm::ArrayRef<Value> initial, LoopBody body) {
  auto loop = scf::ForOp::create(op, lower, upper, integer(step), initial);
  OpBuilder::InsertionGuard guard(op);
  op.setInsertionPointToStart(loop.getBody());
  Values carried(loop.getRegionIterArgs());
  Values next = body(loop.getInductionVar(), carried);
  if (!initial.empty())
    scf::YieldOp::create(op, next);
  return Values(loop.getResults());
}
void VectorBuilder::loop(Value lower, Value upper, int64_t step, llvm::function_ref<void(Value)> body) {
  loop(lower, upper, step, {}, [&](Value iv, llvm::ArrayRef<Value>) {
    body(iv);
    return Values();
  });
}
Values VectorBuilder::repeat(llvm::ArrayRef<Value> initial, llvm::function_ref<Value(llvm::ArrayRef<Value>)> more,
                             llvm::function_ref<Values(llvm::ArrayRef<Value>)> body) {
  auto loop = scf::WhileOp::create(op, ValueRange(initial).getTypes(), ValueRange(initial));
  OpBuilder::InsertionGuard guard(op);
  auto types = llvm::to_vector(ValueRange(initial).getTypes());
  llvm::SmallVector<Location> places(types.size(), op.getLoc());
  Block *before = op.createBlock(&loop.getBefore(), {}, types, places);
  Values carried(before->getArguments());
  Value condition = more(carried);
  scf::ConditionOp::create(op, condition, carried);
  Block *after = op.createBlock(&loop.getAfter(), {}, types, places);
  Values inside(after->getArguments());
  Values next = body(inside);
  scf::YieldOp::create(op, next);
  return Values(loop.getResults());
}

/// Fills one region of a branch, with its terminator.
static void fillRegion(VectorBuilder &b, Region &region, llvm::function_ref<Values()> body) {
  OpBuilder::InsertionGuard guard(b.op);
  Block *block = region.empty() ? &region.emplaceBlock() : &region.front();
  if (block->mightHaveTerminator())
    block->getTerminator()->erase();
  b.op.setInsertionPointToEnd(block);
  Values results = body();
  scf::YieldOp::create(b.op, results);
}

void VectorBuilder::ifThen(Value condition, llvm::function_ref<void()> then) {
  auto branch = scf::IfOp::create(op, condition, /*withElseRegion=*/false);
  fillRegion(*this, branch.getThenRegion(), [&] { return then(), Values(); });
}
void VectorBuilder::ifElse(Value condition, llvm::function_ref<void()> then, llvm::function_ref<void()> otherwise) {
  ifElse(condition, {}, [&] { return then(), Values(); }, [&] { return otherwise(), Values(); });
}
Values VectorBuilder::ifElse(Value condition, llvm::ArrayRef<Type> types, llvm::function_ref<Values()> then,
                             llvm::function_ref<Values()> otherwise) {
  auto branch = scf::IfOp::create(op, types, condition, /*addThenBlock=*/true, /*addElseBlock=*/true);
  fillRegion(*this, branch.getThenRegion(), then);
  fillRegion(*this, branch.getElseRegion(), otherwise);
  return Values(branch.getResults());
}
void VectorBuilder::choose(Value value, llvm::ArrayRef<std::function<void()>> cases) {
  llvm::SmallVector<int64_t> numbers;
  for (size_t i = 0; i < cases.size(); ++i)
    numbers.push_back(static_cast<int64_t>(i));
  Value index = arith::IndexCastOp::create(op, op.getIndexType(), value);
  auto choice = scf::IndexSwitchOp::create(op, TypeRange(), index, numbers, cases.size());
  for (auto [region, body] : llvm::zip(choice.getCaseRegions(), cases))
    fillRegion(*this, region, [&body = body] { return body(), Values(); });
  fillRegion(*this, choice.getDefaultRegion(), [] { return Values(); });
}

// Kernels.

/// LLVM attributes that fix a function's instruction set, whatever machine compiles it.
static ArrayAttr levelAttributes(OpBuilder &builder, const Level &level) {
  llvm::SmallVector<Attribute> attributes = {builder.getStrArrayAttr({"target-cpu", level.cpu}),
                                             builder.getStrArrayAttr({"prefer-vector-width", level.vectorWidth}),
                                             builder.getStringAttr("nounwind")};
  if (!level.features.empty())
    attributes.push_back(builder.getStrArrayAttr({"target-features", level.features}));
  return builder.getArrayAttr(attributes);
}

std::pair<Kernel, VectorBuilder> createKernel(ModuleOp module, llvm::StringRef name, const Level &level) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  Location loc = builder.getUnknownLoc();
  Type integer = builder.getI64Type(), pointer = LLVM::LLVMPointerType::get(builder.getContext());
  auto function = func::FuncOp::create(builder, loc, name, builder.getFunctionType({integer, integer, pointer, pointer}, {}));
  function->setAttr("passthrough", levelAttributes(builder, level));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToEnd(entry);
  builder.setInsertionPoint(func::ReturnOp::create(builder, loc));
  Kernel kernel{function, entry->getArgument(0), entry->getArgument(1), entry->getArgument(2), entry->getArgument(3)};
  return {kernel, VectorBuilder(builder, loc, level)};
}

} // namespace nacre::cpu
