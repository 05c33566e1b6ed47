// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The inputs and outputs of a call between the caller's memory, pinned memory and the device (device_ports.h says where they lie).
#ifndef NACRE_SRC_DEVICE_TRANSFER_H
#define NACRE_SRC_DEVICE_TRANSFER_H

#include "runtime/src/device_call.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Copies the short inputs and a clean status word into pinned memory. No copy of an earlier call may be under way.
void nacre_stage_inputs(const struct nacre_device_call *call);
/// Puts the copies of what was staged, and of status word and short outputs, into the stream; both may be recorded.
nacre_status nacre_send_staged(struct nacre_device_call *call);
nacre_status nacre_receive_staged(struct nacre_device_call *call);
/// Once the stream is idle: the status word {code, check, found, 0} as the kernels left it.
const int32_t *nacre_received_status(const struct nacre_device_call *call);
/// Once the stream is idle: copies the short outputs to the caller.
void nacre_unstage_outputs(const struct nacre_device_call *call);

/// Copies the long inputs; the host's share is done on return, the device's in stream order.
nacre_status nacre_send_long_inputs(struct nacre_device_call *call);
/// Copies the long outputs to the caller; all is done on return.
nacre_status nacre_receive_long_outputs(struct nacre_device_call *call);

#ifdef __cplusplus
}
#endif
#endif
