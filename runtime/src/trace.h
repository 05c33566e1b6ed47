// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tracing: when each launch of a call ran, and which thread did which share of it. Only programs that were compiled with tracing
// call this, so no other library carries it.
#ifndef NACRE_SRC_TRACE_H
#define NACRE_SRC_TRACE_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// As `nacre_launch` with the frame's workers; when the frame has a trace, one event for every share of tasks that a thread does and
/// one for the launch as a whole. `launch` is its position among the launches of the function.
void nacre_trace_launch(const nacre_frame *frame, nacre_kernel kernel, int64_t tasks, const int64_t *slots, int64_t launch);

#ifdef __cplusplus
}
#endif
#endif
