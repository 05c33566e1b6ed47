// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dense f64 arrays for the reference, and what one operator sees while it is evaluated.
#pragma once

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"

#include <cstdint>
#include <vector>

namespace nacre {

/// Row-major values; integers and booleans are held exactly as f64.
struct Array {
  llvm::SmallVector<int64_t, 4> shape;
  std::vector<double> data;

  Array() = default;
  explicit Array(llvm::ArrayRef<int64_t> shape, double fill = 0);

  int64_t rank() const { return shape.size(); }
  int64_t size() const { return data.size(); }
  /// The element at a multi-index, with NumPy's broadcasting: leading axes are dropped, axes of 1 repeat.
  double at(llvm::ArrayRef<int64_t> index) const;
  double &operator()(llvm::ArrayRef<int64_t> index);
};

/// Calls `body` with every multi-index of a shape in row-major order.
void forEach(llvm::ArrayRef<int64_t> shape, llvm::function_ref<void(llvm::ArrayRef<int64_t>)> body);

/// The operands and results of one operator at concrete sizes.
class Evaluation {
public:
  Evaluation(mlir::Operation *op, std::vector<const Array *> operands, const llvm::StringMap<int64_t> &binding)
      : op(op), operands(std::move(operands)), binding(binding), results(op->getNumResults()) {}

  const Array &in(unsigned i) const { return *operands[i]; }
  /// By operand value, for ops with optional operands; null for a null value.
  const Array *in(mlir::Value value) const;
  Array &out(unsigned i = 0) { return results[i]; }
  /// The concrete shape of a result (or operand) type.
  llvm::SmallVector<int64_t, 4> shapeOf(mlir::Value value) const;
  int64_t sizeOf(const class Dim &dim) const;

  std::vector<Array> takeResults() { return std::move(results); }

private:
  mlir::Operation *op;
  std::vector<const Array *> operands;
  const llvm::StringMap<int64_t> &binding;
  std::vector<Array> results;
};

} // namespace nacre
