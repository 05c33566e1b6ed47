// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a context is to run, from the words of its options or of the environment.
#ifndef NACRE_SRC_DEVICE_CHOICE_H
#define NACRE_SRC_DEVICE_CHOICE_H

#include "nacre/abi.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nacre_device_choice {
  bool cuda;       /* try a CUDA device */
  bool insists;    /* ... and fail when there is none that fits */
  int32_t ordinal; /* of the device; -1: the first that fits */
} nacre_device_choice;

/// Reads "cpu", "cuda", "cuda:N" or "auto"; null or empty: NACRE_DEVICE from the environment, else "auto", which tries a device when the
/// model has code for one. NACRE_ERR_VALUE for another text; NACRE_ERR_DEVICE for a device when the model has no code for one.
nacre_status nacre_choose_device(const nacre_model *model, const char *wanted, nacre_device_choice *choice, nacre_error *error);

#ifdef __cplusplus
}
#endif
#endif
