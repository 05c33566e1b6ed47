// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Taps: what a call does to values in the middle of a function. All is checked before the function runs; nothing is allocated.
#ifndef NACRE_SRC_TAPS_H
#define NACRE_SRC_TAPS_H

#include "nacre/abi.h"
#include "runtime/src/bind.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/// One call's interventions; all borrowed.
typedef struct nacre_tap_list {
  const nacre_model *model;
  int32_t function;
  int32_t count;
  const nacre_intervention *items;
} nacre_tap_list;

/// `nacre_tap::index` of a function's tap by name, or -1.
int32_t nacre_tap_index(const nacre_model *model, int32_t function, const char *name);

/// Checks every intervention of a call whose dims are known. NACRE_ERR_NAME when there is no such tap, NACRE_ERR_VALUE for an
/// action, type, picked index or data that makes no sense, NACRE_ERR_SHAPE for an operand that does not fit.
nacre_status nacre_check_interventions(const nacre_binding *call, const int64_t *dims, const nacre_tap_list *taps);

/// Called by a program where the value of its tap number `index` is complete: `data` is dense and row-major.
/// Does the interventions of the call at that tap, in order. Requires that they were checked.
void nacre_apply_taps(const nacre_frame *frame, int64_t index, void *data);

/// What a call does at a tap, for those who must fetch the value first.
typedef struct nacre_tap_use {
  bool reads; /* anything at all */
  bool writes;
} nacre_tap_use;
nacre_tap_use nacre_use_of_tap(const nacre_tap_list *taps, int64_t index);

/// Bytes of a tap's value at `dims`, or -1 when they do not fit.
int64_t nacre_tap_bytes(const nacre_model *model, const nacre_tap *tap, const int64_t *dims);
/// The tap number `index` of a function, or null.
const nacre_tap *nacre_find_tap(const nacre_model *model, int32_t function, int64_t index);

#ifdef __cplusplus
}
#endif
#endif
