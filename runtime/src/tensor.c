// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/tensor.h"

#include <stdio.h>
#include <string.h>

typedef struct dtype_fact {
  const char *name;
  int64_t bytes;
  bool is_float;
} dtype_fact;

static const dtype_fact facts[] = {
    [NACRE_F32] = {"f32", 4, true},   [NACRE_I32] = {"i32", 4, false}, [NACRE_F64] = {"f64", 8, true},
    [NACRE_I64] = {"i64", 8, false},  [NACRE_F16] = {"f16", 2, true},  [NACRE_BF16] = {"bf16", 2, true},
    [NACRE_U8] = {"u8", 1, false},    [NACRE_I8] = {"i8", 1, false},   [NACRE_I16] = {"i16", 2, false},
    [NACRE_BOOL] = {"bool", 1, false}};

static const dtype_fact *fact_of(nacre_dtype dtype) {
  size_t index = (size_t)dtype;
  return index < sizeof facts / sizeof facts[0] ? &facts[index] : NULL;
}

int64_t nacre_dtype_bytes(nacre_dtype dtype) {
  const dtype_fact *fact = fact_of(dtype);
  return fact != NULL ? fact->bytes : 0;
}

const char *nacre_dtype_name(nacre_dtype dtype) {
  const dtype_fact *fact = fact_of(dtype);
  return fact != NULL ? fact->name : "unknown";
}

bool nacre_dtype_is_float(nacre_dtype dtype) {
  const dtype_fact *fact = fact_of(dtype);
  return fact != NULL && fact->is_float;
}

bool nacre_element_count(int32_t rank, const int64_t *shape, int64_t *count) {
  int64_t product = 1;
  bool empty = false;
  for (int32_t axis = 0; axis < rank; ++axis) {
    if (shape[axis] < 0)
      return false;
    empty |= shape[axis] == 0;
    if (!empty && __builtin_mul_overflow(product, shape[axis], &product))
      return false;
  }
  *count = empty ? 0 : product;
  return true;
}

bool nacre_tensor_bytes(const nacre_tensor *tensor, int64_t *bytes) {
  int64_t element = nacre_dtype_bytes(tensor->dtype);
  int64_t count = 0;
  return tensor->rank >= 0 && tensor->rank <= NACRE_MAX_RANK && element > 0 &&
         nacre_element_count(tensor->rank, tensor->shape, &count) && !__builtin_mul_overflow(count, element, bytes);
}

bool nacre_tensors_overlap(const nacre_tensor *a, const nacre_tensor *b) {
  int64_t a_bytes = 0;
  int64_t b_bytes = 0;
  if (!nacre_tensor_bytes(a, &a_bytes) || !nacre_tensor_bytes(b, &b_bytes) || a_bytes == 0 || b_bytes == 0)
    return false;
  uintptr_t a_start = (uintptr_t)a->data;
  uintptr_t b_start = (uintptr_t)b->data;
  return a_start < b_start + (uintptr_t)b_bytes && b_start < a_start + (uintptr_t)a_bytes;
}

bool nacre_tensor_is_aligned(const nacre_tensor *tensor) {
  int64_t element = nacre_dtype_bytes(tensor->dtype);
  return element > 0 && (uintptr_t)tensor->data % (uintptr_t)element == 0;
}

const char *nacre_shape_text(int32_t rank, const int64_t *shape, char *text, size_t size) {
  size_t used = (size_t)snprintf(text, size, "[");
  for (int32_t axis = 0; axis < rank && used < size; ++axis)
    used += (size_t)snprintf(text + used, size - used, axis == 0 ? "%lld" : ", %lld", (long long)shape[axis]);
  if (used < size)
    snprintf(text + used, size - used, "]");
  return text;
}

bool nacre_can_convert(nacre_dtype from, nacre_dtype to) {
  if (fact_of(from) == NULL)
    return false;
  return to == NACRE_F32 || (to == NACRE_I32 && !nacre_dtype_is_float(from));
}

static float float_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// A subnormal half is mantissa * 2^-24, which f32 holds exactly.
static float float_of_half(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16;
  uint32_t exponent = (half >> 10) & 0x1F;
  uint32_t mantissa = half & 0x3FF;
  if (exponent == 0x1F)
    return float_of_bits(sign | 0x7F800000u | (mantissa << 13));
  if (exponent != 0)
    return float_of_bits(sign | ((exponent + 112) << 23) | (mantissa << 13));
  float magnitude = (float)mantissa * 0x1p-24f;
  return sign != 0 ? -magnitude : magnitude;
}

// One loop a type: the element is fetched by memcpy because a tensor in a file may lie at any address.
#define CONVERT_EACH(FROM, TO, EXPRESSION)                                                                             \
  for (int64_t i = 0; i < count; ++i) {                                                                                \
    FROM value;                                                                                                        \
    memcpy(&value, bytes + (size_t)i * sizeof value, sizeof value);                                                    \
    ((TO *)target)[i] = (EXPRESSION);                                                                                  \
  }                                                                                                                    \
  break

static void convert_to_f32(nacre_dtype from, const char *bytes, int64_t count, void *target) {
  switch (from) {
  case NACRE_F32: memcpy(target, bytes, (size_t)count * sizeof(float)); break;
  case NACRE_I32: CONVERT_EACH(int32_t, float, (float)value);
  case NACRE_F64: CONVERT_EACH(double, float, (float)value);
  case NACRE_I64: CONVERT_EACH(int64_t, float, (float)value);
  case NACRE_F16: CONVERT_EACH(uint16_t, float, float_of_half(value));
  case NACRE_BF16: CONVERT_EACH(uint16_t, float, float_of_bits((uint32_t)value << 16));
  case NACRE_U8: CONVERT_EACH(uint8_t, float, (float)value);
  case NACRE_I8: CONVERT_EACH(int8_t, float, (float)value);
  case NACRE_I16: CONVERT_EACH(int16_t, float, (float)value);
  case NACRE_BOOL: CONVERT_EACH(uint8_t, float, value != 0 ? 1.0f : 0.0f);
  }
}

static int64_t narrow_i64(const char *bytes, int64_t count, int32_t *target) {
  for (int64_t i = 0; i < count; ++i) {
    int64_t value;
    memcpy(&value, bytes + (size_t)i * sizeof value, sizeof value);
    if (value < INT32_MIN || value > INT32_MAX)
      return i;
    target[i] = (int32_t)value;
  }
  return -1;
}

static void widen_to_i32(nacre_dtype from, const char *bytes, int64_t count, void *target) {
  switch (from) {
  case NACRE_I32: memcpy(target, bytes, (size_t)count * sizeof(int32_t)); break;
  case NACRE_U8: CONVERT_EACH(uint8_t, int32_t, value);
  case NACRE_I8: CONVERT_EACH(int8_t, int32_t, value);
  case NACRE_I16: CONVERT_EACH(int16_t, int32_t, value);
  case NACRE_BOOL: CONVERT_EACH(uint8_t, int32_t, value != 0);
  default: break;
  }
}

int64_t nacre_convert(nacre_dtype from, const void *source, int64_t count, nacre_dtype to, void *target) {
  if (count == 0)
    return -1;
  if (to == NACRE_F32)
    convert_to_f32(from, source, count, target);
  else if (from == NACRE_I64)
    return narrow_i64(source, count, target);
  else
    widen_to_i32(from, source, count, target);
  return -1;
}
