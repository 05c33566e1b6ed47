// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The builder of one program: groups in, launches out. Its files share this; nobody else includes it.
//   BuildProgram      rows, columns, joins, taps, choices, and the order of it all
//   BuildContraction  products
//   BuildEntries      work on entries of sparse rows, sums by index
//   Launches          launches, copies, and where operands lie
#pragma once

#include "compiler/Transforms/KernelTable.h"
#include "compiler/Transforms/LaunchViews.h"
#include "compiler/Transforms/Storage.h"

namespace nacre {

/// One operand of a launch: a buffer, or a value made from its place.
struct Operand {
  mlir::Value buffer; ///< null for positions and numbers
  int64_t pseudo = 0;
  Layout layout;
};

/// Values of other groups that the operators read, in order of first use. Free values are not inputs, but positions and sizes are.
llvm::SmallVector<mlir::Value> inputsOf(llvm::ArrayRef<mlir::Operation *> ops);
/// Values that somebody outside the group reads.
llvm::SmallVector<mlir::Value> outputsOf(const Group &group);
/// What the epilogue of a group reads besides the results of its heart.
llvm::SmallVector<mlir::Value> extrasOf(const Group &group);
std::string elementName(mlir::Type element);
/// Whether the last axis has stride 1 or 0, or one element.
bool isColumnReadable(const Layout &layout);
/// Whether buildEntries carries the skeleton.
bool isEntriesSkeleton(llvm::StringRef skeleton);

class ProgramBuilder {
public:
  ProgramBuilder(mlir::func::FuncOp function, plan::ProgramOp program, KernelTable &kernels)
      : function(function), program(program), kernels(kernels), demand(function.getBody().front()), storage(function, program),
        builder(mlir::OpBuilder::atBlockEnd(&program.getBody().front())) {}

  mlir::LogicalResult run();

private:
  mlir::LogicalResult build(const Group &group);
  mlir::LogicalResult buildRows(const Group &group);
  mlir::LogicalResult buildColumns(const Group &group);
  mlir::LogicalResult buildSkeleton(const Group &group);
  mlir::LogicalResult buildContraction(const Group &group);
  mlir::LogicalResult buildEntries(const Group &group);
  mlir::LogicalResult buildJoin(const Group &group);
  mlir::LogicalResult buildTap(const Group &group);
  mlir::LogicalResult buildChoice(const Group &group);
  mlir::LogicalResult finish();

  void launchRows(mlir::Location loc, KernelBody body, Dims space, std::vector<Operand> operands, bool reduces, const Dim &operations);
  void launch(mlir::Location loc, const KernelBody &body, llvm::ArrayRef<Operand> operands, const Dim &operations);
  void copy(mlir::Location loc, mlir::Value like, const Storage &from, const Storage &to);
  void fillZero(mlir::Location loc, mlir::Value like, const Storage &to);

  /// Where a value lies; copies what a view cannot express.
  Storage read(mlir::Value value);
  /// As `read`, copied to row-major order unless the last axis has stride 1 (or one element).
  Storage readRows(mlir::Value value);
  /// The storage of a value whose elements lie one after the other, in row-major order.
  Storage readWhole(mlir::Value value);
  /// A matrix whose rows can be read up to whole vectors of 16.
  Operand readPadded(mlir::Value value);
  /// The value over a larger shape as rows and columns, rows with one stride and columns with 1, or 0 too if they may repeat; copied when
  /// need be.
  Operand readFlat(mlir::Value value, llvm::ArrayRef<Dim> space, bool mayRepeat);
  Storage copied(mlir::Value value);
  Operand operandOf(mlir::Value value);
  /// The conditions of a guard as numbers in memory, and what they must be.
  std::pair<llvm::SmallVector<mlir::Value>, llvm::SmallVector<bool>> guardOperands(const Guard &guard);

  /// The entries' order by index, as operands of a segment kernel: order, rows, ends. Made once for equal entries and guards.
  llvm::ArrayRef<Operand> orderOf(Segmented segmented, const Dim &rowCount);

  mlir::func::FuncOp function;
  plan::ProgramOp program;
  KernelTable &kernels;
  Demand demand;
  StorageTable storage;
  mlir::OpBuilder builder;
  Guard guard; ///< of what is launched now
  int64_t taps = 0;
  bool checked = false;
  llvm::StringMap<std::vector<Operand>> orders;
};

} // namespace nacre
