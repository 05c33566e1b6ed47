// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parameter block: every trained tensor, state and optimiser tensor of one model in one piece of memory.
#ifndef NACRE_SRC_PARAMETERS_H
#define NACRE_SRC_PARAMETERS_H

#include "nacre/runtime.h"
#include "runtime/src/arena.h"
#include "runtime/src/mirror.h"
#include "runtime/src/packed.h"

#ifdef __cplusplus
extern "C" {
#endif

/// `model` is borrowed; the block is owned. Pointers into the block stay valid until the end.
struct nacre_parameters {
  const nacre_model *model;
  nacre_arena block;
  uint64_t version;     /* >= 1; raised by whoever may have changed a value */
  nacre_packed *packed; /* [level_count], owned */
  nacre_mirrors mirrors; /* on devices; one of them may hold newer values than the block */
};

// The entries of nacre_api (runtime.h holds their contracts).
nacre_parameters *nacre_parameters_create(const nacre_model *model, nacre_error *error);
nacre_status nacre_parameters_init(nacre_parameters *parameters, uint64_t seed, nacre_error *error);
nacre_status nacre_parameters_load(nacre_parameters *parameters, const char *path, uint32_t flags, nacre_error *error);
nacre_status nacre_parameters_load_part(nacre_parameters *parameters, const char *part, const char *path, nacre_error *error);
nacre_status nacre_parameters_save(const nacre_parameters *parameters, const char *path, uint32_t flags,
                                   nacre_error *error);
nacre_status nacre_parameters_get(nacre_parameters *parameters, const char *name, nacre_tensor *view, nacre_error *error);
nacre_status nacre_parameters_set(nacre_parameters *parameters, const char *name, const nacre_tensor *value,
                                  nacre_error *error);
void nacre_parameters_destroy(nacre_parameters *parameters);

/// Says that values of the block may have changed: packed weights and mirrors are made anew before they are read again. Requires that the
/// block had the newest values (nacre_mirrors_fetch), or that all were replaced.
void nacre_parameters_changed(nacre_parameters *parameters);
/// A view of one tensor of the block.
nacre_tensor nacre_parameter_view(const nacre_parameters *parameters, const nacre_parameter *parameter);
/// NACRE_ERR_ABI when the model was made for another version of abi.h.
nacre_status nacre_check_abi(const nacre_model *model, nacre_error *error);

#ifdef __cplusplus
}
#endif
#endif
