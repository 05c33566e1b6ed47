// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elementary functions of f32 as polynomials: math.exp, exp2, log, tanh and erf on scalars and vectors of any length become
// arith and math.fma, so that an element has the same bits alone, in a vector and in a masked tail, on every level.
//
// Largest errors, measured on every 1009th float of the stated range against f64 (test/compiler/cpu-kernels/MathTest.cpp):
//   exp   1.1 ulp; 0 below -86.9 (no subnormal results), inf above 88.72
//   exp2  2.0 ulp; 0 below -126.5, inf from 127.5
//   log   1.0 ulp; -inf at 0, NaN below
//   tanh  1.7 ulp          erf  1.5 ulp
// NaN gives NaN.
#ifndef NACRE_COMPILER_TARGET_CPU_EXPANDMATH_H
#define NACRE_COMPILER_TARGET_CPU_EXPANDMATH_H

#include "mlir/IR/PatternMatch.h"

namespace nacre::cpu {

/// Patterns that expand the five operations on f32; other types are left alone.
void populateExpandMathPatterns(mlir::RewritePatternSet &patterns);

} // namespace nacre::cpu

#endif
