// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A chunk of pinned memory is used again only after its event has passed.
#include "runtime/src/device_transfer.h"

#include <string.h>

#define STATUS_BYTES ((size_t)4 * sizeof(int32_t))

static const nacre_cuda *cuda_of(const struct nacre_device_call *call) { return call->context->device->cuda; }

// ---- short ports

void nacre_stage_inputs(const struct nacre_device_call *call) {
  const nacre_device_context *context = call->context;
  for (int32_t i = 0; i < call->binding->function->input_count; ++i) {
    const nacre_device_port *port = &context->ports.inputs[i];
    if (port->bytes > 0 && nacre_port_is_short(port->bytes))
      memcpy(context->pinned + port->offset, call->inputs[i], (size_t)port->bytes);
  }
  memset(context->pinned + context->ports.status_offset, 0, STATUS_BYTES);
}

nacre_status nacre_send_staged(struct nacre_device_call *call) {
  const nacre_device_context *context = call->context;
  return NACRE_CUDA(cuda_of(call), &call->error, cuMemcpyHtoDAsync, context->ports_block, context->pinned,
                    (size_t)context->ports.status_offset + STATUS_BYTES, context->stream);
}

nacre_status nacre_receive_staged(struct nacre_device_call *call) {
  const nacre_device_context *context = call->context;
  const int64_t begin = context->ports.status_offset;
  return NACRE_CUDA(cuda_of(call), &call->error, cuMemcpyDtoHAsync, context->pinned + begin, context->ports_block + (uint64_t)begin,
                    (size_t)(context->ports.short_bytes - begin), context->stream);
}

const int32_t *nacre_received_status(const struct nacre_device_call *call) {
  return (const int32_t *)(const void *)(call->context->pinned + call->context->ports.status_offset);
}

void nacre_unstage_outputs(const struct nacre_device_call *call) {
  const nacre_device_context *context = call->context;
  for (int32_t i = 0; i < call->binding->function->output_count; ++i) {
    const nacre_device_port *port = &context->ports.outputs[i];
    if (port->bytes > 0 && nacre_port_is_short(port->bytes))
      memcpy(call->outputs[i], context->pinned + port->offset, (size_t)port->bytes);
  }
}

// ---- long ports

static int64_t chunk_at(int64_t offset, int64_t bytes) {
  return bytes - offset < NACRE_CHUNK_BYTES ? bytes - offset : NACRE_CHUNK_BYTES;
}

// An event that was never recorded has passed.
static nacre_status wait(struct nacre_device_call *call, const nacre_chunk *chunk) {
  return NACRE_CUDA(cuda_of(call), &call->error, cuEventSynchronize, chunk->event);
}

static nacre_status record(struct nacre_device_call *call, const nacre_chunk *chunk) {
  return NACRE_CUDA(cuda_of(call), &call->error, cuEventRecord, chunk->event, call->context->stream);
}

static nacre_status send_long(struct nacre_device_call *call, const nacre_device_port *port, const char *data, int *turn) {
  nacre_status status = NACRE_OK;
  for (int64_t offset = 0; offset < port->bytes && status == NACRE_OK; offset += NACRE_CHUNK_BYTES, *turn ^= 1) {
    const nacre_chunk *chunk = &call->context->chunks[*turn];
    const size_t bytes = (size_t)chunk_at(offset, port->bytes);
    status = wait(call, chunk);
    if (status != NACRE_OK)
      return status;
    memcpy(chunk->data, data + offset, bytes);
    status = NACRE_CUDA(cuda_of(call), &call->error, cuMemcpyHtoDAsync, call->context->ports_block + (uint64_t)(port->offset + offset),
                        chunk->data, bytes, call->context->stream);
    if (status == NACRE_OK)
      status = record(call, chunk);
  }
  return status;
}

nacre_status nacre_send_long_inputs(struct nacre_device_call *call) {
  nacre_status status = NACRE_OK;
  int turn = 0;
  for (int32_t i = 0; i < call->binding->function->input_count && status == NACRE_OK; ++i)
    if (!nacre_port_is_short(call->context->ports.inputs[i].bytes))
      status = send_long(call, &call->context->ports.inputs[i], call->inputs[i], &turn);
  return status;
}

static nacre_status request(struct nacre_device_call *call, const nacre_device_port *port, int64_t offset) {
  const nacre_chunk *chunk = &call->context->chunks[offset / NACRE_CHUNK_BYTES % 2];
  nacre_status status =
      NACRE_CUDA(cuda_of(call), &call->error, cuMemcpyDtoHAsync, chunk->data, call->context->ports_block + (uint64_t)(port->offset + offset),
                 (size_t)chunk_at(offset, port->bytes), call->context->stream);
  return status == NACRE_OK ? record(call, chunk) : status;
}

// The next chunk is asked for before the last one is copied to the caller.
static nacre_status receive_long(struct nacre_device_call *call, const nacre_device_port *port, char *data) {
  nacre_status status = request(call, port, 0);
  for (int64_t offset = 0; offset < port->bytes && status == NACRE_OK; offset += NACRE_CHUNK_BYTES) {
    const nacre_chunk *chunk = &call->context->chunks[offset / NACRE_CHUNK_BYTES % 2];
    if (offset + NACRE_CHUNK_BYTES < port->bytes)
      status = request(call, port, offset + NACRE_CHUNK_BYTES);
    if (status == NACRE_OK)
      status = wait(call, chunk);
    if (status == NACRE_OK)
      memcpy(data + offset, chunk->data, (size_t)chunk_at(offset, port->bytes));
  }
  return status;
}

nacre_status nacre_receive_long_outputs(struct nacre_device_call *call) {
  nacre_status status = NACRE_OK;
  for (int32_t i = 0; i < call->binding->function->output_count && status == NACRE_OK; ++i)
    if (!nacre_port_is_short(call->context->ports.outputs[i].bytes))
      status = receive_long(call, &call->context->ports.outputs[i], call->outputs[i]);
  if (status != NACRE_OK)
    (void)cuda_of(call)->cuStreamSynchronize(call->context->stream); // a chunk may be under way
  return status;
}
