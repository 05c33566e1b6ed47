// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What exports of a kernel for CPUs and for GPUs have in common.
#pragma once

#include "compiler/Pipelines/ExportKernel.h"

namespace nacre {

plan::KernelOp kernelOf(plan::LaunchOp launch);
/// The launch that a request names; null when there is none.
plan::LaunchOp findLaunch(mlir::ModuleOp module, const KernelRequest &request);
/// What does not depend on how the launch is carved out.
KernelExport describeOrigin(plan::LaunchOp launch, const ModelDescription &model, const KernelRequest &request);

} // namespace nacre
