// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Launches on a device: what a kernel gets, and what a program calls.
//
// The programs of nacre_device_function are host code that the compiler wrote. They see device addresses only as numbers, and they
// decide nothing by what a kernel computed: a kernel that must not act looks at its guards and at the status word itself. So the order
// of the launches depends on the dims alone.
#ifndef NACRE_SRC_DEVICE_LAUNCH_H
#define NACRE_SRC_DEVICE_LAUNCH_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The one parameter of every kernel, by value, in the kernel's parameter space; 8 * slot_count bytes of slots follow it.
struct nacre_device_launch {
  int64_t tasks;       // of the launch; worker w of W does tasks w, w + W, ...
  char *scratch;       // device memory; worker w has the scratch_bytes of its kernel at w * scratch_bytes
  int32_t *status;     // device memory [4]: {code, check, found, 0}; a kernel does nothing when the code is not NACRE_OK
  int64_t guard_count; // <= NACRE_MAX_GUARDS
  uint64_t guards[NACRE_MAX_GUARDS]; // address of an f32, bit 0: the truth that is wanted; a kernel does nothing unless all hold
  int64_t slots[];     // the kernel's own, as on the CPU: device addresses and integers
};

/// Puts kernel number `kernel` with `tasks` tasks into the stream of the call; no task is no launch. `slots` (slot_count of the kernel)
/// and `guards` are copied. After the first launch of a call that the driver refuses the others do nothing; the call then fails.
/// Called by generated code alone.
void nacre_device_launch(const nacre_frame *frame, int64_t kernel, int64_t tasks, const int64_t *slots, const uint64_t *guards,
                         int64_t guard_count);

/// Called by a program where the value of its tap number `tap` is complete: `data` is dense and row-major, in device memory.
/// Without interventions at that tap it does nothing. With some it waits for the stream, and when the guards hold and no check has failed
/// it does them on the host and writes the value back.
void nacre_device_tap(const nacre_frame *frame, int64_t tap, char *data, const uint64_t *guards, int64_t guard_count);

#ifdef __cplusplus
}
#endif
#endif
