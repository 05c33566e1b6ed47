// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/device_ports.h"
#include "runtime/src/status.h"
#include "runtime/src/tensor.h"

#define SHORT_BYTES ((int64_t)1 << 20) // longer ports gain from overlapping the copy on the host with the one to the device; not measured
#define ALIGNMENT 256                  // what cuMemAlloc gives, so that no kernel sees less
#define MOST_BYTES ((int64_t)1 << 46)  // of a port; no device has more, and sums cannot overflow

bool nacre_port_is_short(int64_t bytes) { return bytes <= SHORT_BYTES; }

static int64_t round_up(int64_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static nacre_status measure(const nacre_binding *call, const nacre_port *port, const int64_t *dims, nacre_device_port *place) {
  nacre_tensor tensor;
  nacre_status status = nacre_port_shape(call, port, dims, &tensor);
  if (status != NACRE_OK)
    return status;
  (void)nacre_tensor_bytes(&tensor, &place->bytes); // fits: nacre_port_shape has checked it
  if (place->bytes <= MOST_BYTES)
    return NACRE_OK;
  return nacre_fail(call->error, NACRE_ERR_MEMORY, "%s: '%s' has %lld bytes, more than any device; give the context smaller max_dims",
                    call->function->name, port->name, (long long)place->bytes);
}

static nacre_status measure_all(const nacre_binding *call, const nacre_port *ports, int32_t count, const int64_t *dims,
                                nacre_device_port *places) {
  nacre_status status = NACRE_OK;
  for (int32_t i = 0; i < count && status == NACRE_OK; ++i)
    status = measure(call, &ports[i], dims, &places[i]);
  return status;
}

// Places the short or the long ones from `offset` on; returns the end.
static int64_t place(nacre_device_port *places, int32_t count, bool is_short, int64_t offset) {
  for (int32_t i = 0; i < count; ++i) {
    if (nacre_port_is_short(places[i].bytes) != is_short)
      continue;
    places[i].offset = offset;
    offset += round_up(places[i].bytes);
  }
  return offset;
}

nacre_status nacre_place_ports(const nacre_binding *call, const int64_t *dims, nacre_device_ports *ports) {
  const nacre_function *function = call->function;
  nacre_status status = measure_all(call, function->inputs, function->input_count, dims, ports->inputs);
  if (status == NACRE_OK)
    status = measure_all(call, function->outputs, function->output_count, dims, ports->outputs);
  if (status != NACRE_OK)
    return status;
  ports->status_offset = place(ports->inputs, function->input_count, true, 0);
  ports->short_bytes = place(ports->outputs, function->output_count, true, ports->status_offset + ALIGNMENT);
  ports->bytes = place(ports->inputs, function->input_count, false, ports->short_bytes);
  ports->bytes = place(ports->outputs, function->output_count, false, ports->bytes);
  return NACRE_OK;
}

// A long port may be a short one at smaller dims.
static int64_t most_pinned(const nacre_device_port *places, int32_t count) {
  int64_t bytes = 0;
  for (int32_t i = 0; i < count; ++i)
    bytes += nacre_port_is_short(places[i].bytes) ? round_up(places[i].bytes) : SHORT_BYTES;
  return bytes;
}

int64_t nacre_pinned_bytes(const nacre_function *function, const nacre_device_ports *ports) {
  return most_pinned(ports->inputs, function->input_count) + ALIGNMENT + most_pinned(ports->outputs, function->output_count);
}
