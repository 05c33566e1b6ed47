// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parameter block on devices: one copy a device in use, shared by all contexts there.
//
// Invariant: the newest values are in the host block, or in the one mirror that `newest` names. `nacre_parameters::version` counts the
// changes; a mirror is current when its own version is the same.
#ifndef NACRE_SRC_MIRROR_H
#define NACRE_SRC_MIRROR_H

#include "runtime/src/device.h"

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nacre_parameters;

/// The code of the model and its parameters on one device; owns both.
typedef struct nacre_mirror {
  struct nacre_mirror *next;
  nacre_device *device;
  nacre_cuda_address block; /* [parameter_bytes]; 0 for a model without parameters */
  uint64_t version;         /* of the parameters whose values it holds; 0: none */
} nacre_mirror;

/// The mirrors of one parameter block, under a lock.
typedef struct nacre_mirrors {
  pthread_mutex_t lock;
  nacre_mirror *first;
  nacre_mirror *newest; /* holds values that the host block lacks; null: the host block has the newest */
} nacre_mirrors;

void nacre_mirrors_initialize(nacre_mirrors *mirrors);
/// Frees all mirrors.
void nacre_mirrors_destroy(nacre_mirrors *mirrors);

/// The mirror on a device, made when there is none yet; it lives as long as the parameters. Without parameters (null, for a model that has
/// none) it is new and the caller destroys it. Null with NACRE_ERR_DEVICE, NACRE_ERR_MEMORY.
nacre_mirror *nacre_mirror_on(struct nacre_parameters *parameters, const nacre_cuda *cuda, const nacre_model *model,
                              const nacre_device_identity *identity, nacre_error *error);
void nacre_mirror_destroy(nacre_mirror *mirror);

/// Before a call reads a mirror: brings it up to date. On failure it has no values. NACRE_ERR_DEVICE, NACRE_ERR_MEMORY.
nacre_status nacre_mirror_refresh(struct nacre_parameters *parameters, nacre_mirror *mirror, nacre_error *error);
/// After a step: the mirror holds the newest values.
void nacre_mirror_stepped(struct nacre_parameters *parameters, nacre_mirror *mirror);
/// After a step that the device broke off: its values are worth nothing, those of the host block are the newest.
void nacre_mirror_lost(struct nacre_parameters *parameters, nacre_mirror *mirror);

/// Before anybody reads the host block: fetches newer values from the device that has them. NACRE_ERR_DEVICE, and the block is as it was.
nacre_status nacre_mirrors_fetch(struct nacre_parameters *parameters, nacre_error *error);

#ifdef __cplusplus
}
#endif
#endif
