/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Stands for a compiled module: the programs and kernels of the two models of SampleModel.h, written by hand. */
#include "nacre/abi.h"

#pragma GCC visibility push(hidden)

void nacre_launch(struct nacre_workers *workers, nacre_kernel kernel, int64_t tasks, const int64_t *slots);

/* slots: x, y, factors [2], position of the factor; one task a row of 3. */
static void scale(int64_t begin, int64_t end, const int64_t *slots) {
  const float *x = (const float *)slots[0];
  float *y = (float *)slots[1];
  const float factor = ((const float *)slots[2])[slots[3]];
  for (int64_t i = begin * 3; i < end * 3; ++i) y[i] = x[i] * factor;
}

void sample_scale_v3(int64_t begin, int64_t end, const int64_t *slots, char *scratch) {
  (void)scratch;
  scale(begin, end, slots);
}

void sample_scale_v4(int64_t begin, int64_t end, const int64_t *slots, char *scratch) {
  (void)scratch;
  scale(begin, end, slots);
}

/* dims: B, m, position of m. */
int32_t sample_program(const nacre_frame *frame) {
  int64_t slots[4] = {(int64_t)frame->inputs[0], (int64_t)frame->outputs[0], (int64_t)frame->parameters, frame->dims[2]};
  nacre_launch(frame->workers, frame->kernels[0], frame->dims[0], slots);
  *(float *)frame->outputs[1] = *(const float *)frame->inputs[2] + (float)frame->dims[1];
  return NACRE_OK;
}

#pragma GCC visibility pop
