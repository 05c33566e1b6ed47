// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What an operator is, where no question need be asked of it.
#pragma once

#include "mlir/IR/OpDefinition.h"

namespace nacre {

/// On nested operands it is written out width by width and keeps its derivative: its parts could not work on all widths together.
template <typename ConcreteType>
class WidthByWidth : public mlir::OpTrait::TraitBase<ConcreteType, WidthByWidth> {};

} // namespace nacre
