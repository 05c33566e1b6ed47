// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The learning rate as a function of the step.
#include "runtime/src/schedule.h"

#include <math.h>

// How far the decay has gone, in [0, 1]: 0 at the end of the warm-up, 1 at the last step.
static double decay_progress(int64_t step, int64_t warmup, int64_t total) {
  if (step <= warmup || total <= warmup)
    return 0.0;
  return step >= total ? 1.0 : (double)(step - warmup) / (double)(total - warmup);
}

double nacre_training_rate(const nacre_model *model, int64_t step, int64_t total) {
  const nacre_training *training = &model->training;
  const int64_t warmup = training->warmup_steps;
  if (step < warmup)
    return training->rate * (double)(step > 0 ? step : 0) / (double)warmup;
  double progress = decay_progress(step, warmup, total);
  switch ((nacre_schedule_kind)training->schedule) {
  case NACRE_SCHEDULE_LINEAR: return training->rate * (1.0 - progress);
  case NACRE_SCHEDULE_COSINE: return training->rate * 0.5 * (1.0 + cos(3.14159265358979323846 * progress));
  case NACRE_SCHEDULE_CONSTANT: break;
  }
  return training->rate;
}
