// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of Loss.td.
#pragma once

#include "dialects/Nacre/IR/Operator.h"
#include "dialects/Nacre/IR/Traits.h"

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Loss.h.inc"
