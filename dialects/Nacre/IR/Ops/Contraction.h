// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of Contraction.td.
#pragma once

#include "dialects/Nacre/IR/RowInterfaces.h"

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Contraction.h.inc"
