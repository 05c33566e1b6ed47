// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of NestedWidth.td.
#pragma once

#include "dialects/Nacre/IR/Operator.h"

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/NestedWidth.h.inc"
