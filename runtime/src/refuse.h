// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a program says why it ends before its end.
#ifndef NACRE_SRC_REFUSE_H
#define NACRE_SRC_REFUSE_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Called by a program that then returns NACRE_ERR_VALUE: fills the frame's refusal with "<expects> <limit><unit>, but got <found>".
void nacre_refuse(const nacre_frame *frame, const char *expects, int64_t limit, const char *unit, int64_t found);

#ifdef __cplusplus
}
#endif
#endif
