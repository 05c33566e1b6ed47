// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rewrites inside the nacre dialect, in the order in which the pipeline runs them.
#pragma once

#include "dialects/Nacre/IR/NacreDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace nacre {

/// Replaces every composite operator by its definition, until none is left. With `keepDifferentiable`, composites that know their
/// own derivative stay, for `differentiate` to use it.
mlir::LogicalResult decompose(mlir::Operation *root, bool keepDifferentiable);

/// Removes the nested type: members of one shape become one tensor with a leading axis of widths, prefix products become
/// `nested_matmul`, everything else is written out width by width. Function results become stacked tensors.
/// Requires composites to be gone but for differentiable ones. Fails, naming the operator, where members cannot be joined at the end.
mlir::LogicalResult expandNested(mlir::func::FuncOp function);

/// Removes the sparse and the code type: a sparse value becomes its entries (IR/Entries.h), one tensor each in the function's inputs and
/// results; codes become integers. Requires composites to be gone but for differentiable ones on plain tensors.
mlir::LogicalResult expandSparse(mlir::func::FuncOp function);
/// The types of the tensors that hold a sparse value, and what each is called: values, indices and, with one limit for all rows, rows.
llvm::SmallVector<mlir::Type> entryTypes(SparseType type);
llvm::SmallVector<llvm::StringRef> entryNames(SparseType type);

/// Replaces every tap by its operand: in libraries without taps, and in training steps.
void removeTaps(mlir::Operation *root);

/// Removes what derivative rules leave behind: needless broadcasts. Bits do not change.
mlir::LogicalResult simplify(mlir::Operation *root);

/// Leaves out the work for rows of a padded batch that nobody reads: from the operators that read only what lies below given lengths, back
/// through element-wise work, row reductions, views and what works row by row. Rows left out are not written; no result of the function
/// changes by a bit. Requires primitives; operators that only say what is read are gone afterwards.
void skipPadding(mlir::func::FuncOp function);

/// The gradients of the scalar `of` with respect to `with` as new operators after it; zero where nothing flows.
/// Fails at an operator without a derivative. Requires plain tensors.
mlir::FailureOr<llvm::SmallVector<mlir::Value>> differentiate(mlir::OpBuilder &builder, mlir::Value of,
                                                              llvm::ArrayRef<mlir::Value> with);
/// As above, with a given cotangent for each of several values.
mlir::FailureOr<llvm::SmallVector<mlir::Value>> differentiate(mlir::OpBuilder &builder, llvm::ArrayRef<mlir::Value> of,
                                                              llvm::ArrayRef<mlir::Value> cotangents,
                                                              llvm::ArrayRef<mlir::Value> with);

/// Adds `<loss>_step` to a module with a `nacre.train` attribute: forward, backward, optimiser, and the optimiser's own parameters.
/// Its inputs are those of the loss and two f32 scalars, rate and step; it returns the loss. What the loss and the blocks of the train
/// block assign is assigned by the step; the loss and the metric themselves assign nothing from then on. Functions with the attribute
/// `nacre.part`, the blocks of the train block, are gone afterwards.
mlir::LogicalResult addTrainingStep(mlir::ModuleOp module);

/// Adds `<function>_gradient`, which takes the function's inputs and a cotangent for each f32 result, and returns the results, then the
/// gradients of every f32 input and of every parameter in the module's order. For tests.
mlir::LogicalResult addGradientFunction(mlir::func::FuncOp function);

} // namespace nacre
