// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/bind.h"
#include "runtime/src/size.h"
#include "runtime/src/status.h"
#include "runtime/src/tensor.h"

#include <stdio.h>

typedef long long wide; // for printing

// "expected 64", or "expected B + 1 = 13" where the size has dims in it.
static const char *expectation(const nacre_binding *call, const nacre_size *size, int64_t value, char *text, size_t room) {
  char formula[128];
  if (nacre_size_dims(size, call->model->dim_count) == 0)
    snprintf(text, room, "expected %lld", (wide)value);
  else
    snprintf(text, room, "expected %s = %lld",
             nacre_size_text(size, call->model->dims, call->model->dim_count, formula, sizeof formula), (wide)value);
  return text;
}

static nacre_status check_form(const nacre_binding *call, const char *side, const nacre_port *port,
                               const nacre_tensor *tensor) {
  if (tensor->dtype != port->dtype)
    return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: %s '%s' has type %s, expected %s", call->function->name, side,
                      port->name, nacre_dtype_name(tensor->dtype), nacre_dtype_name(port->dtype));
  if (tensor->rank != port->rank)
    return nacre_fail(call->error, NACRE_ERR_SHAPE, "%s: %s '%s' has %d axes, expected %d", call->function->name, side,
                      port->name, tensor->rank, port->rank);
  for (int32_t axis = 0; axis < port->rank; ++axis)
    if (tensor->shape[axis] < 0)
      return nacre_fail(call->error, NACRE_ERR_SHAPE, "%s: %s '%s' axis %d is %lld, expected a size of at least 0",
                        call->function->name, side, port->name, axis, (wide)tensor->shape[axis]);
  return NACRE_OK;
}

static nacre_status check_data(const nacre_binding *call, const char *side, const nacre_port *port,
                               const nacre_tensor *tensor) {
  int64_t bytes = 0;
  if (!nacre_tensor_bytes(tensor, &bytes))
    return nacre_fail(call->error, NACRE_ERR_SHAPE, "%s: the size of %s '%s' overflows", call->function->name, side,
                      port->name);
  if (bytes > 0 && tensor->data == NULL)
    return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: %s '%s' has no data", call->function->name, side, port->name);
  if (!nacre_tensor_is_aligned(tensor))
    return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: %s '%s' is not aligned to its element size",
                      call->function->name, side, port->name);
  return NACRE_OK;
}

static nacre_status check_count(const nacre_binding *call, const char *side, int32_t expected, int32_t got) {
  if (expected == got)
    return NACRE_OK;
  return nacre_fail(call->error, NACRE_ERR_SHAPE, "%s: got %d %s, expected %d", call->function->name, got, side, expected);
}

// ---- choices

static nacre_status fail_choice(const nacre_binding *call, const nacre_port *port, int64_t value) {
  char list[256] = "";
  size_t used = 0;
  for (int64_t i = 0; i < port->choice_count && used < sizeof list; ++i)
    used += (size_t)snprintf(list + used, sizeof list - used, i == 0 ? "%lld" : ", %lld", (wide)port->choices[i]);
  return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: input '%s' is %lld, expected one of %s", call->function->name,
                    port->name, (wide)value, list);
}

static nacre_status bind_choice(const nacre_binding *call, const nacre_port *port, int32_t value, int64_t *dims) {
  int64_t position = 0;
  while (position < port->choice_count && port->choices[position] != value)
    ++position;
  if (position == port->choice_count)
    return fail_choice(call, port, value);
  if (port->choice_dim >= 0)
    dims[port->choice_dim] = value;
  if (port->choice_index_dim >= 0)
    dims[port->choice_index_dim] = position;
  return NACRE_OK;
}

nacre_status nacre_bind_choices(const nacre_binding *call, void *const *inputs, int64_t *dims) {
  nacre_status status = NACRE_OK;
  for (int32_t i = 0; i < call->function->input_count && status == NACRE_OK; ++i) {
    const nacre_port *port = &call->function->inputs[i];
    if (port->choices == NULL)
      continue;
    if (inputs[i] == NULL)
      return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: input '%s' has no data", call->function->name, port->name);
    status = bind_choice(call, port, *(const int32_t *)inputs[i], dims);
  }
  return status;
}

// The dims that choices decide, as a bit set; their values go to `dims`.
static nacre_status bind_choice_tensors(const nacre_binding *call, const nacre_tensor *inputs, int64_t *dims,
                                        uint32_t *known) {
  nacre_status status = NACRE_OK;
  for (int32_t i = 0; i < call->function->input_count && status == NACRE_OK; ++i) {
    const nacre_port *port = &call->function->inputs[i];
    if (port->choices == NULL)
      continue;
    status = bind_choice(call, port, *(const int32_t *)inputs[i].data, dims);
    *known |= port->choice_dim >= 0 ? UINT32_C(1) << port->choice_dim : 0;
    *known |= port->choice_index_dim >= 0 ? UINT32_C(1) << port->choice_index_dim : 0;
  }
  return status;
}

// ---- dims from shapes

static nacre_status fail_no_value(const nacre_binding *call, const nacre_port *port, int32_t axis, int64_t got) {
  char formula[128];
  return nacre_fail(call->error, NACRE_ERR_SHAPE, "%s: input '%s' axis %d is %lld, which is no value of %s",
                    call->function->name, port->name, axis, (wide)got,
                    nacre_size_text(&port->shape[axis], call->model->dims, call->model->dim_count, formula,
                                    sizeof formula));
}

// Tries to learn one more dim from one axis.
static nacre_status learn_from_axis(const nacre_binding *call, const nacre_port *port, int32_t axis, int64_t got,
                                    int64_t *dims, uint32_t *known) {
  const nacre_size *size = &port->shape[axis];
  int32_t dim_count = call->model->dim_count;
  int32_t dim = -1;
  int64_t value = 0;
  if ((nacre_size_dims(size, dim_count) & ~*known) == 0)
    return NACRE_OK;
  switch (nacre_size_solve(size, dims, dim_count, *known, got, &dim, &value)) {
  case NACRE_NOT_LINEAR: return NACRE_OK;
  case NACRE_NO_VALUE: return fail_no_value(call, port, axis, got);
  case NACRE_SOLVED: break;
  }
  dims[dim] = value;
  *known |= UINT32_C(1) << dim;
  return NACRE_OK;
}

static nacre_status learn_from_inputs(const nacre_binding *call, const nacre_tensor *inputs, int64_t *dims,
                                      uint32_t *known) {
  for (int32_t i = 0; i < call->function->input_count; ++i) {
    const nacre_port *port = &call->function->inputs[i];
    for (int32_t axis = 0; axis < port->rank; ++axis) {
      nacre_status status = learn_from_axis(call, port, axis, inputs[i].shape[axis], dims, known);
      if (status != NACRE_OK)
        return status;
    }
  }
  return NACRE_OK;
}

// Each pass may make another size linear; a pass that learns nothing is the last.
static nacre_status learn_dims(const nacre_binding *call, const nacre_tensor *inputs, int64_t *dims, uint32_t *known) {
  uint32_t before = 0;
  nacre_status status = NACRE_OK;
  do {
    before = *known;
    status = learn_from_inputs(call, inputs, dims, known);
  } while (status == NACRE_OK && *known != before);
  return status;
}

// ---- checks at known dims

static nacre_status check_axis(const nacre_binding *call, const char *side, const nacre_port *port, int32_t axis,
                               int64_t got, const int64_t *dims) {
  char text[192];
  const nacre_size *size = &port->shape[axis];
  int64_t expected = 0;
  bool fits = nacre_size_evaluate(size, dims, call->model->dim_count, &expected);
  if (fits && got == expected)
    return NACRE_OK;
  return nacre_fail(call->error, NACRE_ERR_SHAPE, "%s: %s '%s' axis %d is %lld, %s", call->function->name, side, port->name,
                    axis, (wide)got,
                    fits ? expectation(call, size, expected, text, sizeof text) : "but its size overflows");
}

static nacre_status check_shape(const nacre_binding *call, const char *side, const nacre_port *port,
                                const nacre_tensor *tensor, const int64_t *dims) {
  nacre_status status = NACRE_OK;
  for (int32_t axis = 0; axis < port->rank && status == NACRE_OK; ++axis)
    status = check_axis(call, side, port, axis, tensor->shape[axis], dims);
  return status;
}

static nacre_status check_all_known(const nacre_binding *call, uint32_t known) {
  const nacre_model *model = call->model;
  for (int32_t i = 0; i < call->function->input_count; ++i) {
    const nacre_port *port = &call->function->inputs[i];
    for (int32_t axis = 0; axis < port->rank; ++axis) {
      uint32_t unknown = nacre_size_dims(&port->shape[axis], model->dim_count) & ~known;
      for (int32_t dim = 0; dim < model->dim_count; ++dim)
        if ((unknown >> dim & 1) != 0)
          return nacre_fail(call->error, NACRE_ERR_SHAPE, "%s: the inputs do not determine dim '%s'", call->function->name,
                            model->dims[dim].name);
    }
  }
  return NACRE_OK;
}

static nacre_status check_least(const nacre_binding *call, const int64_t *dims) {
  const nacre_model *model = call->model;
  for (int32_t i = 0; i < model->least_count; ++i) {
    const nacre_least *least = &model->leasts[i];
    if (&model->functions[least->function] == call->function && dims[least->dim] < least->size)
      return nacre_fail(call->error, NACRE_ERR_SHAPE, "%s: dim '%s' is %lld, expected at least %lld", call->function->name,
                        model->dims[least->dim].name, (wide)dims[least->dim], (wide)least->size);
  }
  return NACRE_OK;
}

nacre_status nacre_check_dims(const nacre_binding *call, const int64_t *dims) {
  for (int32_t i = 0; i < call->model->dim_count; ++i) {
    const nacre_dim *dim = &call->model->dims[i];
    const char *function = call->function->name;
    if (dims[i] < 0)
      return nacre_fail(call->error, NACRE_ERR_SHAPE, "%s: dim '%s' is %lld, below 0", function, dim->name, (wide)dims[i]);
    if (dims[i] > dim->bound)
      return nacre_fail(call->error, NACRE_ERR_SHAPE, "%s: dim '%s' is %lld, above its bound of %lld", function, dim->name,
                        (wide)dims[i], (wide)dim->bound);
    if (call->max_dims != NULL && dims[i] > call->max_dims[i])
      return nacre_fail(call->error, NACRE_ERR_SHAPE, "%s: dim '%s' is %lld, above this context's limit of %lld", function,
                        dim->name, (wide)dims[i], (wide)call->max_dims[i]);
  }
  return check_least(call, dims);
}

static nacre_status check_input_tensors(const nacre_binding *call, const nacre_tensor *inputs, int32_t input_count) {
  nacre_status status = check_count(call, "inputs", call->function->input_count, input_count);
  for (int32_t i = 0; i < call->function->input_count && status == NACRE_OK; ++i) {
    status = check_form(call, "input", &call->function->inputs[i], &inputs[i]);
    if (status == NACRE_OK)
      status = check_data(call, "input", &call->function->inputs[i], &inputs[i]);
  }
  return status;
}

static nacre_status check_input_shapes(const nacre_binding *call, const nacre_tensor *inputs, const int64_t *dims) {
  nacre_status status = NACRE_OK;
  for (int32_t i = 0; i < call->function->input_count && status == NACRE_OK; ++i)
    status = check_shape(call, "input", &call->function->inputs[i], &inputs[i], dims);
  return status;
}

nacre_status nacre_bind_inputs(const nacre_binding *call, const nacre_tensor *inputs, int32_t input_count, int64_t *dims) {
  uint32_t known = 0;
  for (int32_t dim = 0; dim < call->model->dim_count; ++dim)
    dims[dim] = 0;
  nacre_status status = check_input_tensors(call, inputs, input_count);
  if (status == NACRE_OK)
    status = bind_choice_tensors(call, inputs, dims, &known);
  if (status == NACRE_OK)
    status = learn_dims(call, inputs, dims, &known);
  if (status == NACRE_OK)
    status = check_all_known(call, known);
  if (status == NACRE_OK)
    status = nacre_check_dims(call, dims);
  return status == NACRE_OK ? check_input_shapes(call, inputs, dims) : status;
}

static nacre_status check_apart(const nacre_binding *call, const nacre_tensor *output, const char *name,
                                const nacre_tensor *others, const nacre_port *ports, int32_t count) {
  for (int32_t i = 0; i < count; ++i)
    if (nacre_tensors_overlap(output, &others[i]))
      return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: output '%s' shares memory with '%s'", call->function->name, name,
                        ports[i].name);
  return NACRE_OK;
}

nacre_status nacre_check_outputs(const nacre_binding *call, const int64_t *dims, const nacre_tensor *inputs,
                                 const nacre_tensor *outputs, int32_t output_count) {
  const nacre_function *function = call->function;
  nacre_status status = check_count(call, "outputs", function->output_count, output_count);
  for (int32_t i = 0; i < function->output_count && status == NACRE_OK; ++i) {
    const nacre_port *port = &function->outputs[i];
    status = check_form(call, "output", port, &outputs[i]);
    if (status == NACRE_OK)
      status = check_shape(call, "output", port, &outputs[i], dims);
    if (status == NACRE_OK)
      status = check_data(call, "output", port, &outputs[i]);
    if (status == NACRE_OK)
      status = check_apart(call, &outputs[i], port->name, inputs, function->inputs, function->input_count);
    if (status == NACRE_OK)
      status = check_apart(call, &outputs[i], port->name, outputs, function->outputs, i);
  }
  return status;
}

// ---- values

// Negative values are large when read as unsigned, so one comparison serves both ends.
static bool all_below(const int32_t *values, int64_t count, int64_t bound) {
  if (bound > INT32_MAX)
    bound = (int64_t)INT32_MAX + 1;
  uint32_t outside = 0;
  for (int64_t i = 0; i < count; ++i)
    outside |= (uint32_t)values[i] >= (uint32_t)bound;
  return outside == 0;
}

static nacre_status check_port_values(const nacre_binding *call, const nacre_port *port, const int64_t *dims,
                                      const int32_t *values) {
  nacre_tensor tensor;
  int64_t count = 0;
  nacre_status status = nacre_port_shape(call, port, dims, &tensor);
  if (status != NACRE_OK)
    return status;
  nacre_element_count(tensor.rank, tensor.shape, &count);
  if (all_below(values, count, port->value_bound))
    return NACRE_OK;
  int64_t position = 0;
  while (values[position] >= 0 && values[position] < port->value_bound)
    ++position;
  return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: input '%s' holds %d at position %lld, expected a value in [0, %lld)",
                    call->function->name, port->name, values[position], (wide)position, (wide)port->value_bound);
}

nacre_status nacre_check_values(const nacre_binding *call, const int64_t *dims, void *const *inputs) {
  nacre_status status = NACRE_OK;
  for (int32_t i = 0; i < call->function->input_count && status == NACRE_OK; ++i) {
    const nacre_port *port = &call->function->inputs[i];
    if (port->dtype == NACRE_I32 && port->value_bound > 0)
      status = check_port_values(call, port, dims, inputs[i]);
  }
  return status;
}

nacre_status nacre_port_shape(const nacre_binding *call, const nacre_port *port, const int64_t *dims, nacre_tensor *tensor) {
  int64_t bytes = 0;
  bool fits = true;
  *tensor = (nacre_tensor){.dtype = port->dtype, .rank = port->rank};
  for (int32_t axis = 0; axis < port->rank; ++axis)
    fits &= nacre_size_evaluate(&port->shape[axis], dims, call->model->dim_count, &tensor->shape[axis]);
  if (fits && nacre_tensor_bytes(tensor, &bytes))
    return NACRE_OK;
  return nacre_fail(call->error, NACRE_ERR_SHAPE, "%s: the size of '%s' overflows", call->function->name, port->name);
}
