// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table behind `nacre_model::api`.
#include "nacre/runtime.h"
#include "runtime/src/context.h"
#include "runtime/src/parameters.h"
#include "runtime/src/schedule.h"
#include "runtime/src/taps.h"

const nacre_api nacre_runtime_api = {
    .parameters_create = nacre_parameters_create,
    .parameters_init = nacre_parameters_init,
    .parameters_load = nacre_parameters_load,
    .parameters_save = nacre_parameters_save,
    .parameters_get = nacre_parameters_get,
    .parameters_set = nacre_parameters_set,
    .parameters_destroy = nacre_parameters_destroy,
    .context_create = nacre_context_create,
    .context_destroy = nacre_context_destroy,
    .function_index = nacre_function_index,
    .call = nacre_call,
    .call_typed = nacre_call_typed,
    .training_rate = nacre_training_rate,
    .tap_index = nacre_tap_index,
    .call_tapped = nacre_call_tapped,
    .call_typed_tapped = nacre_call_typed_tapped,
    .parameters_load_part = nacre_parameters_load_part,
    .context_trace = nacre_context_trace,
    .context_device = nacre_context_device,
};
