// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One call of a function on a device: inputs there, launches, status and outputs back. It returns when all is done.
#ifndef NACRE_SRC_DEVICE_CALL_H
#define NACRE_SRC_DEVICE_CALL_H

#include "runtime/src/device_context.h"
#include "runtime/src/taps.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The call in progress: nacre_frame::device.
struct nacre_device_call {
  nacre_device_context *context;
  const nacre_binding *binding;
  const int64_t *dims;
  void *const *inputs; /* the caller's, in host memory */
  void *const *outputs;
  const nacre_tap_list *taps; /* null: none */
  nacre_status status;        /* of the launches so far */
  bool launched;              /* a kernel may have run */
  nacre_error error;          /* why it failed */
};

/// Runs a function whose dims, values and interventions were checked. Only a call that succeeds writes outputs.
/// A training step that fails leaves the parameters as they were; when the device breaks off in the middle of a replayed one, they are
/// those that the host read or wrote last.
/// NACRE_ERR_NONFINITE, NACRE_ERR_VALUE as on the CPU; NACRE_ERR_DEVICE, NACRE_ERR_MEMORY with the driver's words.
nacre_status nacre_device_run(nacre_device_context *context, const nacre_binding *binding, const int64_t *dims, void *const *inputs,
                              void *const *outputs, const nacre_tap_list *taps);

#ifdef __cplusplus
}
#endif
#endif
