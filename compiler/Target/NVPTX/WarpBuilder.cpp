// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/WarpBuilder.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nacre::nvptx {

static constexpr unsigned kGlobalSpace = 1, kSharedSpace = 3;

/// A thread alone: one lane, no registers of vectors.
static const cpu::Level threadLevel = {"thread", "", "", 1, 0, 0, 0};

static LLVM::GlobalOp sharedMemory(OpBuilder &builder, ModuleOp module) {
  if (auto found = module.lookupSymbol<LLVM::GlobalOp>(kSharedName))
    return found;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  Type bytes = LLVM::LLVMArrayType::get(builder.getI8Type(), 0);
  return LLVM::GlobalOp::create(builder, module.getLoc(), bytes, /*isConstant=*/false, LLVM::Linkage::External, kSharedName, Attribute(),
                                kSharedAlignment, kSharedSpace);
}

WarpBuilder::WarpBuilder(const OpBuilder &builder, Location loc, ModuleOp module) : VectorBuilder(builder, loc, threadLevel) {
  sharedBase = LLVM::AddressOfOp::create(op, sharedMemory(op, module));
  Value index = NVVM::ThreadIdXOp::create(op, i32());
  threadIndex = arith::ExtUIOp::create(op, i64(), index);
}

Type WarpBuilder::space(unsigned number) { return LLVM::LLVMPointerType::get(op.getContext(), number); }

// Integers.

Value WarpBuilder::differ(Value a, Value b) { return arith::XOrIOp::create(op, a, b); }
Value WarpBuilder::clamp(Value a, int64_t lower, int64_t upper) { return max(min(a, integer(upper)), integer(lower)); }
Value WarpBuilder::isMultiple(Value a, int64_t of) {
  Value rest = arith::AndIOp::create(op, a, integer(of - 1));
  return equal(rest, integer(0));
}

// Memory.

Value WarpBuilder::shared() { return sharedBase; }
Value WarpBuilder::byteAt(Value pointer, Value offset) {
  return LLVM::GEPOp::create(op, pointer.getType(), op.getI8Type(), pointer, ValueRange{offset});
}
Value WarpBuilder::byteAt(Value pointer, int64_t offset) { return offset == 0 ? pointer : byteAt(pointer, integer(offset)); }
Value WarpBuilder::toGlobal(Value pointer) { return LLVM::AddrSpaceCastOp::create(op, space(kGlobalSpace), pointer); }
Value WarpBuilder::elementAt(Value pointer, Value offset) {
  return LLVM::GEPOp::create(op, pointer.getType(), f32(), pointer, ValueRange{offset});
}
Value WarpBuilder::addressOf(Value pointer) { return LLVM::PtrToIntOp::create(op, i64(), pointer); }

static unsigned bytesOf(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.getNumElements() * vector.getElementTypeBitWidth() / 8;
  return type.getIntOrFloatBitWidth() / 8;
}
Value WarpBuilder::loadAs(Type type, Value pointer) { return LLVM::LoadOp::create(op, type, pointer, bytesOf(type)); }
void WarpBuilder::storeTo(Value value, Value pointer) { LLVM::StoreOp::create(op, value, pointer, bytesOf(value.getType())); }

Value WarpBuilder::element(Value vector, int64_t index) { return vector::ExtractOp::create(op, vector, index); }
Value WarpBuilder::pack(llvm::ArrayRef<Value> elements) {
  auto type = VectorType::get({static_cast<int64_t>(elements.size())}, elements.front().getType());
  return vector::FromElementsOp::create(op, type, elements);
}

// Copies.

void WarpBuilder::copyAsync(Value target, Value source, int64_t bytes, Value present) {
  // Lines that threads of other blocks read too go through L2 alone; single elements share theirs in L1.
  auto cache = bytes == 16 ? NVVM::LoadCacheModifierKind::CG : NVVM::LoadCacheModifierKind::CA;
  NVVM::CpAsyncOp::create(op, target, source, static_cast<uint32_t>(bytes), cache, truncate(present));
}
void WarpBuilder::commitCopies() { NVVM::CpAsyncCommitGroupOp::create(op); }
void WarpBuilder::awaitCopies(int64_t groups) { NVVM::CpAsyncWaitGroupOp::create(op, static_cast<uint32_t>(groups)); }
void WarpBuilder::barrier() { NVVM::BarrierOp::create(op); }

// Tensor cores.

/// The members of a struct of `count` equal ones.
static Values members(WarpBuilder &b, Value aggregate, int64_t count) {
  Values values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(LLVM::ExtractValueOp::create(b.op, aggregate, i));
  return values;
}

Values WarpBuilder::loadMatrices(Value row, bool transposed) {
  Type four = LLVM::LLVMStructType::getLiteral(op.getContext(), llvm::SmallVector<Type>(4, i32()));
  auto layout = transposed ? NVVM::MMALayout::col : NVVM::MMALayout::row;
  Value loaded = NVVM::LdMatrixOp::create(op, four, row, 4u, layout, NVVM::LdStMatrixShapeAttr::get(op.getContext(), 8, 8),
                                          NVVM::LdStMatrixEltType::B16);
  return members(*this, loaded, 4);
}

Values WarpBuilder::multiply(TensorNumber number, llvm::ArrayRef<Value> a, llvm::ArrayRef<Value> b, llvm::ArrayRef<Value> sums) {
  bool isTf32 = number == TensorNumber::Tf32;
  auto type = isTf32 ? NVVM::MMATypes::tf32 : NVVM::MMATypes::bf16;
  Type four = LLVM::LLVMStructType::getLiteral(op.getContext(), llvm::SmallVector<Type>(4, f32()));
  Value result = NVVM::MmaOp::create(op, four, a, b, sums, llvm::SmallVector<int64_t>{16, 8, isTf32 ? 8 : 16}, std::nullopt, std::nullopt,
                                     std::array<NVVM::MMATypes, 2>{type, type},
                                     std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row, NVVM::MMALayout::col});
  return members(*this, result, 4);
}

Value WarpBuilder::toTf32(Value number) {
  if (number.getType() != f32())
    number = arith::BitcastOp::create(op, f32(), number);
  return NVVM::ConvertFloatToTF32Op::create(op, i32(), number, NVVM::FPRoundingMode::RNA);
}

Value WarpBuilder::toBf16(Value quad) {
  Type bf16 = op.getBF16Type();
  Values words;
  for (int64_t i = 0; i < 4; i += 2) {
    Value narrow = arith::TruncFOp::create(op, VectorType::get({2}, bf16), pack({element(quad, i), element(quad, i + 1)}));
    words.push_back(element(LLVM::BitcastOp::create(op, VectorType::get({1}, i32()), narrow), 0));
  }
  return pack(words);
}

} // namespace nacre::nvptx
