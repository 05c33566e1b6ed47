// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a thread of a block can do beyond plain arithmetic: shared memory, asynchronous copies, barriers, matrix instructions.
//
// A kernel written with it runs once in every thread: a value is a thread's own, integers are i64, offsets into shared memory count
// bytes, those into global memory elements of 4 bytes. Barriers and the instructions of a whole warp stand under control flow that
// all their threads share.
#ifndef NACRE_COMPILER_TARGET_NVPTX_WARPBUILDER_H
#define NACRE_COMPILER_TARGET_NVPTX_WARPBUILDER_H

#include "compiler/Target/CPU/VectorBuilder.h"

namespace nacre::nvptx {

using cpu::Type;
using cpu::Value;
using cpu::Values;

inline constexpr int64_t kWarpThreads = 32;

/// The name of a module's dynamic shared memory, aligned to kSharedAlignment bytes.
inline constexpr llvm::StringLiteral kSharedName = "nacre_shared";
inline constexpr int64_t kSharedAlignment = 1024; // what tiles of tensor copies need; any smaller need is served too

/// A number of the tensor cores' operands.
enum class TensorNumber { Tf32, Bf16 };

class WarpBuilder : public cpu::VectorBuilder {
public:
  /// Emits where `builder` stands. The module gets its dynamic shared memory if it has none.
  WarpBuilder(const mlir::OpBuilder &builder, mlir::Location loc, mlir::ModuleOp module);

  // Who: indices of the thread in its block, of its warp in the block, of the thread in its warp.
  Value thread() { return threadIndex; }
  Value warp() { return div(threadIndex, kWarpThreads); }
  Value lane() { return rem(threadIndex, kWarpThreads); }

  // Integers.
  Value differ(Value a, Value b);          // a xor b
  Value clamp(Value a, int64_t lower, int64_t upper);
  Value isMultiple(Value a, int64_t of);   // i1; `of` is a power of two

  // Memory. Loads and stores of a vector are aligned to its size.
  Value shared();                          // where the block's shared memory begins
  Value byteAt(Value pointer, Value offset);
  Value byteAt(Value pointer, int64_t offset);
  Value toGlobal(Value pointer);           // of a plain pointer that is known to point to device memory
  Value elementAt(Value pointer, Value offset); // in global memory
  Value addressOf(Value pointer);          // i64
  Value loadAs(Type type, Value pointer);
  void storeTo(Value value, Value pointer);
  mlir::VectorType quad() { return mlir::VectorType::get({4}, f32()); }
  Value element(Value vector, int64_t index);
  Value pack(llvm::ArrayRef<Value> elements);

  // Copies from global to shared memory that go on while the thread does.
  /// Copies `bytes` (4 or 16), of which those from `present` (i64) on are zeros and are not read.
  void copyAsync(Value target, Value source, int64_t bytes, Value present);
  void commitCopies();                     // those since the last commit form a group
  void awaitCopies(int64_t groups);        // until at most so many groups of this thread are under way
  void barrier();                          // of the block

  // Tensor cores. A product is 16 x 8 sums; lane 4g + t holds sums (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1).
  /// Four 8 x 8 matrices of 16-bit numbers, or 8 x 4 of 32-bit ones: lane 8m + r names row r of matrix m, 16 bytes. i32 of
  /// each matrix: of row g the 4 bytes t; transposed (16-bit numbers): of rows 2t and 2t + 1 number g.
  Values loadMatrices(Value row, bool transposed);
  /// sums + a * b: 16 x 8 times 8 x 8 (tf32), 16 x 16 times 16 x 8 (bf16).
  Values multiply(TensorNumber number, llvm::ArrayRef<Value> a, llvm::ArrayRef<Value> b, llvm::ArrayRef<Value> sums);
  Value toTf32(Value number);              // f32 or its bits -> i32; to nearest, ties away from zero
  Value toBf16(Value quad);                // 4 f32 -> 2 i32; to nearest, ties to even

private:
  Type space(unsigned number);
  Value threadIndex, sharedBase;
};

} // namespace nacre::nvptx

#endif
