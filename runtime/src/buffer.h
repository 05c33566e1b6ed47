// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A growing byte buffer for file headers. A refused allocation is remembered, so that only the end has to be checked.
#ifndef NACRE_SRC_BUFFER_H
#define NACRE_SRC_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Starts as {0}; owned by its declarer, who calls nacre_buffer_free.
typedef struct nacre_buffer {
  char *data;
  size_t size;
  size_t capacity;
  bool failed; /* memory was refused; the contents are not complete */
} nacre_buffer;

void nacre_buffer_add(nacre_buffer *buffer, const void *data, size_t bytes);
void nacre_buffer_add_text(nacre_buffer *buffer, const char *text);
void nacre_buffer_add_integer(nacre_buffer *buffer, int64_t value);
/// Adds the low `bytes` bytes of `value`, least significant first.
void nacre_buffer_add_little_endian(nacre_buffer *buffer, uint64_t value, int bytes);
/// Adds `fill` until the size plus `ahead` is a multiple of `alignment`.
void nacre_buffer_align(nacre_buffer *buffer, size_t ahead, size_t alignment, char fill);
void nacre_buffer_free(nacre_buffer *buffer);

#ifdef __cplusplus
}
#endif
#endif
