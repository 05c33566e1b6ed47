// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool grow(nacre_buffer *buffer, size_t wanted) {
  size_t capacity = buffer->capacity > 0 ? buffer->capacity : 256;
  while (capacity < wanted && capacity <= SIZE_MAX / 2)
    capacity *= 2;
  char *data = capacity < wanted ? NULL : realloc(buffer->data, capacity);
  if (data == NULL)
    return false;
  buffer->data = data;
  buffer->capacity = capacity;
  return true;
}

void nacre_buffer_add(nacre_buffer *buffer, const void *data, size_t bytes) {
  if (buffer->failed || bytes == 0)
    return;
  bool fits = bytes <= SIZE_MAX - buffer->size;
  if (!fits || (buffer->size + bytes > buffer->capacity && !grow(buffer, buffer->size + bytes))) {
    buffer->failed = true;
    return;
  }
  memcpy(buffer->data + buffer->size, data, bytes);
  buffer->size += bytes;
}

void nacre_buffer_add_text(nacre_buffer *buffer, const char *text) { nacre_buffer_add(buffer, text, strlen(text)); }

void nacre_buffer_add_integer(nacre_buffer *buffer, int64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)value);
  nacre_buffer_add_text(buffer, text);
}

void nacre_buffer_add_little_endian(nacre_buffer *buffer, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    unsigned char byte = (unsigned char)(value >> (8 * i));
    nacre_buffer_add(buffer, &byte, 1);
  }
}

void nacre_buffer_align(nacre_buffer *buffer, size_t ahead, size_t alignment, char fill) {
  while (!buffer->failed && (buffer->size + ahead) % alignment != 0)
    nacre_buffer_add(buffer, &fill, 1);
}

void nacre_buffer_free(nacre_buffer *buffer) {
  free(buffer->data);
  *buffer = (nacre_buffer){0};
}
