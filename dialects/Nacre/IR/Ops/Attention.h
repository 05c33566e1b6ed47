// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of Attention.td.
#pragma once

#include "dialects/Nacre/IR/RowInterfaces.h"

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Attention.h.inc"
