// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All operators of the dialect. A file that needs one family includes that family's header in Ops/ instead.
#pragma once

#include "dialects/Nacre/IR/Ops/Attention.h"
#include "dialects/Nacre/IR/Ops/Codebook.h"
#include "dialects/Nacre/IR/Ops/Contraction.h"
#include "dialects/Nacre/IR/Ops/Convolution.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/Factorization.h"
#include "dialects/Nacre/IR/Ops/Layout.h"
#include "dialects/Nacre/IR/Ops/Loss.h"
#include "dialects/Nacre/IR/Ops/NestedWidth.h"
#include "dialects/Nacre/IR/Ops/Normalization.h"
#include "dialects/Nacre/IR/Ops/Optimizer.h"
#include "dialects/Nacre/IR/Ops/Program.h"
#include "dialects/Nacre/IR/Ops/Reduction.h"
#include "dialects/Nacre/IR/Ops/SparseActivation.h"
