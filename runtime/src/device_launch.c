// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the programs of the compiler call.
#include "runtime/src/device_launch.h"
#include "runtime/src/device_call.h"
#include "runtime/src/status.h"

#include <stdio.h>
#include <string.h>

static int64_t block_count(const nacre_device_kernel *kernel, const nacre_device_entry *entry, int64_t tasks) {
  int64_t wanted = (tasks - 1) / kernel->workers + 1;
  return wanted < entry->max_blocks ? wanted : entry->max_blocks;
}

static void fill(struct nacre_device_launch *launch, const nacre_device_context *context, int64_t tasks, const uint64_t *guards,
                 int64_t guard_count) {
  *launch = (struct nacre_device_launch){
      .tasks = tasks,
      .scratch = (char *)(uintptr_t)context->scratch,
      .status = (int32_t *)(uintptr_t)(context->ports_block + (uint64_t)context->ports.status_offset),
      .guard_count = guard_count};
  if (guard_count > 0)
    memcpy(launch->guards, guards, (size_t)guard_count * sizeof guards[0]);
}

static nacre_status fail_launch(struct nacre_device_call *call, const nacre_device_kernel *kernel, int result) {
  char what[192];
  snprintf(what, sizeof what, "cuLaunchKernel of kernel '%s'", kernel->name);
  return nacre_cuda_check(call->context->device->cuda, result, what, &call->error);
}

void nacre_device_launch(const nacre_frame *frame, int64_t kernel, int64_t tasks, const int64_t *slots, const uint64_t *guards,
                         int64_t guard_count) {
  struct nacre_device_call *call = frame->device;
  if (tasks <= 0 || call->status != NACRE_OK)
    return;
  nacre_device_context *context = call->context;
  const nacre_cuda *cuda = context->device->cuda;
  const nacre_device_kernel *code = &context->model->device->kernels[kernel];
  const nacre_device_entry *entry = &context->device->entries[kernel];
  fill(context->launch, context, tasks, guards, guard_count);
  if (code->slot_count > 0)
    memcpy(context->launch->slots, slots, (size_t)code->slot_count * sizeof slots[0]);
  void *parameters[] = {context->launch}; // the driver copies it before it returns, also while it records
  int result = cuda->cuLaunchKernel(entry->function, (unsigned)block_count(code, entry, tasks), 1, 1, (unsigned)code->threads, 1, 1,
                                    (unsigned)code->shared_bytes, context->stream, parameters, NULL);
  call->launched |= result == 0;
  if (result != 0)
    call->status = fail_launch(call, code, result);
}

// ---- taps

static nacre_status fetch(struct nacre_device_call *call, void *to, uint64_t from, size_t bytes) {
  return NACRE_CUDA(call->context->device->cuda, &call->error, cuMemcpyDtoH, to, from, bytes);
}

// Whether a kernel with these guards would act here. The stream is idle.
static nacre_status look(struct nacre_device_call *call, const uint64_t *guards, int64_t guard_count, bool *acts) {
  const nacre_device_context *context = call->context;
  int32_t word = 0;
  nacre_status status = fetch(call, &word, context->ports_block + (uint64_t)context->ports.status_offset, sizeof word);
  *acts = word == NACRE_OK;
  for (int64_t i = 0; i < guard_count && status == NACRE_OK && *acts; ++i) {
    status = fetch(call, &word, guards[i] & ~(uint64_t)1, sizeof word);
    *acts = (word != 0) == ((guards[i] & 1) != 0); // an f32 that is true is not +0
  }
  return status;
}

// The value on the host, changed as the call wants it, and back.
static nacre_status apply(const nacre_frame *frame, int64_t tap, uint64_t address, size_t bytes, bool writes) {
  struct nacre_device_call *call = frame->device;
  char *value = call->context->tap_values.data;
  nacre_status status = fetch(call, value, address, bytes);
  if (status != NACRE_OK)
    return status;
  nacre_apply_taps(frame, tap, value);
  if (!writes)
    return NACRE_OK;
  // The next use of `value` waits for the stream first.
  return NACRE_CUDA(call->context->device->cuda, &call->error, cuMemcpyHtoDAsync, address, value, bytes, call->context->stream);
}

// The bytes of a tap's value at the dims of the call.
static nacre_status size_of(const nacre_frame *frame, int64_t tap, int64_t *bytes) {
  struct nacre_device_call *call = frame->device;
  const nacre_tap *value = nacre_find_tap(frame->taps->model, frame->taps->function, tap);
  *bytes = nacre_tap_bytes(frame->taps->model, value, frame->dims);
  if (*bytes >= 0 && *bytes <= call->context->tap_values.bytes)
    return NACRE_OK;
  // a size that shrinks where a dim grows
  return nacre_fail(&call->error, NACRE_ERR_MEMORY, "tap '%s' needs more memory than the context holds", value->name);
}

void nacre_device_tap(const nacre_frame *frame, int64_t tap, char *data, const uint64_t *guards, int64_t guard_count) {
  struct nacre_device_call *call = frame->device;
  const nacre_tap_use use = nacre_use_of_tap(frame->taps, tap);
  int64_t bytes = 0;
  bool acts = false;
  if (!use.reads || call->status != NACRE_OK)
    return;
  call->status = size_of(frame, tap, &bytes);
  if (call->status == NACRE_OK)
    call->status = NACRE_CUDA(call->context->device->cuda, &call->error, cuStreamSynchronize, call->context->stream);
  if (call->status == NACRE_OK)
    call->status = look(call, guards, guard_count, &acts);
  if (call->status == NACRE_OK && acts && bytes > 0)
    call->status = apply(frame, tap, (uint64_t)(uintptr_t)data, (size_t)bytes, use.writes);
}
