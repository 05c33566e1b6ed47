// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/refuse.h"
#include "runtime/src/status.h"

void nacre_refuse(const nacre_frame *frame, const char *expects, int64_t limit, const char *unit, int64_t found) {
  (void)nacre_fail(frame->refusal, NACRE_ERR_VALUE, "%s %lld%s, but got %lld", expects, (long long)limit, unit, (long long)found);
}
