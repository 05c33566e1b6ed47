// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sparse values: which entries of a row stay, and arithmetic on those alone.
#ifndef NACRE_SPARSE_ACTIVATION_TD
#define NACRE_SPARSE_ACTIVATION_TD

include "dialects/Nacre/IR/NacreBase.td"

#endif
