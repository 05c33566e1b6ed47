// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The learning rate as a function of the step.
#ifndef NACRE_SRC_SCHEDULE_H
#define NACRE_SRC_SCHEDULE_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The rate of `step` (counted from 1) out of `total`: linear from 0 over the warm-up, at the peak when step = warmup_steps,
/// then constant, or falling to exactly 0 at step = total. Steps past the last have the last step's rate.
double nacre_training_rate(const nacre_model *model, int64_t step, int64_t total);

#ifdef __cplusplus
}
#endif
#endif
