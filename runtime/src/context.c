// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// On the CPU one mapping holds the arena and then every worker's scratch; nothing is allocated after creation. A context on a device has
// neither, nor workers: all that it needs is in its nacre_device_context.
#include "runtime/src/context.h"
#include "runtime/src/arena.h"
#include "runtime/src/bind.h"
#include "runtime/src/cpu_level.h"
#include "runtime/src/device_call.h"
#include "runtime/src/device_choice.h"
#include "runtime/src/parameters.h"
#include "runtime/src/size.h"
#include "runtime/src/status.h"
#include "runtime/src/taps.h"
#include "runtime/src/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nacre_context {
  const nacre_model *model;     // borrowed
  nacre_parameters *parameters; // borrowed; null only for a model without parameters
  nacre_device_context *device; // owned; null: calls run on the CPU
  const nacre_level *level;     // the model's; null on a device
  struct nacre_workers *workers;
  nacre_trace *trace; // borrowed; null: calls are not traced
  char where[640];    // what nacre_context_device says: a place, and the reason against another one
  nacre_arena memory;
  int64_t arena_bytes;
  int64_t max_dims[NACRE_MAX_DIMS];
  int64_t dims[NACRE_MAX_DIMS]; // of the call in progress
  void **outputs;               // behind the inputs in `pointers`
  void *pointers[];             // of the call in progress
};

static const nacre_options default_options = {0, NULL, NULL, NULL};

// The packed weights of the context's level.
static nacre_packed *packed_of(const nacre_context *context) {
  return nacre_packed_at(context->parameters->packed, context->level - context->model->levels);
}

// ---- creation

static nacre_status check_parameters(const nacre_model *model, const nacre_parameters *parameters, nacre_error *error) {
  if (parameters == NULL && model->parameter_bytes > 0)
    return nacre_fail(error, NACRE_ERR_VALUE, "model '%s' needs parameters, but got none", model->name);
  if (parameters != NULL && parameters->model != model)
    return nacre_fail(error, NACRE_ERR_VALUE, "the parameters belong to model '%s', not to '%s'", parameters->model->name,
                      model->name);
  return NACRE_OK;
}

static nacre_status set_max_dims(nacre_context *context, const int64_t *wanted, nacre_error *error) {
  const nacre_model *model = context->model;
  for (int32_t i = 0; i < model->dim_count; ++i) {
    const nacre_dim *dim = &model->dims[i];
    int64_t size = wanted != NULL && wanted[i] != 0 ? wanted[i] : dim->bound;
    if (size < 0 || size > dim->bound)
      return nacre_fail(error, NACRE_ERR_VALUE, "the largest size of dim '%s' is %lld, expected 0 to its bound of %lld",
                        dim->name, (long long)size, (long long)dim->bound);
    context->max_dims[i] = size;
  }
  return NACRE_OK;
}

static const nacre_size *arena_size(const nacre_model *model, int64_t function, bool on_device) {
  return on_device ? &model->device->functions[function].arena_bytes : &model->functions[function].arena_bytes;
}

// The largest arena that any function needs at the largest dims.
static nacre_status set_arena_bytes(nacre_context *context, bool on_device, nacre_error *error) {
  const nacre_model *model = context->model;
  context->arena_bytes = 0;
  for (int32_t i = 0; i < model->function_count; ++i) {
    const nacre_function *function = &model->functions[i];
    int64_t bytes = 0;
    bool fits = nacre_size_evaluate(arena_size(model, i, on_device), context->max_dims, model->dim_count, &bytes);
    bytes = fits ? nacre_round_up_64(bytes) : -1;
    if (bytes < 0)
      return nacre_fail(error, NACRE_ERR_MEMORY, "the arena of '%s' does not fit in 63 bits at the largest dims",
                        function->name);
    context->arena_bytes = bytes > context->arena_bytes ? bytes : context->arena_bytes;
  }
  return NACRE_OK;
}

static nacre_status count_workers(int32_t wanted, int32_t *count, nacre_error *error) {
  if (wanted < 0 || wanted > NACRE_MAX_WORKERS)
    return nacre_fail(error, NACRE_ERR_VALUE, "the number of threads is %d, expected 0 to %d", wanted, NACRE_MAX_WORKERS);
  *count = wanted > 0 ? wanted : nacre_processor_count();
  return NACRE_OK;
}

static nacre_status start_workers(nacre_context *context, int32_t threads, nacre_error *error) {
  int32_t count = 0;
  int64_t scratch_bytes = nacre_round_up_64(context->model->scratch_bytes);
  int64_t total = 0;
  nacre_status status = count_workers(threads, &count, error);
  if (status != NACRE_OK)
    return status;
  if (scratch_bytes < 0 || __builtin_mul_overflow(scratch_bytes, (int64_t)count, &total) ||
      __builtin_add_overflow(total, context->arena_bytes, &total))
    total = -1;
  status = nacre_arena_reserve(&context->memory, total, error);
  if (status != NACRE_OK)
    return status;
  context->workers = nacre_workers_create(count, context->memory.data + context->arena_bytes, scratch_bytes, error);
  return context->workers != NULL ? NACRE_OK : NACRE_ERR_MEMORY;
}

// An empty context with room for the pointers of the widest function.
static nacre_context *allocate(const nacre_model *model, nacre_error *error) {
  int32_t inputs = 0;
  int32_t outputs = 0;
  for (int32_t i = 0; i < model->function_count; ++i) {
    const nacre_function *function = &model->functions[i];
    inputs = function->input_count > inputs ? function->input_count : inputs;
    outputs = function->output_count > outputs ? function->output_count : outputs;
  }
  size_t bytes = sizeof(nacre_context) + ((size_t)inputs + (size_t)outputs) * sizeof(void *);
  nacre_context *context = calloc(1, bytes);
  if (context == NULL) {
    nacre_fail_memory(error, (int64_t)bytes, "a context");
    return NULL;
  }
  context->outputs = context->pointers + inputs;
  return context;
}

// `reason` says why it is the CPU; empty where that needs none.
static nacre_status set_up_cpu(nacre_context *context, const nacre_options *options, const char *reason, nacre_error *error) {
  nacre_status status = NACRE_OK;
  context->level = nacre_choose_level(context->model, options->level, error);
  if (context->level == NULL)
    return NACRE_ERR_DEVICE;
  snprintf(context->where, sizeof context->where, "cpu %s%s%s", context->level->name, reason[0] != '\0' ? ": " : "", reason);
  if (context->parameters != NULL)
    status = nacre_packed_reserve(packed_of(context), context->model, error);
  if (status == NACRE_OK)
    status = set_arena_bytes(context, false, error);
  return status == NACRE_OK ? start_workers(context, options->threads, error) : status;
}

static nacre_status set_up_device(nacre_context *context, const nacre_device_choice *choice, nacre_error *error) {
  nacre_status status = set_arena_bytes(context, true, error);
  if (status != NACRE_OK)
    return status;
  context->device = nacre_device_context_create(context->model, context->parameters, choice, context->max_dims, context->arena_bytes, error);
  if (context->device == NULL)
    return error->status;
  nacre_device_context_describe(context->device, context->where, sizeof context->where);
  return NACRE_OK;
}

static nacre_status set_up(nacre_context *context, const nacre_options *options, nacre_error *error) {
  nacre_device_choice choice;
  nacre_error reason = {NACRE_OK, ""};
  nacre_status status = check_parameters(context->model, context->parameters, error);
  if (status == NACRE_OK)
    status = set_max_dims(context, options->max_dims, error);
  if (status == NACRE_OK)
    status = nacre_choose_device(context->model, options->device, &choice, error);
  if (status != NACRE_OK)
    return status;
  if (choice.cuda && set_up_device(context, &choice, &reason) == NACRE_OK)
    return NACRE_OK;
  if (choice.cuda && choice.insists)
    return nacre_fail(error, reason.status, "%s", reason.message);
  return set_up_cpu(context, options, reason.message, error);
}

nacre_context *nacre_context_create(const nacre_model *model, nacre_parameters *parameters, const nacre_options *options,
                                    nacre_error *error) {
  if (nacre_check_abi(model, error) != NACRE_OK)
    return NULL;
  nacre_context *context = allocate(model, error);
  if (context == NULL)
    return NULL;
  context->model = model;
  context->parameters = parameters;
  if (set_up(context, options != NULL ? options : &default_options, error) == NACRE_OK)
    return context;
  nacre_context_destroy(context);
  return NULL;
}

void nacre_context_destroy(nacre_context *context) {
  if (context == NULL)
    return;
  nacre_device_context_destroy(context->device);
  nacre_workers_destroy(context->workers);
  nacre_arena_release(&context->memory);
  free(context);
}

void nacre_context_trace(nacre_context *context, nacre_trace *trace) { context->trace = trace; }

const char *nacre_context_device(const nacre_context *context) { return context->where; }

// ---- calls

int32_t nacre_function_index(const nacre_model *model, const char *name) {
  for (int32_t i = 0; i < model->function_count; ++i)
    if (strcmp(model->functions[i].name, name) == 0)
      return i;
  return -1;
}

static nacre_status begin_call(const nacre_context *context, int32_t function, nacre_error *error, nacre_binding *call) {
  const nacre_model *model = context->model;
  if (function < 0 || function >= model->function_count)
    return nacre_fail(error, NACRE_ERR_NAME, "model '%s' has no function number %d", model->name, function);
  *call = (nacre_binding){model, &model->functions[function], context->max_dims, error};
  return NACRE_OK;
}

// The arena was sized at the largest dims; a size with a negative coefficient could need more at smaller ones.
static nacre_status check_arena(const nacre_context *context, const nacre_binding *call) {
  int64_t bytes = 0;
  const nacre_size *size = arena_size(context->model, call->function - context->model->functions, context->device != NULL);
  bool fits = nacre_size_evaluate(size, context->dims, context->model->dim_count, &bytes);
  if (fits && bytes <= context->arena_bytes)
    return NACRE_OK;
  return nacre_fail(call->error, NACRE_ERR_MEMORY, "%s: these sizes need more memory than the context holds",
                    call->function->name);
}

// Holds the packed weights while a program reads them; notes that one has written parameters.
static nacre_status run_program(nacre_context *context, const nacre_function *function, nacre_frame *frame) {
  nacre_status status = NACRE_OK;
  if (function->reads_packed)
    status = nacre_packed_acquire(packed_of(context), context->model, &context->parameters->version, frame);
  if (status == NACRE_OK)
    status = (nacre_status)function->program(frame);
  if (function->reads_packed)
    nacre_packed_release(packed_of(context));
  if (function->writes_parameters && context->parameters != NULL)
    nacre_parameters_changed(context->parameters);
  return status;
}

static nacre_status run_on_cpu(nacre_context *context, const nacre_binding *call, void *const *inputs, void *const *outputs,
                               const nacre_tap_list *taps) {
  nacre_status status = context->parameters != NULL ? nacre_mirrors_fetch(context->parameters, call->error) : NACRE_OK;
  if (status != NACRE_OK)
    return status;
  nacre_error refusal = {NACRE_OK, ""};
  nacre_frame frame = {.dims = context->dims,
                       .arena = context->memory.data,
                       .parameters = context->parameters != NULL ? context->parameters->block.data : NULL,
                       .inputs = inputs,
                       .outputs = outputs,
                       .kernels = context->level->kernels,
                       .workers = context->workers,
                       .taps = taps->count > 0 ? taps : NULL,
                       .worker_count = nacre_workers_count(context->workers),
                       .refusal = &refusal,
                       .trace = context->trace};
  status = run_program(context, call->function, &frame);
  if (status == NACRE_ERR_NONFINITE)
    return nacre_fail(call->error, status, "%s: the loss is not finite; nothing was written", call->function->name);
  if (status == NACRE_ERR_VALUE)
    return nacre_fail(call->error, status, "%s: %s", call->function->name, refusal.message);
  if (status != NACRE_OK)
    return nacre_fail(call->error, status, "%s: the program ended with status %d", call->function->name, (int)status);
  return NACRE_OK;
}

static nacre_status run(nacre_context *context, const nacre_binding *call, void *const *inputs, void *const *outputs,
                        const nacre_tap_list *taps) {
  nacre_status status = nacre_check_values(call, context->dims, inputs);
  if (status == NACRE_OK)
    status = check_arena(context, call);
  if (status == NACRE_OK)
    status = nacre_check_interventions(call, context->dims, taps);
  if (status != NACRE_OK)
    return status;
  if (context->device != NULL)
    return nacre_device_run(context->device, call, context->dims, inputs, outputs, taps);
  return run_on_cpu(context, call, inputs, outputs, taps);
}

nacre_status nacre_call_tapped(nacre_context *context, int32_t function, const nacre_tensor *inputs, int32_t input_count,
                               nacre_tensor *outputs, int32_t output_count, const nacre_intervention *interventions,
                               int32_t intervention_count, nacre_error *error) {
  nacre_binding call = {0};
  nacre_status status = begin_call(context, function, error, &call);
  if (status == NACRE_OK)
    status = nacre_bind_inputs(&call, inputs, input_count, context->dims);
  if (status == NACRE_OK)
    status = nacre_check_outputs(&call, context->dims, inputs, outputs, output_count);
  if (status != NACRE_OK)
    return status;
  for (int32_t i = 0; i < input_count; ++i)
    context->pointers[i] = inputs[i].data;
  for (int32_t i = 0; i < output_count; ++i)
    context->outputs[i] = outputs[i].data;
  const nacre_tap_list taps = {context->model, function, intervention_count, interventions};
  return run(context, &call, context->pointers, context->outputs, &taps);
}

nacre_status nacre_call(nacre_context *context, int32_t function, const nacre_tensor *inputs, int32_t input_count,
                        nacre_tensor *outputs, int32_t output_count, nacre_error *error) {
  return nacre_call_tapped(context, function, inputs, input_count, outputs, output_count, NULL, 0, error);
}

nacre_status nacre_call_typed_tapped(nacre_context *context, int32_t function, const int64_t *dims, void *const *inputs,
                                     void *const *outputs, const nacre_intervention *interventions,
                                     int32_t intervention_count, nacre_error *error) {
  nacre_binding call = {0};
  nacre_status status = begin_call(context, function, error, &call);
  if (status != NACRE_OK)
    return status;
  if (context->model->dim_count > 0)
    memcpy(context->dims, dims, (size_t)context->model->dim_count * sizeof dims[0]);
  status = nacre_bind_choices(&call, inputs, context->dims);
  if (status == NACRE_OK)
    status = nacre_check_dims(&call, context->dims);
  const nacre_tap_list taps = {context->model, function, intervention_count, interventions};
  return status == NACRE_OK ? run(context, &call, inputs, outputs, &taps) : status;
}

nacre_status nacre_call_typed(nacre_context *context, int32_t function, const int64_t *dims, void *const *inputs,
                              void *const *outputs, nacre_error *error) {
  return nacre_call_typed_tapped(context, function, dims, inputs, outputs, NULL, 0, error);
}
