// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a sparse value is held as once its type is gone.
#pragma once

#include "dialects/Nacre/IR/Dims.h"
#include "mlir/IR/Value.h"

namespace nacre {

/// The non-zeros of a value of shape `dense` [.., n], in one of two forms:
///   a limit for each row: values and indices [.., k]; a row's indices ascend;
///   one limit for all:    values, indices and rows [c], sorted by row, then index; a row counts all axes but the last.
/// A slot whose index lies outside [0, n), or whose row lies outside, is unused and its value means nothing; unused slots come last.
/// A dense value has no indices.
struct Entries {
  mlir::Value values;
  mlir::Value indices = {};
  mlir::Value rows = {};
  Dims dense = {};

  bool isDense() const { return !indices; }
};

} // namespace nacre
