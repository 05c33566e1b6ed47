// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre-opt: reads a module, runs the passes of its command line and prints it; for tests and for looking at one stage.
#include "compiler/Pipelines/Compile.h"
#include "compiler/Pipelines/Passes.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  nacre::registerDialects(registry);
  mlir::registerTransformsPasses();
  nacre::registerNacrePasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "nacre: optimiser driver\n", registry));
}
