// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The GPU's side of a library: its own plan (nothing packed), kernels as images, and host programs that launch them.
#pragma once

#include "compiler/Artifact/Model.h"
#include "compiler/Pipelines/Compile.h"

namespace nacre {

struct DeviceText {
  std::string ir, ptx; ///< of the first architecture
};

/// Plans `module` (primitives; consumed) for a GPU, adds its programs to `programs`, and fills `model.device` for the architectures of
/// `options`, exact ones first. Functions are those of `model`. Fails with diagnostics.
mlir::FailureOr<DeviceText> compileForDevice(mlir::ModuleOp module, const CompileOptions &options, mlir::ModuleOp programs, ModelDescription &model,
                                             mlir::TimingScope &timing);

} // namespace nacre
