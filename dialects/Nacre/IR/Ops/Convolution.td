// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contractions with a sliding window, pooling and resampling.
#ifndef NACRE_CONVOLUTION_TD
#define NACRE_CONVOLUTION_TD

include "dialects/Nacre/IR/NacreBase.td"

#endif
