// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model's code on one device: the module, its kernels and its constant tables. Nothing in it changes after it was opened, so any
// number of contexts and threads share it.
#ifndef NACRE_SRC_DEVICE_H
#define NACRE_SRC_DEVICE_H

#include "runtime/src/device_find.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nacre_device_entry {
  void *function;
  int64_t max_blocks; /* of a launch: what runs at once, or fewer where the scratch of all would be too large */
} nacre_device_entry;

typedef struct nacre_device {
  const nacre_cuda *cuda;
  const nacre_model *model; /* borrowed */
  nacre_device_identity identity;
  void *context; /* the primary one of the device, which a host program may use as well */
  void *module;
  nacre_cuda_address tables;
  int64_t scratch_bytes; /* device memory that a stream of launches needs for the scratch of its workers */
  nacre_device_entry entries[]; /* [kernel_count] */
} nacre_device;

/// Loads the model's code onto a device; the first image of the table that fits and that the driver takes. The caller closes it.
/// Null with NACRE_ERR_DEVICE, NACRE_ERR_MEMORY; then nothing is left on the device.
nacre_device *nacre_device_open(const nacre_cuda *cuda, const nacre_model *model, const nacre_device_identity *identity,
                                nacre_error *error);
/// Null is ignored.
void nacre_device_close(nacre_device *device);

/// Makes the device current on the calling thread, until nacre_device_leave; the host program's own choice comes back then.
/// Calls may nest. NACRE_ERR_DEVICE.
nacre_status nacre_device_enter(const nacre_device *device, nacre_error *error);
void nacre_device_leave(const nacre_device *device);

/// Allocates `bytes` > 0 of device memory, aligned to 256; the device must be current. "cannot allocate 12 bytes of device memory for
/// <purpose>: <the driver's words>": NACRE_ERR_MEMORY, NACRE_ERR_DEVICE.
nacre_status nacre_device_allocate(const nacre_device *device, int64_t bytes, const char *purpose, nacre_cuda_address *address,
                                   nacre_error *error);

/// Copies to device memory; all streams see it when this returns. The device must be current. NACRE_ERR_DEVICE.
nacre_status nacre_device_upload(const nacre_device *device, nacre_cuda_address to, const void *from, int64_t bytes, nacre_error *error);

#ifdef __cplusplus
}
#endif
#endif
