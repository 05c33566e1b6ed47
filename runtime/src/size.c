// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/size.h"

#include <stdarg.h>
#include <stdio.h>

// The term's value without the dims in `left_out`.
static bool evaluate_term(const nacre_term *term, const int64_t *dims, int32_t dim_count, uint32_t left_out,
                          int64_t *value) {
  int64_t product = term->coefficient;
  for (int32_t dim = 0; dim < dim_count; ++dim)
    for (uint8_t power = 0; power < term->power[dim] && (left_out >> dim & 1) == 0; ++power)
      if (__builtin_mul_overflow(product, dims[dim], &product))
        return false;
  *value = product;
  return true;
}

bool nacre_size_evaluate(const nacre_size *size, const int64_t *dims, int32_t dim_count, int64_t *value) {
  int64_t sum = 0;
  for (int64_t i = 0; i < size->count; ++i) {
    int64_t term = 0;
    if (!evaluate_term(&size->terms[i], dims, dim_count, 0, &term) || __builtin_add_overflow(sum, term, &sum))
      return false;
  }
  *value = sum;
  return true;
}

static uint32_t term_dims(const nacre_term *term, int32_t dim_count) {
  uint32_t set = 0;
  for (int32_t dim = 0; dim < dim_count; ++dim)
    if (term->power[dim] != 0)
      set |= UINT32_C(1) << dim;
  return set;
}

uint32_t nacre_size_dims(const nacre_size *size, int32_t dim_count) {
  uint32_t set = 0;
  for (int64_t i = 0; i < size->count; ++i)
    set |= term_dims(&size->terms[i], dim_count);
  return set;
}

static int32_t first_dim(uint32_t set) {
  int32_t dim = 0;
  while ((set >> dim & 1) == 0)
    ++dim;
  return dim;
}

nacre_solution nacre_size_solve(const nacre_size *size, const int64_t *dims, int32_t dim_count, uint32_t known,
                                int64_t target, int32_t *dim, int64_t *value) {
  uint32_t unknown = nacre_size_dims(size, dim_count) & ~known;
  if ((unknown & (unknown - 1)) != 0)
    return NACRE_NOT_LINEAR;
  int32_t wanted = first_dim(unknown);
  int64_t slope = 0; // size = slope * wanted + constant
  int64_t constant = 0;
  for (int64_t i = 0; i < size->count; ++i) {
    const nacre_term *term = &size->terms[i];
    if (term->power[wanted] > 1)
      return NACRE_NOT_LINEAR;
    int64_t *part = term->power[wanted] == 1 ? &slope : &constant;
    int64_t factor = 0;
    if (!evaluate_term(term, dims, dim_count, unknown, &factor) || __builtin_add_overflow(*part, factor, part))
      return NACRE_NOT_LINEAR;
  }
  int64_t rest = 0;
  if (slope == 0 || __builtin_sub_overflow(target, constant, &rest))
    return NACRE_NOT_LINEAR;
  *dim = wanted;
  if ((slope == -1 && rest == INT64_MIN) || rest % slope != 0 || rest / slope < 0)
    return NACRE_NO_VALUE;
  *value = rest / slope;
  return NACRE_SOLVED;
}

typedef struct line {
  char *text;
  size_t capacity;
  size_t used;
} line;

__attribute__((format(printf, 2, 3))) static void add(line *out, const char *format, ...) {
  if (out->used >= out->capacity)
    return;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(out->text + out->used, out->capacity - out->used, format, arguments);
  va_end(arguments);
  out->used += length > 0 ? (size_t)length : 0;
}

static void add_term(line *out, const nacre_term *term, const nacre_dim *dims, int32_t dim_count) {
  bool bare = term_dims(term, dim_count) == 0;
  const char *separator = "";
  if (bare || term->coefficient != 1) {
    add(out, "%lld", (long long)term->coefficient);
    separator = "*";
  }
  for (int32_t dim = 0; dim < dim_count; ++dim)
    for (uint8_t power = 0; power < term->power[dim]; ++power) {
      add(out, "%s%s", separator, dims[dim].name);
      separator = "*";
    }
}

const char *nacre_size_text(const nacre_size *size, const nacre_dim *dims, int32_t dim_count, char *text,
                            size_t capacity) {
  line out = {text, capacity, 0};
  add(&out, "%s", size->count == 0 ? "0" : "");
  for (int64_t i = 0; i < size->count; ++i) {
    add(&out, "%s", i == 0 ? "" : " + ");
    add_term(&out, &size->terms[i], dims, dim_count);
  }
  return text;
}
