// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// When a value is needed at all: a `cond` needs one of its sides, so work that only one side needs can be skipped.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

namespace nacre {

/// "the number `condition` is not 0" or, with `holds` off, "is 0".
struct Literal {
  mlir::Value condition;
  bool holds;
  bool operator==(const Literal &other) const { return condition == other.condition && holds == other.holds; }
};
/// All of these; empty: always.
using Guard = llvm::SmallVector<Literal, 2>;

/// For every operator of a block a guard that holds whenever a result is needed (it may hold more often: an `or` of two needs keeps
/// what they have in common).
class Demand {
public:
  /// Results of the function, assignments and unread taps are needed always.
  explicit Demand(mlir::Block &block);

  /// Empty for a value that nobody needs, and for arguments.
  const Guard &of(mlir::Operation *op) const;
  const Guard &of(mlir::Value value) const;
  /// When operand `index` of `op` is needed through this use.
  Guard ofUse(mlir::OpOperand &use) const;

private:
  void need(mlir::Operation *op, const Guard &guard);
  llvm::DenseMap<mlir::Operation *, Guard> guards;
};

/// Moves what conditions are computed from to the front of the block, so that they are known before anything that they guard.
void hoistConditions(mlir::Block &block);

} // namespace nacre
