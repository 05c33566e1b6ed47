// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory accesses of a vector of 32 lanes as those of one thread (see DistributeVectors.h).
#ifndef NACRE_COMPILER_TARGET_NVPTX_DISTRIBUTEDACCESS_H
#define NACRE_COMPILER_TARGET_NVPTX_DISTRIBUTEDACCESS_H

#include "mlir/Transforms/DialectConversion.h"

namespace nacre::nvptx {

void populateAccessPatterns(const mlir::TypeConverter &types, mlir::RewritePatternSet &patterns);

/// What the patterns replace although no vector is in it: prefetches.
void addAccessLegality(mlir::ConversionTarget &target);

/// store s, p  ->  if (lane == 0) store s, p.  Of every store that is no vector's.
void storeScalarsOnce(mlir::ModuleOp module);

} // namespace nacre::nvptx

#endif
