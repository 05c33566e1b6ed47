// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where each value of a function lives: decided before launches are built, so that producers write straight into their destination.
#pragma once

#include "compiler/Transforms/Groups.h"
#include "dialects/Plan/IR/PlanOps.h"

#include "llvm/ADT/DenseMap.h"

namespace nacre {

/// A buffer and how a value lies in it.
struct Storage {
  mlir::Value buffer;
  Layout layout;
};

/// Creates buffers of a program and knows the storage of every value.
/// Whether a call may end with an error at this operator, because a number that it reports is checked. See BuildEntries.cpp.
bool mayEndCall(mlir::Operation *op);

class StorageTable {
public:
  StorageTable(mlir::func::FuncOp function, plan::ProgramOp program);

  /// Inputs, outputs; then destinations: results of the function, assigned parameters, parts of a join, and the axis order that the
  /// users of a skeleton's result want.
  void choose(llvm::ArrayRef<Group> groups);

  /// The storage of a value that a group writes: its chosen destination, or a new arena buffer in row-major order.
  Storage allocate(mlir::Value value);
  /// A new row-major arena buffer.
  Storage temporary(llvm::ArrayRef<Dim> dims, mlir::Type element, llvm::StringRef name);
  /// The storage of a value that was written, or of a view of one; nothing when the view needs a copy of its operand.
  std::optional<Storage> find(mlir::Value value);
  void set(mlir::Value value, Storage storage) { storages[value] = std::move(storage); }

  mlir::Value parameter(mlir::StringRef name, mlir::Type type);
  Storage output(unsigned index) { return outputs[index]; }

private:
  mlir::Value buffer(llvm::StringRef space, llvm::StringRef name, int64_t index, llvm::ArrayRef<Dim> dims, mlir::Type element);
  void chooseResults(mlir::Operation *terminator);
  bool isLossKnownBefore(mlir::Operation *writer);
  void chooseAssigned(const llvm::SmallPtrSetImpl<mlir::Operation *> &elementwise);
  void chooseJoined(llvm::ArrayRef<Group> groups);
  void choosePermuted(llvm::ArrayRef<Group> groups);

  mlir::func::FuncOp function;
  plan::ProgramOp program;
  mlir::OpBuilder builder;
  llvm::DenseMap<mlir::Value, Storage> storages;     ///< written, or about to be read
  llvm::DenseMap<mlir::Value, Storage> destinations; ///< chosen before the value is written
  std::vector<Storage> outputs;
  llvm::StringMap<mlir::Value> parameters;
};

} // namespace nacre
