// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one thread needs to call a model's functions: an arena, workers with their scratch, and the CPU level in use.
#ifndef NACRE_SRC_CONTEXT_H
#define NACRE_SRC_CONTEXT_H

#include "nacre/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

// The entries of nacre_api (runtime.h holds their contracts).
nacre_context *nacre_context_create(const nacre_model *model, nacre_parameters *parameters, const nacre_options *options,
                                    nacre_error *error);
void nacre_context_destroy(nacre_context *context);
int32_t nacre_function_index(const nacre_model *model, const char *name);
nacre_status nacre_call(nacre_context *context, int32_t function, const nacre_tensor *inputs, int32_t input_count,
                        nacre_tensor *outputs, int32_t output_count, nacre_error *error);
nacre_status nacre_call_typed(nacre_context *context, int32_t function, const int64_t *dims, void *const *inputs,
                              void *const *outputs, nacre_error *error);
nacre_status nacre_call_tapped(nacre_context *context, int32_t function, const nacre_tensor *inputs, int32_t input_count,
                               nacre_tensor *outputs, int32_t output_count, const nacre_intervention *interventions,
                               int32_t intervention_count, nacre_error *error);
nacre_status nacre_call_typed_tapped(nacre_context *context, int32_t function, const int64_t *dims, void *const *inputs,
                                     void *const *outputs, const nacre_intervention *interventions,
                                     int32_t intervention_count, nacre_error *error);
void nacre_context_trace(nacre_context *context, nacre_trace *trace);
const char *nacre_context_device(const nacre_context *context);

#ifdef __cplusplus
}
#endif
#endif
