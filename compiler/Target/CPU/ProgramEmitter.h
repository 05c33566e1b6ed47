// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes the host code of one program: fills slots from the frame and runs the launches in order. What a launch, a check, a tap and a
// guard become is the target's; here they are calls of kernels on the CPU.
#ifndef NACRE_COMPILER_TARGET_CPU_PROGRAMEMITTER_H
#define NACRE_COMPILER_TARGET_CPU_PROGRAMEMITTER_H

#include "compiler/Target/CPU/EmitProgram.h"
#include "compiler/Target/CPU/VectorBuilder.h"

#include <optional>

namespace nacre::cpu {

class ProgramEmitter {
public:
  ProgramEmitter(mlir::ModuleOp module, mlir::func::FuncOp function, plan::ProgramOp program, const ProgramTables &tables, VectorBuilder b)
      : module(module), function(function), program(program), tables(tables), b(std::move(b)) {}
  virtual ~ProgramEmitter() = default;
  void emit();

protected:
  // What differs between targets. `slots` is filled when a launch is called.
  virtual void callKernel(plan::LaunchOp launch, Value tasks);
  virtual void tap(plan::TapOp tap);
  virtual void checkFinite(plan::CheckFiniteOp check);
  virtual void checkRange(plan::CheckRangeOp check);
  /// The address of a constant array that kernels read.
  virtual Value tableAddress(const std::vector<int64_t> &values);
  /// Continues inside a branch that is taken when all `conditions` are as `taken` says; ends the branch before, if any.
  virtual void enter(mlir::OperandRange conditions, llvm::ArrayRef<bool> taken);
  virtual void leave();

  Value field(Field which);
  Value sizeOf(const Dim &dim);
  Value workers() { return b.slotInteger(frame, FieldWorkerCount); }
  Value addressOf(plan::BufferOp buffer);
  Value addressOf(Value buffer) { return addressOf(buffer.getDefiningOp<plan::BufferOp>()); }
  Value slotValue(const Slot &slot, plan::LaunchOp launch, llvm::ArrayRef<Value> filled);
  void setSlot(int64_t index, Value value);
  void launch(plan::LaunchOp launch);
  Value textAddress(llvm::StringRef text) { return cpu::textAddress(b, module, function.getName(), text); }
  Value isNotZero(Value buffer);
  void returnStatus(int32_t status);
  plan::KernelOp kernelOf(plan::LaunchOp launch) {
    return mlir::SymbolTable::lookupNearestSymbolFrom<plan::KernelOp>(launch, launch.getKernelAttr());
  }
  int64_t maxSlots();
  /// Words behind the slots that the target needs.
  virtual int64_t extraWords() const { return 0; }

  mlir::ModuleOp module;
  mlir::func::FuncOp function;
  plan::ProgramOp program;
  const ProgramTables &tables;
  VectorBuilder b;
  Value frame, slots;
  int64_t launches = 0; ///< emitted so far

private:
  llvm::StringMap<Value> sizes;
  llvm::DenseMap<int64_t, Value> fields;
  llvm::DenseMap<mlir::Operation *, Value> addresses;

  /// What was known before the branch; what is computed inside it is not known after it.
  struct Branch {
    llvm::SmallVector<Value> conditions;
    llvm::SmallVector<bool> taken;
    mlir::Block *after;
    llvm::StringMap<Value> sizes;
    llvm::DenseMap<int64_t, Value> fields;
    llvm::DenseMap<mlir::Operation *, Value> addresses;
  };
  std::optional<Branch> branch;
};

/// An empty host function `int32_t symbol(const nacre_frame *)` for a program, and the builder to write it with.
std::pair<mlir::func::FuncOp, VectorBuilder> createProgram(mlir::ModuleOp module, llvm::StringRef symbol, plan::ProgramOp program);

/// The integer value of an address.
Value asInteger(VectorBuilder &b, Value pointer);

} // namespace nacre::cpu

#endif
