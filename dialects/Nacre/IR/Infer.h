// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shape inference: what an operator's `infer` is given, and how it is applied width by width.
#pragma once

#include "dialects/Nacre/IR/Dims.h"
#include "dialects/Nacre/IR/NacreDialect.h"
#include "mlir/IR/Diagnostics.h"

namespace nacre {

/// The name of the size that stands for the width at hand inside a nested type.
inline constexpr llvm::StringLiteral kWidth = "width";

/// The plain tensor type of a value: its own, or that which a nested, sparse or code type stands for.
mlir::RankedTensorType plainType(mlir::Value value);
inline Dims dimsOf(mlir::Value value) { return dimsOf(value.getType()); }

/// See Nacre_Op::sparse.
enum class SparseRule { Refused, Kept, Own };
/// How an operator's `infer` is applied to operands that are not plain tensors.
struct LiftRule {
  bool widthwise;
  SparseRule sparse;
  bool codes;
};

/// Collects what inference needs to say: plain types, and errors that begin with the operator's name.
class InferContext {
public:
  InferContext(mlir::MLIRContext *context, std::optional<mlir::Location> location, llvm::StringRef name)
      : context(context), location(location), name(name) {}

  /// Runs `infer`; when widthwise and an operand is nested, wraps its results for the operands' widths; when an operand is sparse and
  /// that is kept, wraps its results as sparse. Fails when two nested operands have different widths, and where sparse values or
  /// codes are refused.
  mlir::LogicalResult lift(mlir::ValueRange operands, const LiftRule &rule, llvm::SmallVectorImpl<mlir::Type> &results,
                           llvm::function_ref<mlir::LogicalResult(llvm::SmallVectorImpl<mlir::Type> &)> infer);

  /// Reports "<op> <message>" at the op's place, if there is one.
  mlir::LogicalResult error(const llvm::Twine &message) const;
  /// Requires a tensor of f32; the message says what the operand is for.
  mlir::LogicalResult requireFloat(mlir::Value value, llvm::StringRef what) const;
  mlir::LogicalResult requireInteger(mlir::Value value, llvm::StringRef what) const;
  /// The axis counted from 0, or an error.
  mlir::FailureOr<int64_t> axis(int64_t axis, int64_t rank) const;

  mlir::Type tensor(mlir::Type element, llvm::ArrayRef<Dim> dims) const { return tensorOf(context, element, dims); }
  mlir::Type f32() const { return mlir::Float32Type::get(context); }
  mlir::Type i32() const { return mlir::IntegerType::get(context, 32); }
  mlir::Type i1() const { return mlir::IntegerType::get(context, 1); }

  mlir::MLIRContext *context;

private:
  mlir::LogicalResult checkKinds(mlir::ValueRange operands, const LiftRule &rule) const;
  mlir::LogicalResult keepSparse(mlir::ValueRange operands, llvm::SmallVectorImpl<mlir::Type> &results) const;
  std::optional<mlir::Location> location;
  llvm::StringRef name;
};

} // namespace nacre
