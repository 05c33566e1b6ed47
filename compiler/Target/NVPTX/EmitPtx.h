// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Device code from the LLVM dialect: optimised LLVM IR and PTX, with nothing but LLVM's NVPTX target.
#ifndef NACRE_COMPILER_TARGET_NVPTX_EMITPTX_H
#define NACRE_COMPILER_TARGET_NVPTX_EMITPTX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/Timing.h"
#include "llvm/Support/Error.h"

#include <optional>
#include <string>
#include <vector>

namespace nacre::nvptx {

/// An architecture that code is made for.
struct Architecture {
  llvm::StringRef name;     ///< "sm_80"
  int32_t major, minor;     ///< compute capability
  bool isExact;             ///< its code runs on no other architecture
};
/// All of them, the most general first.
llvm::ArrayRef<Architecture> architectures();
const Architecture *findArchitecture(llvm::StringRef name);

struct DeviceCode {
  std::string ir;  ///< what became PTX, after all optimisations
  std::string ptx;
};

/// `module` holds LLVM and NVVM dialect operations. Fails when a function is called that is not in it.
llvm::Expected<DeviceCode> emitPtx(mlir::ModuleOp module, const Architecture &architecture, mlir::TimingScope *timing = nullptr);

} // namespace nacre::nvptx

#endif
