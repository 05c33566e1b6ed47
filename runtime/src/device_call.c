// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A training step is launched kernel by kernel the first time, recorded as a graph the second time, and replayed from then on. All else
// is launched kernel by kernel: functions without effect come at many dims, and taps look at values between two kernels.
#include "runtime/src/device_call.h"
#include "runtime/src/device_transfer.h"
#include "runtime/src/parameters.h"
#include "runtime/src/refuse.h"
#include "runtime/src/size.h"
#include "runtime/src/status.h"

enum { CAPTURE_RELAXED = 2 }; // other threads, and other contexts of this one, may use the driver meanwhile

static const nacre_cuda *cuda_of(const struct nacre_device_call *call) { return call->context->device->cuda; }

static bool is_step(const struct nacre_device_call *call) { return call->binding->function->writes_parameters != 0; }

static int32_t position_of(const struct nacre_device_call *call) {
  return (int32_t)(call->binding->function - call->context->model->functions);
}

// ---- before

static nacre_status point(struct nacre_device_call *call) {
  nacre_device_context *context = call->context;
  const nacre_function *function = call->binding->function;
  const nacre_device_ports *ports = &context->ports;
  if (ports->bytes > context->ports_bytes || ports->short_bytes > context->pinned_bytes) // a size that shrinks where a dim grows
    return nacre_fail(&call->error, NACRE_ERR_MEMORY, "these sizes need more memory than the context holds");
  char *block = (char *)(uintptr_t)context->ports_block;
  for (int32_t i = 0; i < function->input_count; ++i)
    context->pointers[i] = block + ports->inputs[i].offset;
  for (int32_t i = 0; i < function->output_count; ++i)
    context->pointers[function->input_count + i] = block + ports->outputs[i].offset;
  return NACRE_OK;
}

// ---- launches

static nacre_status run_program(struct nacre_device_call *call) {
  const nacre_device_context *context = call->context;
  nacre_frame frame = {.dims = call->dims,
                       .arena = (char *)(uintptr_t)context->arena,
                       .parameters = (char *)(uintptr_t)context->mirror->block,
                       .inputs = context->pointers,
                       .outputs = context->pointers + call->binding->function->input_count,
                       .taps = call->taps,
                       .worker_count = 1,
                       .refusal = &call->error,
                       .tables = (char *)(uintptr_t)context->device->tables,
                       .device = call};
  call->status = NACRE_OK;
  nacre_status status = (nacre_status)context->model->device->functions[position_of(call)].program(&frame);
  return call->status != NACRE_OK ? call->status : status;
}

// The part of a call that can be recorded.
static nacre_status enqueue(struct nacre_device_call *call) {
  nacre_status status = nacre_send_staged(call);
  if (status == NACRE_OK)
    status = run_program(call);
  return status == NACRE_OK ? nacre_receive_staged(call) : status;
}

static nacre_status record(struct nacre_device_call *call, void **executable) {
  const nacre_cuda *cuda = cuda_of(call);
  void *graph = NULL;
  nacre_status status = NACRE_CUDA(cuda, &call->error, cuStreamBeginCapture, call->context->stream, CAPTURE_RELAXED);
  if (status != NACRE_OK)
    return status;
  status = enqueue(call);
  int ended = cuda->cuStreamEndCapture(call->context->stream, &graph); // in any case, or the stream would record on
  if (status == NACRE_OK)
    status = nacre_cuda_check(cuda, ended, "cuStreamEndCapture", &call->error);
  if (status == NACRE_OK)
    status = NACRE_CUDA(cuda, &call->error, cuGraphInstantiate, executable, graph, 0);
  if (status != NACRE_OK)
    *executable = NULL;
  if (ended == 0 && graph != NULL)
    (void)cuda->cuGraphDestroy(graph);
  call->launched = false; // a recorded kernel has not run
  return status;
}

static nacre_status replay(struct nacre_device_call *call, nacre_device_graph *graph) {
  nacre_status status = graph->executable == NULL ? record(call, &graph->executable) : NACRE_OK;
  if (status == NACRE_OK)
    status = nacre_send_long_inputs(call);
  if (status == NACRE_OK)
    status = NACRE_CUDA(cuda_of(call), &call->error, cuGraphLaunch, graph->executable, call->context->stream);
  call->launched = status == NACRE_OK;
  return status;
}

// A launch may be refused after others have changed parameters: then the host block has to have what was there before.
static nacre_status launch_step(struct nacre_device_call *call) {
  nacre_status status = call->context->parameters != NULL ? nacre_mirrors_fetch(call->context->parameters, &call->error) : NACRE_OK;
  if (status == NACRE_OK)
    status = nacre_send_long_inputs(call);
  return status == NACRE_OK ? enqueue(call) : status;
}

static nacre_status submit(struct nacre_device_call *call) {
  nacre_device_context *context = call->context;
  int seen = 0;
  nacre_stage_inputs(call);
  if (is_step(call) && call->taps == NULL) {
    nacre_device_graph *graph =
        nacre_graph_of(&context->graphs, cuda_of(call), position_of(call), call->dims, context->model->dim_count, &seen);
    return seen ? replay(call, graph) : launch_step(call);
  }
  if (is_step(call))
    return launch_step(call);
  nacre_status status = nacre_send_long_inputs(call);
  return status == NACRE_OK ? enqueue(call) : status;
}

// ---- after

static nacre_status refuse(struct nacre_device_call *call, const int32_t *word) {
  const nacre_model *model = call->context->model;
  const nacre_device_function *function = &model->device->functions[position_of(call)];
  if (word[1] < 0 || word[1] >= function->check_count)
    return nacre_fail(&call->error, NACRE_ERR_DEVICE, "the device refused a value by check %d, which the library does not have", word[1]);
  const nacre_device_check *check = &function->checks[word[1]];
  const nacre_frame frame = {.refusal = &call->error};
  int64_t limit = 0;
  (void)nacre_size_evaluate(&check->limit, call->dims, model->dim_count, &limit);
  nacre_refuse(&frame, check->expects, limit, check->unit, word[2]);
  return NACRE_ERR_VALUE;
}

static nacre_status read_status(struct nacre_device_call *call) {
  const int32_t *word = nacre_received_status(call);
  switch (word[0]) {
  case NACRE_OK: return NACRE_OK;
  case NACRE_ERR_NONFINITE: return nacre_fail(&call->error, NACRE_ERR_NONFINITE, "the loss is not finite; nothing was written");
  case NACRE_ERR_VALUE: return refuse(call, word);
  default: return nacre_fail(&call->error, NACRE_ERR_DEVICE, "the device ended the call with status %d", word[0]);
  }
}

// A kernel that met a refusal wrote nothing, and neither did those behind it.
static void account(struct nacre_device_call *call, nacre_status status) {
  if (!is_step(call))
    return;
  if (status == NACRE_OK)
    nacre_mirror_stepped(call->context->parameters, call->context->mirror);
  else if (status != NACRE_ERR_NONFINITE && status != NACRE_ERR_VALUE && call->launched)
    nacre_mirror_lost(call->context->parameters, call->context->mirror);
}

static nacre_status run_entered(struct nacre_device_call *call) {
  nacre_device_context *context = call->context;
  nacre_error *error = &call->error;
  nacre_status status = nacre_mirror_refresh(context->parameters, context->mirror, error);
  if (status != NACRE_OK)
    return status;
  status = submit(call);
  // Also after a failure: what is under way uses pinned memory that the next call fills.
  int idle = cuda_of(call)->cuStreamSynchronize(context->stream);
  if (status == NACRE_OK)
    status = nacre_cuda_check(cuda_of(call), idle, "cuStreamSynchronize", error);
  if (status == NACRE_OK)
    status = read_status(call);
  account(call, status);
  if (status != NACRE_OK)
    return status;
  nacre_unstage_outputs(call);
  return nacre_receive_long_outputs(call);
}

nacre_status nacre_device_run(nacre_device_context *context, const nacre_binding *binding, const int64_t *dims, void *const *inputs,
                              void *const *outputs, const nacre_tap_list *taps) {
  struct nacre_device_call call = {.context = context,
                                   .binding = binding,
                                   .dims = dims,
                                   .inputs = inputs,
                                   .outputs = outputs,
                                   .taps = taps->count > 0 ? taps : NULL};
  nacre_status status = nacre_place_ports(binding, dims, &context->ports);
  if (status != NACRE_OK)
    return status;
  status = point(&call);
  if (status == NACRE_OK)
    status = nacre_device_enter(context->device, &call.error);
  if (status == NACRE_OK) {
    status = run_entered(&call);
    nacre_device_leave(context->device);
  }
  if (status == NACRE_OK)
    return NACRE_OK;
  return nacre_fail(binding->error, status, "%s: %s", binding->function->name, call.error.message);
}
