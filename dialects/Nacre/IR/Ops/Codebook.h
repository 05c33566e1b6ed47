// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of Codebook.td.
#pragma once

#include "dialects/Nacre/IR/Operator.h"

#define GET_OP_CLASSES
#include "dialects/Nacre/IR/Ops/Codebook.h.inc"
