// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a context has on a device: memory, a stream, pinned memory, recorded calls. All addresses stay the same as long as it lives, so
// that a recorded call can be replayed. Nothing but graphs is allocated after it was made.
#ifndef NACRE_SRC_DEVICE_CONTEXT_H
#define NACRE_SRC_DEVICE_CONTEXT_H

#include "runtime/src/arena.h"
#include "runtime/src/device_choice.h"
#include "runtime/src/device_graphs.h"
#include "runtime/src/device_launch.h"
#include "runtime/src/device_ports.h"
#include "runtime/src/mirror.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NACRE_CHUNK_BYTES ((int64_t)4 << 20) // of a long port; 0.1 ms of a fast bus, against 10 us to start a copy; not measured

/// Pinned memory through which long ports go: while one chunk is under way the other one is filled or emptied.
typedef struct nacre_chunk {
  char *data;  /* [NACRE_CHUNK_BYTES] in the pinned memory */
  void *event; /* recorded behind the copy that uses it */
} nacre_chunk;

typedef struct nacre_device_context {
  const nacre_model *model;            /* borrowed */
  struct nacre_parameters *parameters; /* borrowed; null: the model has none */
  nacre_mirror *mirror;                /* of the parameters; owned where those are null */
  const nacre_device *device;          /* the mirror's */
  nacre_cuda_address memory;           /* owned; its parts: */
  nacre_cuda_address arena;
  nacre_cuda_address scratch;
  nacre_cuda_address ports_block;
  int64_t ports_bytes;  /* capacity of the block */
  char *pinned;         /* owned; the short ports, then the chunks */
  int64_t pinned_bytes; /* capacity for the short ports */
  nacre_chunk chunks[2];
  void *stream;
  nacre_device_ports ports;  /* of the call in progress; the arrays behind it are owned */
  nacre_device_port *places; /* owned: the arrays of `ports` */
  void **pointers;           /* owned: device addresses of inputs and then outputs */
  struct nacre_device_launch *launch; /* owned; room for the most slots that a kernel has */
  nacre_arena tap_values;    /* room for the largest tap, address space until one is used */
  nacre_device_graphs graphs;
} nacre_device_context;

/// Opens the device that `choice` names and takes what calls at dims up to `max_dims` need there: `arena_bytes` and the rest.
/// Null with NACRE_ERR_DEVICE, NACRE_ERR_MEMORY, NACRE_ERR_SHAPE; then nothing is left but the mirror of the parameters, which owns itself.
nacre_device_context *nacre_device_context_create(const nacre_model *model, struct nacre_parameters *parameters,
                                                  const nacre_device_choice *choice, const int64_t *max_dims, int64_t arena_bytes,
                                                  nacre_error *error);
/// Null is ignored.
void nacre_device_context_destroy(nacre_device_context *context);

/// "cuda:0 NVIDIA H200, sm_90", cut to `size` bytes.
void nacre_device_context_describe(const nacre_device_context *context, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
