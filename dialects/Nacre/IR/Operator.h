// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What an operator is to everybody else: an operation that answers the dialect's interfaces. No operator class is declared here.
#pragma once

#include "dialects/Nacre/IR/Dims.h"
#include "dialects/Nacre/IR/Entries.h"
#include "dialects/Nacre/IR/Infer.h"
#include "dialects/Nacre/IR/Layout.h"
#include "dialects/Nacre/IR/NacreDialect.h"
#include "dialects/Nacre/Reference/Array.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Nacre/IR/Interfaces.h.inc"
