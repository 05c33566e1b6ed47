// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Triangular solves and the factorisations that need them.
#ifndef NACRE_FACTORIZATION_TD
#define NACRE_FACTORIZATION_TD

include "dialects/Nacre/IR/NacreBase.td"

#endif
