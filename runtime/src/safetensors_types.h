// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The element types that safetensors files name.
#ifndef NACRE_SRC_SAFETENSORS_TYPES_H
#define NACRE_SRC_SAFETENSORS_TYPES_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What is known of a type name. `bytes` is 0 for a name that this table lacks; `dtype` is -1 where the runtime has no such type.
typedef struct nacre_stored_type {
  const char *name;
  int64_t bytes;
  int32_t dtype;
} nacre_stored_type;

nacre_stored_type nacre_find_stored_type(const char *name);

#ifdef __cplusplus
}
#endif
#endif
