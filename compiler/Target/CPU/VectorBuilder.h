// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A thin layer over OpBuilder in which CPU kernels are written: 64-bit integers, f32 and i32 vectors of the level's length,
// bare pointers, loops and branches as lambdas. It emits arith, math, vector and scf for computing and the LLVM dialect for
// memory, decides nothing, and keeps no state but the insertion point.
//
// Tails: a vector at the end of a row is loaded and stored under a mask and computed in full, so that an element's bits never
// depend on where it stands. Elements are 4 bytes wide (f32 or i32); offsets count elements; alignment is that of an element.
#ifndef NACRE_COMPILER_TARGET_CPU_VECTORBUILDER_H
#define NACRE_COMPILER_TARGET_CPU_VECTORBUILDER_H

#include "compiler/Target/CPU/Levels.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <functional>

namespace nacre::cpu {

using mlir::Type;
using mlir::Value;
using Values = llvm::SmallVector<Value>;

class VectorBuilder {
public:
  /// Emits at the insertion point of `builder`, which it copies.
  VectorBuilder(const mlir::OpBuilder &builder, mlir::Location loc, const Level &level);

  const Level &level;
  mlir::ImplicitLocOpBuilder op; // for operations that have no name here

  int64_t lanes() const { return level.lanes; }
  Type i64() { return op.getI64Type(); }
  Type i32() { return op.getI32Type(); }
  Type f32() { return op.getF32Type(); }
  Type pointer();
  mlir::VectorType vector(Type element); // of `lanes()` elements

  // Constants.
  Value integer(int64_t value);       // i64
  Value boolean(bool value);          // i1
  Value scalar(double value);         // f32
  Value splat(double value);          // vector of f32
  Value splatInteger(int32_t value);  // vector of i32
  Value iota();                       // vector of i32: 0, 1, 2, ...
  Value like(Value value, double constant); // an f32 constant of the type of `value` (scalar or vector)

  // 64-bit integers; division is that of non-negative numbers.
  Value add(Value a, Value b);
  Value add(Value a, int64_t b);
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  Value mul(Value a, int64_t b);
  Value div(Value a, Value b);
  Value div(Value a, int64_t b);
  Value rem(Value a, Value b);
  Value rem(Value a, int64_t b);
  Value ceilDiv(Value a, int64_t b);
  Value min(Value a, Value b);
  Value max(Value a, Value b);
  Value compare(mlir::arith::CmpIPredicate predicate, Value a, Value b); // i64 or i32, scalar or vector
  Value less(Value a, Value b);
  Value equal(Value a, Value b);
  Value both(Value a, Value b);   // and of i1, scalar or vector
  Value either(Value a, Value b); // or of i1
  Value select(Value condition, Value a, Value b); // any type
  Value extend(Value a);   // i32 -> i64, signed
  Value truncate(Value a); // i64 -> i32
  Value toFloat(Value a);  // i64 or i32 (scalar or vector) -> f32
  Value bitsOf(Value a);   // f32 -> i32, scalar or vector

  // f32, scalar or vector alike.
  Value addf(Value a, Value b);
  Value subf(Value a, Value b);
  Value mulf(Value a, Value b);
  Value divf(Value a, Value b);
  Value negf(Value a);
  Value fma(Value a, Value b, Value c); // a * b + c, rounded once; scalar or vector
  Value maxf(Value a, Value b);         // one instruction: a > b ? a : b, so b when either is NaN
  Value minf(Value a, Value b);         // a < b ? a : b
  Value compareFloat(mlir::arith::CmpFPredicate predicate, Value a, Value b);
  // Errors and special values of these: ExpandMath.h.
  Value exp(Value a);
  Value exp2(Value a);
  Value log(Value a);
  Value tanh(Value a);
  Value erf(Value a);
  Value sqrt(Value a); // correctly rounded

  // Vectors.
  Value broadcast(Value scalar);          // any element type
  Value extract(Value vector, int64_t lane);
  Value shuffle(Value a, Value b, llvm::ArrayRef<int64_t> lanes);
  Value sum(Value vector);                // f32; halves are added, in an order fixed by the level
  Value maximum(Value vector);            // f32; not for NaN
  Value mask(Value count);                // lanes [0, count) of a vector; count is an i64, may be < 0 or > lanes()
  Value any(Value mask);                  // i1: whether a lane is set
  Value countTrue(Value mask);            // i64
  Value maximumInteger(Value vector);     // of i32
  /// Transposes a square of `lanes()` vectors in registers: result[i][j] = rows[j][i].
  Values transpose(llvm::ArrayRef<Value> rows);

  // Memory. An offset is an i64 that counts 4-byte elements.
  Value at(Value pointer, Value offset);
  Value at(Value pointer, int64_t offset);
  Value atByte(Value pointer, int64_t offset);
  Value slotInteger(Value slots, int64_t index); // slots[index] as i64
  Value slotPointer(Value slots, int64_t index); // slots[index] as pointer
  Value loadInteger(Value pointer, Value index); // an i64 out of an array of i64
  Value load(Value pointer);                     // a vector of f32
  Value load(Value pointer, Value mask);         // masked lanes read as 0
  Value loadInts(Value pointer, Value mask);     // a vector of i32
  Value gather(Type element, Value pointer, Value offsets, Value mask); // elements at vector offsets (i32 or i64); masked lanes are 0
  Value loadScalar(Value pointer);               // f32
  Value loadIntScalar(Value pointer);            // i32
  Value loadBroadcast(Value pointer);            // one f32 in all lanes
  void store(Value vector, Value pointer);       // f32 or i32
  void store(Value vector, Value pointer, Value mask);
  void storeScalar(Value value, Value pointer);  // f32 or i32
  void compress(Value vector, Value pointer, Value mask); // the lanes that are set, side by side; writes no more than those
  void prefetch(Value pointer);                  // its line will be read soon; any address will do

  // Control. A body is called once, with the builder inside the region.
  using LoopBody = llvm::function_ref<Values(Value iv, llvm::ArrayRef<Value> carried)>;
  /// for (iv = lower; iv < upper; iv += step), carrying `initial`; returns the last carried values.
  Values loop(Value lower, Value upper, int64_t step, llvm::ArrayRef<Value> initial, LoopBody body);
  void loop(Value lower, Value upper, int64_t step, llvm::function_ref<void(Value iv)> body);
  /// while (more(carried)) carried = body(carried)
  Values repeat(llvm::ArrayRef<Value> initial, llvm::function_ref<Value(llvm::ArrayRef<Value>)> more,
                llvm::function_ref<Values(llvm::ArrayRef<Value>)> body);
  void ifThen(Value condition, llvm::function_ref<void()> then);
  void ifElse(Value condition, llvm::function_ref<void()> then, llvm::function_ref<void()> otherwise);
  Values ifElse(Value condition, llvm::ArrayRef<Type> types, llvm::function_ref<Values()> then,
                llvm::function_ref<Values()> otherwise);
  /// Runs cases[value] for 0 <= value < cases.size(), nothing otherwise.
  void choose(Value value, llvm::ArrayRef<std::function<void()>> cases);
};

/// A kernel `func.func @name(begin: i64, end: i64, slots: ptr, scratch: ptr)` that still lacks its body.
struct Kernel {
  mlir::func::FuncOp function;
  Value begin, end, slots, scratch;
};

/// Adds an empty kernel (entry block and return) for a level to `module`; the builder stands before the return.
/// Returns the kernel and the builder to write it with.
std::pair<Kernel, VectorBuilder> createKernel(mlir::ModuleOp module, llvm::StringRef name, const Level &level);

} // namespace nacre::cpu

#endif
