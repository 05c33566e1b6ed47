// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Codes: hashes, packed bits, and what is looked up by index.
#ifndef NACRE_CODEBOOK_TD
#define NACRE_CODEBOOK_TD

include "dialects/Nacre/IR/NacreBase.td"

#endif
