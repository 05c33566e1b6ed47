// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The structs of nacre/abi.h as LLVM types, member by member in the same order.
#pragma once

#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/LLVMContext.h"

namespace nacre {

/// Invariant: natural alignment gives each struct the size and the offsets that C gives it (test/compiler/artifact checks all).
struct TableTypes {
  explicit TableTypes(llvm::LLVMContext &context);

  llvm::Type *i8, *i32, *i64, *f64;
  llvm::PointerType *pointer;
  llvm::ArrayType *powers;  ///< uint8_t [NACRE_MAX_DIMS]
  llvm::ArrayType *extents; ///< int64_t [NACRE_MAX_RANK]
  llvm::StructType *term, *size, *dim, *port, *parameter, *tap, *least, *function, *training, *level, *model;
  llvm::StructType *image, *deviceKernel, *check, *deviceFunction, *deviceCode; ///< nacre_device_*
};

} // namespace nacre
