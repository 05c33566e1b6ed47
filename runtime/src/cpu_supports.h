// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whether this machine can run code that was compiled for a CPU level.
#ifndef NACRE_SRC_CPU_SUPPORTS_H
#define NACRE_SRC_CPU_SUPPORTS_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Whether this processor and its operating system support a level: "v1".."v4" are the x86-64 psABI levels; "generic" always
/// holds; "native" code was made for one machine, so it is taken on trust and only when asked for or alone.
bool nacre_cpu_supports(const char *level);

#ifdef __cplusplus
}
#endif
#endif
