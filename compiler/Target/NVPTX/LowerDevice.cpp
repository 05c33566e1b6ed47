// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/LowerDevice.h"

#include "compiler/Target/CPU/LowerKernels.h"
#include "compiler/Target/NVPTX/DeviceEntry.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace nacre::nvptx {

void registerDeviceDialects(DialectRegistry &registry) {
  registry.insert<NVVM::NVVMDialect>();
  registerNVVMDialectTranslation(registry);
}

/// What CPU kernels leave to the mathematical library.
static LogicalResult expandLibraryMath(ModuleOp module) {
  RewritePatternSet patterns(module.getContext());
  populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
    return name == math::SinOp::getOperationName() || name == math::CosOp::getOperationName() || name == math::Log1pOp::getOperationName();
  });
  return applyPatternsGreedily(module, std::move(patterns));
}

LogicalResult lowerDeviceToLLVM(ModuleOp module, TimingScope *timing) {
  if (failed(expandLibraryMath(module)) || failed(cpu::lowerKernelsToLLVM(module, timing)))
    return failure();
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    finishDeviceEntry(function);
    if (!function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()) && !function.isExternal())
      function.setLinkage(LLVM::Linkage::Internal);
  }
  return success();
}

} // namespace nacre::nvptx
