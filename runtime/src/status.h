// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Errors as values: every function that can fail returns a nacre_status and, when the caller passes a nacre_error, fills it.
// Invariant: a message is one line of valid, null-terminated text whatever names a hostile file put into it.
#ifndef NACRE_SRC_STATUS_H
#define NACRE_SRC_STATUS_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Fills `error` (may be null) with a status and a printf-style sentence, cut to fit. Returns `status`, so that a caller
/// can write `return nacre_fail(...)`. Control characters become '?'.
__attribute__((format(printf, 3, 4)))
nacre_status nacre_fail(nacre_error *error, nacre_status status, const char *format, ...);

/// A short constant name: "ok", "shape", "value", ...; "unknown" for anything else.
const char *nacre_status_name(nacre_status status);

/// Fails with NACRE_ERR_MEMORY and what was wanted: "cannot allocate 128 bytes for the file header".
nacre_status nacre_fail_memory(nacre_error *error, int64_t bytes, const char *purpose);

#ifdef __cplusplus
}
#endif
#endif
