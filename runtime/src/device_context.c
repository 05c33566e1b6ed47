// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/device_context.h"
#include "runtime/src/size.h"
#include "runtime/src/status.h"
#include "runtime/src/taps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 256

enum { STREAM_NON_BLOCKING = 1, EVENT_DISABLE_TIMING = 2 };

// What the widest and the largest of a model's functions need.
typedef struct needs {
  int32_t inputs;
  int32_t outputs;
  int32_t slots;
  int64_t ports_bytes;
  int64_t pinned_bytes;
  int64_t tap_bytes;
  bool chunks; /* a port is long */
} needs;

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// ---- host memory

static void count_widths(const nacre_model *model, needs *most) {
  for (int32_t i = 0; i < model->function_count; ++i) {
    most->inputs = (int32_t)larger(most->inputs, model->functions[i].input_count);
    most->outputs = (int32_t)larger(most->outputs, model->functions[i].output_count);
  }
  for (int32_t i = 0; i < model->device->kernel_count; ++i)
    most->slots = (int32_t)larger(most->slots, model->device->kernels[i].slot_count);
}

static nacre_status allocate_arrays(nacre_device_context *context, const needs *most, nacre_error *error) {
  size_t ports = (size_t)most->inputs + (size_t)most->outputs + 1;
  size_t launch_bytes = sizeof(struct nacre_device_launch) + (size_t)most->slots * sizeof(int64_t);
  context->places = calloc(ports, sizeof *context->places);
  context->pointers = calloc(ports, sizeof *context->pointers);
  context->launch = calloc(1, launch_bytes);
  if (context->places == NULL || context->pointers == NULL || context->launch == NULL)
    return nacre_fail_memory(error, (int64_t)(ports * sizeof(nacre_device_port) + launch_bytes), "a context on a device");
  context->ports.inputs = context->places;
  context->ports.outputs = context->places + most->inputs;
  return NACRE_OK;
}

static nacre_status measure_ports(nacre_device_context *context, const int64_t *max_dims, needs *most, nacre_error *error) {
  nacre_status status = NACRE_OK;
  for (int32_t i = 0; i < context->model->function_count && status == NACRE_OK; ++i) {
    const nacre_function *function = &context->model->functions[i];
    const nacre_binding call = {context->model, function, max_dims, error};
    status = nacre_place_ports(&call, max_dims, &context->ports);
    if (status != NACRE_OK)
      return status;
    most->ports_bytes = larger(most->ports_bytes, context->ports.bytes);
    most->pinned_bytes = larger(most->pinned_bytes, nacre_pinned_bytes(function, &context->ports));
    most->chunks |= context->ports.bytes > context->ports.short_bytes;
  }
  return status;
}

static nacre_status measure_taps(const nacre_model *model, const int64_t *max_dims, needs *most, nacre_error *error) {
  for (uint32_t i = 0; i < model->tap_count; ++i) {
    int64_t bytes = nacre_tap_bytes(model, &model->taps[i], max_dims);
    if (bytes < 0)
      return nacre_fail(error, NACRE_ERR_MEMORY, "tap '%s' does not fit in 63 bits at the largest dims", model->taps[i].name);
    most->tap_bytes = larger(most->tap_bytes, bytes);
  }
  return NACRE_OK;
}

// ---- memory of the device

static nacre_status allocate_memory(nacre_device_context *context, int64_t arena_bytes, const needs *most, nacre_error *error) {
  int64_t arena = (arena_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  int64_t scratch = (context->device->scratch_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  int64_t total = 0;
  if (__builtin_add_overflow(arena, scratch, &total) || __builtin_add_overflow(total, most->ports_bytes, &total))
    return nacre_fail(error, NACRE_ERR_MEMORY, "the memory wanted on the device does not fit in 63 bits");
  nacre_status status = nacre_device_allocate(context->device, larger(total, ALIGNMENT), "a context", &context->memory, error);
  if (status != NACRE_OK)
    return status;
  context->arena = context->memory;
  context->scratch = context->arena + (nacre_cuda_address)arena;
  context->ports_block = context->scratch + (nacre_cuda_address)scratch;
  context->ports_bytes = most->ports_bytes;
  return NACRE_OK;
}

static nacre_status allocate_pinned(nacre_device_context *context, const needs *most, nacre_error *error) {
  const nacre_cuda *cuda = context->device->cuda;
  int64_t bytes = most->pinned_bytes + (most->chunks ? 2 * NACRE_CHUNK_BYTES : 0);
  void *data = NULL;
  nacre_status status = NACRE_CUDA(cuda, error, cuMemAllocHost, &data, (size_t)larger(bytes, ALIGNMENT));
  if (status != NACRE_OK)
    return status;
  context->pinned = data;
  context->pinned_bytes = most->pinned_bytes;
  for (int32_t i = 0; i < 2 && most->chunks && status == NACRE_OK; ++i) {
    context->chunks[i].data = context->pinned + most->pinned_bytes + i * NACRE_CHUNK_BYTES;
    status = NACRE_CUDA(cuda, error, cuEventCreate, &context->chunks[i].event, EVENT_DISABLE_TIMING);
  }
  return status;
}

static nacre_status allocate_on_device(nacre_device_context *context, int64_t arena_bytes, const needs *most, nacre_error *error) {
  nacre_status status = nacre_device_enter(context->device, error);
  if (status != NACRE_OK)
    return status;
  status = allocate_memory(context, arena_bytes, most, error);
  if (status == NACRE_OK)
    status = allocate_pinned(context, most, error);
  if (status == NACRE_OK)
    status = NACRE_CUDA(context->device->cuda, error, cuStreamCreate, &context->stream, STREAM_NON_BLOCKING);
  nacre_device_leave(context->device);
  return status;
}

// ---- creation

static nacre_status open_device(nacre_device_context *context, const nacre_device_choice *choice, nacre_error *error) {
  nacre_error own = {NACRE_OK, ""}; // a failed opening says its status through an error alone
  nacre_device_identity identity;
  const nacre_cuda *cuda = nacre_cuda_driver(&own);
  nacre_status status = cuda != NULL ? nacre_find_device(cuda, context->model->device, choice->ordinal, &identity, &own) : own.status;
  if (status == NACRE_OK) {
    context->mirror = nacre_mirror_on(context->parameters, cuda, context->model, &identity, &own);
    status = context->mirror != NULL ? NACRE_OK : own.status;
  }
  if (status != NACRE_OK)
    return nacre_fail(error, status, "%s", own.message);
  context->device = context->mirror->device;
  return NACRE_OK;
}

static nacre_status set_up(nacre_device_context *context, const nacre_device_choice *choice, const int64_t *max_dims,
                           int64_t arena_bytes, nacre_error *error) {
  needs most = {0};
  count_widths(context->model, &most);
  nacre_status status = allocate_arrays(context, &most, error);
  if (status == NACRE_OK)
    status = measure_ports(context, max_dims, &most, error);
  if (status == NACRE_OK)
    status = measure_taps(context->model, max_dims, &most, error);
  if (status == NACRE_OK && most.tap_bytes > 0)
    status = nacre_arena_reserve(&context->tap_values, most.tap_bytes, error);
  if (status == NACRE_OK)
    status = open_device(context, choice, error);
  return status == NACRE_OK ? allocate_on_device(context, arena_bytes, &most, error) : status;
}

nacre_device_context *nacre_device_context_create(const nacre_model *model, struct nacre_parameters *parameters,
                                                  const nacre_device_choice *choice, const int64_t *max_dims, int64_t arena_bytes,
                                                  nacre_error *error) {
  nacre_device_context *context = calloc(1, sizeof *context);
  if (context == NULL) {
    nacre_fail_memory(error, (int64_t)sizeof *context, "a context on a device");
    return NULL;
  }
  context->model = model;
  context->parameters = parameters;
  if (set_up(context, choice, max_dims, arena_bytes, error) == NACRE_OK)
    return context;
  nacre_device_context_destroy(context);
  return NULL;
}

static void free_on_device(nacre_device_context *context) {
  const nacre_cuda *cuda = context->device->cuda;
  if (nacre_device_enter(context->device, NULL) != NACRE_OK)
    return;
  nacre_graphs_clear(&context->graphs, cuda);
  if (context->stream != NULL)
    (void)cuda->cuStreamDestroy(context->stream);
  for (int32_t i = 0; i < 2; ++i)
    if (context->chunks[i].event != NULL)
      (void)cuda->cuEventDestroy(context->chunks[i].event);
  if (context->pinned != NULL)
    (void)cuda->cuMemFreeHost(context->pinned);
  if (context->memory != 0)
    (void)cuda->cuMemFree(context->memory);
  nacre_device_leave(context->device);
}

void nacre_device_context_destroy(nacre_device_context *context) {
  if (context == NULL)
    return;
  if (context->device != NULL)
    free_on_device(context);
  if (context->mirror != NULL && context->parameters == NULL)
    nacre_mirror_destroy(context->mirror);
  nacre_arena_release(&context->tap_values);
  free(context->launch);
  free(context->pointers);
  free(context->places);
  free(context);
}

void nacre_device_context_describe(const nacre_device_context *context, char *text, size_t size) {
  const nacre_device_identity *device = &context->device->identity;
  snprintf(text, size, "cuda:%d %s, sm_%d%d", device->ordinal, device->name, device->major, device->minor);
}
