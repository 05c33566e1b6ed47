// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Ops/Program.h"
#include "dialects/Nacre/Transforms/Transforms.h"

using namespace nacre;
using namespace mlir;

void nacre::removeTaps(Operation *root) {
  root->walk([](TapOp tap) {
    tap.replaceAllUsesWith(tap.getX());
    tap.erase();
  });
}
