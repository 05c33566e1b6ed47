// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The entry of a kernel on the device: takes the launch's parameter block (nacre_device_launch of abi.h), does nothing when the call has
// failed already or a guard does not hold, and shares the tasks out among the workers: worker w of W does tasks w, w + W, ...
#ifndef NACRE_COMPILER_TARGET_NVPTX_DEVICEENTRY_H
#define NACRE_COMPILER_TARGET_NVPTX_DEVICEENTRY_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace nacre::nvptx {

/// Guards that a launch has room for.
inline constexpr int64_t kMaxGuards = 8;

/// Words of nacre_device_launch.
enum LaunchWord : int64_t { WordTasks, WordScratch, WordStatus, WordGuardCount, WordGuards, WordSlots = WordGuards + kMaxGuards };

/// Where a kernel finds the address of the call's status, counted in words from its slots.
inline constexpr int64_t kStatusBeforeSlots = WordStatus - WordSlots;

/// How a kernel's work lies on a block of threads.
struct BlockShape {
  int64_t threads;
  int64_t workers;         ///< a warp each, or 1: the block as a whole
  int64_t sharedBytes = 0; ///< dynamic
};

/// Adds the entry `name` for `kernel`, which has the signature of CPU kernels: (begin, end, slots, scratch).
/// All threads of a worker call it together. `scratchBytes` is of one worker, a multiple of 64.
mlir::func::FuncOp addDeviceEntry(mlir::func::FuncOp kernel, llvm::StringRef name, const BlockShape &shape, int64_t slotCount,
                                  int64_t scratchBytes);

/// Once `entry` is in the LLVM dialect: says what the compiler of the device must know of it. Nothing on other functions.
void finishDeviceEntry(mlir::LLVM::LLVMFuncOp entry);

} // namespace nacre::nvptx

#endif
