// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One launch of a planned model as a kernel with a C interface of its own.
#pragma once

#include "compiler/Artifact/KernelExport.h"
#include "compiler/Artifact/Model.h"
#include "dialects/Plan/IR/PlanOps.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"

namespace nacre {

/// A kernel of a function, for choosing one.
struct KernelUse {
  std::string name, skeleton;
  std::string place;     ///< of its first launch: "digits.nacre:21:12"
  std::string operators; ///< "matmul add gelu"
  int64_t launches = 0;
};

/// The kernels of a function in the order of their first launches.
std::vector<KernelUse> kernelsOf(plan::ProgramOp program);

/// Which launch, and what to call it.
struct KernelRequest {
  std::string function, kernel; ///< names in the module
  int64_t launch = 1;           ///< which of the kernel's launches in that function, from 1
  std::string symbol;           ///< an identifier of C
  std::vector<std::string> levels;
  bool isPacked = false; ///< also as `int64_t <symbol>_packed(const int64_t *values)`, for callers that do not know the signature
};

struct CompiledKernel {
  KernelExport description;
  llvm::SmallVector<char, 0> object; ///< defines the functions of the header; refers to nacre_cpu_supports
};

/// Carves the launch out for a GPU of `architecture`, one of nvptx::architectures(); otherwise as exportKernel.
mlir::FailureOr<DeviceKernelExport> exportDeviceKernel(mlir::ModuleOp module, const ModelDescription &model, const KernelRequest &request,
                                                       llvm::StringRef architecture);

/// Carves the launch out into a program of its own, whose buffers are arguments with the launch's sizes and strides, and compiles that.
/// `module` is a model at Stage::Plan (left as it is), `model` its description. Requires the launch to exist.
mlir::FailureOr<CompiledKernel> exportKernel(mlir::ModuleOp module, const ModelDescription &model, const KernelRequest &request);

} // namespace nacre
