// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The host code of a program whose kernels run on a device: the same slots, handed to nacre_device_launch. It decides nothing by what
// a kernel computed: guards go along with a launch, and a check is a kernel, so the launches can be recorded and replayed.
#ifndef NACRE_COMPILER_TARGET_NVPTX_EMITDEVICEPROGRAM_H
#define NACRE_COMPILER_TARGET_NVPTX_EMITDEVICEPROGRAM_H

#include "compiler/Target/CPU/EmitProgram.h"

namespace nacre::nvptx {

/// What a check says when it fails: "EXPECTS LIMIT UNIT, but got N".
struct DeviceCheck {
  std::string expects, unit;
  Dim limit;
};

/// Constants that kernels read: all programs' together, in device memory at nacre_frame::tables.
using DeviceTables = std::vector<int64_t>;

/// Adds `int32_t symbol(const nacre_frame *)` to `module`; kernel number `checkKernel` does the checks. Appends to `constants`; returns
/// the program's checks by number. Fails when a launch has more than kMaxGuards guards.
mlir::FailureOr<std::vector<DeviceCheck>> emitDeviceProgram(mlir::ModuleOp module, llvm::StringRef symbol, plan::ProgramOp program,
                                                            const cpu::ProgramTables &tables, int64_t checkKernel, DeviceTables &constants);

} // namespace nacre::nvptx

#endif
