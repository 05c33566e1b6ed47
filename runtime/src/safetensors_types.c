// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/safetensors_types.h"
#include "runtime/src/safetensors.h"

#include <string.h>

static const nacre_stored_type types[] = {
    {"F32", 4, NACRE_F32}, {"I32", 4, NACRE_I32},   {"F64", 8, NACRE_F64}, {"I64", 8, NACRE_I64}, {"F16", 2, NACRE_F16},
    {"BF16", 2, NACRE_BF16}, {"U8", 1, NACRE_U8},   {"I8", 1, NACRE_I8},   {"I16", 2, NACRE_I16}, {"BOOL", 1, NACRE_BOOL},
    {"U16", 2, -1},        {"U32", 4, -1},          {"U64", 8, -1},        {"C64", 8, -1},        {"F8_E4M3", 1, -1},
    {"F8_E5M2", 1, -1},    {"F8_E8M0", 1, -1}};

nacre_stored_type nacre_find_stored_type(const char *name) {
  for (size_t i = 0; i < sizeof types / sizeof types[0]; ++i)
    if (strcmp(types[i].name, name) == 0)
      return types[i];
  return (nacre_stored_type){name, 0, -1};
}

const char *nacre_safetensors_type_name(nacre_dtype dtype) {
  for (size_t i = 0; i < sizeof types / sizeof types[0]; ++i)
    if (types[i].dtype == (int32_t)dtype)
      return types[i].name;
  return "unknown";
}
