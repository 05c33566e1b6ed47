// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks one call's tensors against a function's ports and finds the model's dims from them. Pure: allocates and keeps nothing.
// A caller that has inputs only (to learn the shapes of the outputs) uses nacre_bind_inputs and nacre_port_shape.
#ifndef NACRE_SRC_BIND_H
#define NACRE_SRC_BIND_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// One call to be checked; all borrowed.
typedef struct nacre_binding {
  const nacre_model *model;
  const nacre_function *function;
  const int64_t *max_dims; /* [dim_count] largest sizes allowed, each at most the dim's bound; null: the bounds */
  nacre_error *error;      /* may be null */
} nacre_binding;

/// Finds `dims` [dim_count] from the inputs' shapes and the values of choice inputs, and checks count, types, ranks, sizes,
/// bounds, alignment and that data is there. Dims that no input mentions become 0.
/// NACRE_ERR_SHAPE, NACRE_ERR_VALUE.
nacre_status nacre_bind_inputs(const nacre_binding *call, const nacre_tensor *inputs, int32_t input_count, int64_t *dims);

/// Sets the dims that choice inputs decide; the other dims stay. `inputs` [input_count of the function] point at the data.
/// NACRE_ERR_VALUE when a value is not on its list.
nacre_status nacre_bind_choices(const nacre_binding *call, void *const *inputs, int64_t *dims);

/// NACRE_ERR_SHAPE when a dim is negative, above its limit, or below what the function needs.
nacre_status nacre_check_dims(const nacre_binding *call, const int64_t *dims);

/// Checks the outputs' count, types, shapes at `dims`, data and alignment, and that none shares memory with an input or
/// another output. NACRE_ERR_SHAPE, NACRE_ERR_VALUE.
nacre_status nacre_check_outputs(const nacre_binding *call, const int64_t *dims, const nacre_tensor *inputs,
                                 const nacre_tensor *outputs, int32_t output_count);

/// Checks that i32 inputs with a `value_bound` lie in [0, value_bound). `inputs` point at data of the shapes at `dims`.
/// NACRE_ERR_VALUE; NACRE_ERR_SHAPE when a size overflows.
nacre_status nacre_check_values(const nacre_binding *call, const int64_t *dims, void *const *inputs);

/// Fills type, rank and shape of `tensor` (not its data) with what `port` has at `dims`. NACRE_ERR_SHAPE on overflow.
nacre_status nacre_port_shape(const nacre_binding *call, const nacre_port *port, const int64_t *dims, nacre_tensor *tensor);

#ifdef __cplusplus
}
#endif
#endif
