// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The devices of this machine, and which of them a library has code for.
#ifndef NACRE_SRC_DEVICE_FIND_H
#define NACRE_SRC_DEVICE_FIND_H

#include "runtime/src/cuda_driver.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nacre_device_identity {
  int handle;      /* the driver's */
  int32_t ordinal; /* as in "cuda:0" */
  int major;       /* compute capability */
  int minor;
  char name[96];
} nacre_device_identity;

/// Whether a device can run the code of an image.
bool nacre_image_fits(const nacre_device_image *image, const nacre_device_identity *device);

/// Finds device number `ordinal`, or with -1 the first one that fits. NACRE_ERR_DEVICE when there is none or the library has no code for
/// it; when several were looked at, the sentence is about the first.
nacre_status nacre_find_device(const nacre_cuda *cuda, const nacre_device_code *code, int32_t ordinal, nacre_device_identity *found,
                               nacre_error *error);

#ifdef __cplusplus
}
#endif
#endif
