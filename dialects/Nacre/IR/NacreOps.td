// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All families.
#ifndef NACRE_OPS_TD
#define NACRE_OPS_TD

include "dialects/Nacre/IR/Ops/Program.td"
include "dialects/Nacre/IR/Ops/Elementwise.td"
include "dialects/Nacre/IR/Ops/Reduction.td"
include "dialects/Nacre/IR/Ops/Layout.td"
include "dialects/Nacre/IR/Ops/Contraction.td"
include "dialects/Nacre/IR/Ops/NestedWidth.td"
include "dialects/Nacre/IR/Ops/Normalization.td"
include "dialects/Nacre/IR/Ops/Attention.td"
include "dialects/Nacre/IR/Ops/SparseActivation.td"
include "dialects/Nacre/IR/Ops/Codebook.td"
include "dialects/Nacre/IR/Ops/Convolution.td"
include "dialects/Nacre/IR/Ops/Factorization.td"
include "dialects/Nacre/IR/Ops/Loss.td"
include "dialects/Nacre/IR/Ops/Optimizer.td"

#endif
