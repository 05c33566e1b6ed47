// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The dialect's operators as the language sees them. The table is generated from Ops/*.td, so a new operator is a new builtin.
#pragma once

#include "dialects/Nacre/IR/Dims.h"
#include "dialects/Nacre/IR/Operator.h"
#include "dialects/Nacre/IR/Ops/Program.h"

namespace nacre {

enum class AttributeKind { Integer, Real, Bool, String, Integers, Reals };

struct BuiltinOperand {
  llvm::StringRef name;
  bool optional;
  bool variadic;
};

struct BuiltinAttribute {
  llvm::StringRef name;
  AttributeKind kind;
  bool optional;
  llvm::StringRef defaultText; ///< empty: none
};

struct Builtin {
  llvm::StringRef name;      ///< as written in a model: "linear"
  llvm::StringRef operation; ///< "nacre.linear"
  llvm::ArrayRef<BuiltinOperand> operands;
  llvm::ArrayRef<BuiltinAttribute> attributes;
  unsigned results;
  llvm::StringRef summary;
};

/// Sorted by name.
llvm::ArrayRef<Builtin> builtins();
/// Null when there is none of that name.
const Builtin *findBuiltin(llvm::StringRef name);

/// Creates the op with inferred result types. `operands` has one value per BuiltinOperand (the values of a variadic one follow each
/// other); null stands for an absent one. On failure diagnostics were emitted at `location` and nothing remains.
mlir::FailureOr<mlir::Operation *> buildBuiltin(mlir::OpBuilder &builder, mlir::Location location, const Builtin &builtin,
                                                llvm::ArrayRef<mlir::Value> operands, llvm::ArrayRef<mlir::NamedAttribute> attributes);

mlir::Value buildConstant(mlir::OpBuilder &builder, mlir::Location location, double value);
mlir::Value buildConstant(mlir::OpBuilder &builder, mlir::Location location, int32_t value);
mlir::Value buildParameterRead(mlir::OpBuilder &builder, mlir::Location location, ParameterOp parameter);
/// x[start : start + size] along an axis; fails with a diagnostic when it lies outside.
mlir::FailureOr<mlir::Value> buildSlice(mlir::OpBuilder &builder, mlir::Location location, mlir::Value x, int64_t axis, const Dim &start,
                                        const Dim &size);
/// x with an axis of size 1 before the given one.
mlir::FailureOr<mlir::Value> buildNewAxis(mlir::OpBuilder &builder, mlir::Location location, mlir::Value x, int64_t axis);
/// x[index] along an axis, which disappears.
mlir::FailureOr<mlir::Value> buildIndex(mlir::OpBuilder &builder, mlir::Location location, mlir::Value x, int64_t axis, const Dim &index);
/// The member of a nested value at a width.
mlir::FailureOr<mlir::Value> buildPick(mlir::OpBuilder &builder, mlir::Location location, mlir::Value nested, const Dim &width);

} // namespace nacre
