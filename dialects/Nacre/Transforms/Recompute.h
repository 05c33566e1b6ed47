// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Less memory for more work: values that are read early and again much later are computed a second time instead of being kept.
#pragma once

#include "dialects/Nacre/IR/Dims.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace nacre {

/// On operators of the backward under a memory limit, and on what is computed again for them: they must not join a kernel of the forward,
/// from which their results would have to be kept.
inline constexpr llvm::StringLiteral kLate = "nacre.late";

/// The values of a training step's forward that could be computed again where the backward reads them, those that save most first: cheap
/// ones (element-wise work, row reductions, copies), then also products and attention, each group by bytes times the time they rest. What a
/// product or attention is computed from, but for cheap work between, is always kept: no more than one kernel of each is run again.
/// `bounds` has the greatest value of every dim. Valid until the function changes.
class Recomputation {
public:
  Recomputation(mlir::func::FuncOp function, const llvm::StringMap<int64_t> &bounds);

  int64_t size() const { return candidates.size(); }
  /// Computes the first `count` of them again where they are read late; what they are computed from and is gone by then likewise.
  /// Results keep their bits: the same operators on the same operands.
  void apply(int64_t count);

private:
  struct Candidate {
    mlir::Operation *op;
    int64_t rest;  ///< position of its last reader in the forward
    double saving; ///< elements times the operators between that and its last reader
    bool isCheap;
  };
  void findCheap();
  void findForward();
  std::optional<Candidate> candidateOf(mlir::Operation *op) const;
  void keepSources();
  bool isAlive(mlir::Value value, int64_t position) const;
  void choose(mlir::Operation *op, int64_t rest);
  mlir::Value recomputed(mlir::OpResult value, mlir::Operation *reader);

  mlir::Block &block;
  const llvm::StringMap<int64_t> &bounds;
  llvm::DenseMap<mlir::Operation *, int64_t> positions;
  llvm::DenseSet<mlir::Operation *> forward;
  llvm::DenseSet<mlir::Operation *> cheap; ///< neither a kernel of their own nor the end of one, as a bias behind a product is
  std::vector<Candidate> candidates;
  llvm::DenseMap<mlir::Operation *, int64_t> chosen;             ///< and the rest of each
  llvm::DenseMap<mlir::Operation *, mlir::Operation *> clones; ///< of what was chosen
};

} // namespace nacre
