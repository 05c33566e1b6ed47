// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the inputs and outputs of a call lie on the device. One block of device memory holds, from its start:
//
//   short inputs | status word | short outputs | long inputs | long outputs          each aligned to 256 bytes
//
// A block of pinned host memory mirrors the first three parts, so that one copy brings all short inputs and a clean status word to the
// device and one copy brings the status word and all short outputs back. Long ports go through two pinned chunks in turn.
#ifndef NACRE_SRC_DEVICE_PORTS_H
#define NACRE_SRC_DEVICE_PORTS_H

#include "runtime/src/bind.h"
#include "runtime/src/cuda_driver.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nacre_device_port {
  int64_t bytes;
  int64_t offset; /* in the block */
} nacre_device_port;

typedef struct nacre_device_ports {
  nacre_device_port *inputs;  /* [input_count]; the owner's, with room for the widest function */
  nacre_device_port *outputs; /* [output_count] */
  int64_t status_offset;      /* also the end of the short inputs */
  int64_t short_bytes;        /* the first three parts */
  int64_t bytes;              /* the block */
} nacre_device_ports;

/// Whether a port of that size goes through the pinned block.
bool nacre_port_is_short(int64_t bytes);

/// Places the ports of a function at `dims`. NACRE_ERR_SHAPE when a size overflows.
nacre_status nacre_place_ports(const nacre_binding *call, const int64_t *dims, nacre_device_ports *ports);

/// Bytes of the pinned block that suffice at these dims and at all smaller ones; `ports` were placed.
int64_t nacre_pinned_bytes(const nacre_function *function, const nacre_device_ports *ports);

#ifdef __cplusplus
}
#endif
#endif
