// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which of a library's CPU levels this machine can run.
#ifndef NACRE_SRC_CPU_LEVEL_H
#define NACRE_SRC_CPU_LEVEL_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Picks the level `wanted`, or with null NACRE_CPU from the environment, or the last supported one of the model.
/// Null with NACRE_ERR_DEVICE when the model lacks that level or the machine does not support it. Borrowed from the model.
const nacre_level *nacre_choose_level(const nacre_model *model, const char *wanted, nacre_error *error);

#ifdef __cplusplus
}
#endif
#endif
