// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The interfaces of RowInterfaces.td.
#pragma once

#include "dialects/Nacre/IR/Operator.h"

#include "dialects/Nacre/IR/RowInterfaces.h.inc"
